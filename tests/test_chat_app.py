from collections.abc import Iterator

import pytest
from chatting import ASTHMA, HOSTILE, opened_library
from fastapi import FastAPI
from playwright.sync_api import Browser, Page
from served import listening

from chatbot.app import html, mount_chat
from chatbot.reply import Kind, Passage
from nlp.embeddings.encoder import Encoder
from ontology.wording import say


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, toy_encoder: Encoder) -> Iterator[str]:
    """A real server with the chat on a free port."""
    with (
        opened_library(tmp_path_factory.mktemp("chat"), toy_encoder) as (_, desk),
        listening(lambda _: mount_chat(FastAPI(), desk, "/chat")) as address,
    ):
        yield f"{address}/chat/"


@pytest.fixture
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """A page as narrow as a small phone, or as wide as the test asks for."""
    width = getattr(request, "param", 320)
    context = browser.new_context(viewport={"width": width, "height": 800}, locale="nb-NO")
    yield context.new_page()
    context.close()


def write(page: Page, message: str) -> None:
    page.get_by_label(say("chat.label_message", "nb")).fill(message)
    page.get_by_role("button", name="Send", exact=True).click()


@pytest.mark.parametrize("page", [320, 1200], indirect=True)
def test_a_whole_conversation_by_keyboard_and_buttons(page: Page, address: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}?study={ASTHMA.id}")
    page.get_by_role("button", name="Kvinne – Er du kvinne eller mann?").click()
    page.get_by_role("heading", name="Hvor gammel er du?").wait_for()
    page.get_by_label(say("chat.label_message", "nb")).fill("45")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Ja – Har du astma?").click()
    page.get_by_role("button", name="Nei – Har du hjertesvikt?").click()
    page.get_by_role("heading", name=say("chat.outcome_may_fit", "nb")).wait_for()
    page.get_by_role("button", name=f"Ja – {say('chat.ask_offer', 'nb')}").click()
    link = page.get_by_role("link", name=say("chat.look_over_link", "nb"))
    assert str(link.get_attribute("href")).endswith(f"/studier/{ASTHMA.id}/interesse?lang=nb")
    assert {
        url for url in asked if not url.startswith(("data:", "blob:", address.removesuffix("/chat/")))
    } == set()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert page.evaluate("document.documentElement.lang") == "nb"


def test_every_control_has_a_name_in_the_chosen_language(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_text(say("chat.ask_search", "nb")).wait_for()
    for control in page.locator("button:visible, input:visible, textarea:visible").all():
        name = control.evaluate(
            "e => e.getAttribute('aria-label') || e.innerText || (e.labels?.length && e.labels[0].innerText)"
        )
        assert name.strip()
    page.get_by_label("English").check()
    page.get_by_text(say("chat.ask_search", "en")).wait_for()
    page.get_by_label(say("chat.label_message", "en")).wait_for()
    assert page.evaluate("document.documentElement.lang") == "en"


def test_private_numbers_are_masked_on_the_screen_and_can_be_deleted(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_text(say("chat.ask_search", "nb")).wait_for()
    write(page, "astma, mitt nummer er 15075012345")
    page.get_by_text("Dette fant jeg").wait_for()
    assert "15075012345" not in page.content()
    page.get_by_role("button", name=say("chat.delete_all", "nb"), exact=True).click()
    page.get_by_text(say("chat.forgotten", "nb")).wait_for()
    assert page.get_by_text("Dette fant jeg").count() == 0


def test_an_emergency_is_shown_as_an_alert(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_text(say("chat.ask_search", "nb")).wait_for()
    write(page, "jeg får ikke puste")
    assert "113" in page.get_by_role("alert").inner_text()


def test_what_a_study_or_a_person_writes_is_only_text(page: Page, address: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}?study={HOSTILE.id}")
    page.get_by_text("Migrene <img").first.wait_for()
    write(
        page,
        '<b id="mine">søk migrene</b> ![x](http://evil.example/z.png) <img src="http://evil.example/w.png">',
    )
    page.get_by_text("![x](http://evil.example/z.png)").first.wait_for()
    assert page.locator("#mine, #chat-log img[src*=evil]").count() == 0
    assert not any("evil.example" in url for url in asked)


def test_an_unknown_study_in_the_address_is_said_and_the_chat_opens(page: Page, address: str) -> None:
    page.goto(f"{address}?study=NCT00000000")
    page.get_by_role("alert").wait_for()
    page.get_by_text(say("chat.ask_search", "nb")).wait_for()


def test_two_tabs_know_nothing_of_each_other(browser: Browser, address: str) -> None:
    first, second = browser.new_page(), browser.new_page()
    for tab in (first, second):
        tab.goto(address)
        tab.get_by_text(say("chat.ask_search", "nb")).wait_for()
    write(first, "jeg er 45 og har astma")
    first.get_by_text("Dette fant jeg").wait_for()
    write(second, "hva vet du om meg")
    second.get_by_text(say("chat.nothing_known", "nb")).wait_for()
    first.close()
    second.close()


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_of_passage_is_one_line_of_escaped_html(kind: Kind) -> None:
    shown = html((Passage("<b>\n\n# a", kind, "<i>\n", 'http://example.org/"x'),))
    assert "<b>" not in shown
    assert "<i>" not in shown
    assert "\n" not in shown
    assert '"x' not in shown.replace("&quot;x", "")
