"""Both faces in a real browser, on a small phone and a desk: names, contrast, order and width (axe)."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from chatting import ASTHMA, STROKE
from playwright.sync_api import Browser, Page
from served import listening

from api.app import create_app
from api.library import open_index, open_store
from api.settings import Settings
from nlp.embeddings.encoder import Encoder
from ontology.wording import say
from registry.form import sample_studies


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, toy_encoder: Encoder) -> Iterator[str]:
    """The whole application on a free port."""
    folder = tmp_path_factory.mktemp("faces")
    settings = Settings(data_dir=folder)
    studies = [*sample_studies(), ASTHMA, STROKE]
    with open_store(settings) as store:
        store.put_many(studies)
    open_index(settings, toy_encoder).update(studies)
    with listening(
        lambda home: create_app(Settings(data_dir=folder, public_url=home), encoder=toy_encoder)
    ) as address:
        yield address


def look(page: Page) -> None:
    """No violation that axe can find, and nothing beside the screen."""
    found = Axe().run(page).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"][:120]) for each in found] == []
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest.mark.parametrize("width", [320, 1200])
def test_the_form_is_walked_by_keyboard_and_the_chat_goes_on_where_it_stopped(
    width: int, browser: Browser, address: str
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, locale="nb-NO")
    page = context.new_page()
    page.goto(f"{address}/sjekk?studie={ASTHMA.id}")
    look(page)
    page.get_by_role("radio", name="Kvinne").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    page.get_by_label("Hvor gammel er du?").fill("45")
    look(page)
    page.keyboard.press("Enter")
    page.get_by_role("group", name="Har du astma?").wait_for()
    page.goto(f"{address}/sjekk/svar")
    look(page)
    page.goto(f"{address}/chat/")
    page.get_by_text(say("chat.resumed", "nb")).wait_for()
    page.get_by_role("button", name="Ja – Har du astma?").click()
    page.get_by_role("button", name="Nei – Har du hjertesvikt?").click()
    page.get_by_role("heading", name=say("chat.outcome_may_fit", "nb")).wait_for()
    page.reload()
    page.get_by_role("heading", name=say("chat.outcome_may_fit", "nb")).wait_for()
    page.goto(f"{address}/sjekk")
    page.get_by_role("heading", name=say("chat.outcome_may_fit", "nb")).wait_for()
    look(page)
    context.close()


def test_a_date_is_written_by_keyboard_and_can_be_changed_where_it_is_sent(
    browser: Browser, address: str
) -> None:
    context = browser.new_context(viewport={"width": 320, "height": 800}, locale="nb-NO")
    page = context.new_page()
    page.goto(f"{address}/sjekk?studie={STROKE.id}")
    page.get_by_label("Hvor gammel er du?").fill("45")
    page.keyboard.press("Enter")
    asked = page.get_by_label("Når hadde du sist hjerneslag?")
    asked.fill("neste uke")
    look(page)
    page.keyboard.press("Enter")
    page.get_by_text(say("chat.date_future", "nb")).wait_for()
    asked.fill("mars 2024")
    page.keyboard.press("Enter")
    page.get_by_text(say("chat.understood_date", "nb", date="mars 2024")).wait_for()
    look(page)
    page.goto(f"{address}/studier/{STROKE.id}/interesse")
    assert asked.input_value() == "mars 2024"
    look(page)
    context.close()
