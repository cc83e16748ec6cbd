"""From the first answer to the study's reply in a real browser: each page as axe reads it, on a phone."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from chatting import ASTHMA
from playwright.sync_api import Browser, Page
from served import on_a_port
from signed_in import PASSWORD
from test_screening_browser import look

from api.library import Library
from nlp.embeddings.encoder import Encoder
from ontology.wording import say
from recruitment.account import add_account, read_grant
from recruitment.invitation import choose_password, invite
from recruitment.link import Holder, mint
from recruitment.reminders import remind
from recruitment.tables import followers, interests
from registry.database import writing

PI, COORDINATOR = "pi@sykehus.example", "koordinator@sykehus.example"
SLOWEST = 30_000
"""Milliseconds that a page may take on a machine that is busy with other things."""
Looks = Callable[[Page, str], None]
"""What is done with each page, and what the page is called."""


@dataclass
class House:
    """A server, and the library that it serves."""

    home: str
    library: Library


@pytest.fixture
def house(tmp_path: Path, toy_encoder: Encoder) -> Iterator[House]:
    """Each walk has its own: the same person again would have to prove the address first."""
    with on_a_port(tmp_path, toy_encoder, [ASTHMA]) as (home, library):
        library.linker.warm()
        engine, now = library.store.engine, datetime.now(UTC)
        for email, role in ((PI, f"pi:{ASTHMA.id}"), (COORDINATOR, "coordinator")):
            made = add_account(engine, email, "Pia Utprøver", [read_grant(role)], now)
            choose_password(engine, invite(engine, made.id, now), PASSWORD, now, "nb")
        yield House(home, library)


def press(page: Page, key: str, language: str) -> None:
    page.get_by_role("button", name=say(key, language), exact=True).click()


def person(page: Page, house: House, language: str, looks: Looks) -> str:
    """A relative answers the questions, looks over what goes, and sends it; returns the own page."""
    page.goto(f"{house.home}/sjekk?studie={ASTHMA.id}&lang={language}")
    female = say("chat.choice_sex_female", language)
    page.get_by_role("radio", name=female).check()
    press(page, "screen.next", language)
    page.locator("#message").fill("45")
    press(page, "screen.next", language)
    for answer in ("chat.yes", "chat.no", "chat.yes"):
        page.get_by_role("radio", name=say(answer, language), exact=True).check()
        press(page, "screen.next", language)
    page.wait_for_url("**/interesse**")
    looks(page, "send")
    press(page, "send.show", language)
    looks(page, "send-wrong")
    page.get_by_label(say("send.sender_relative", language)).check()
    page.get_by_label(say("send.agreed", language)).check()
    page.locator("#email").fill("kari.nordmann@example.org")
    page.locator("#name").fill("Kari Nordmann")
    page.locator("#note").fill("Helst mandager. <b>Takk</b> for at dere ser på dette.")
    press(page, "send.show", language)
    looks(page, "consent")
    page.get_by_role("checkbox").check()
    press(page, "send.send", language)
    page.wait_for_url(re.compile(r"/interesse/[\w-]{43}$"))
    looks(page, "own-new")
    return page.url


def team(page: Page, house: House, language: str, looks: Looks) -> None:
    """The PI signs in, opens, looks at the contact details, begins with a template, and answers."""
    page.goto(f"{house.home}/glemt-passord?lang={language}")
    looks(page, "forgotten")
    page.goto(f"{house.home}/henvendelser?lang={language}")
    looks(page, "sign-in")
    enter(page, PI, language)
    looks(page, "inbox")
    page.locator("table a").first.click()
    looks(page, "case-cover")
    page.locator("form[action$='/apne'] button").click()
    looks(page, "case")
    page.locator("form[action$='/kontakt'] button").click()
    looks(page, "case-contact")
    page.goto(page.url.replace("/kontakt", "") + "?mal=not_suitable")
    looks(page, "case-template")
    page.locator("form[action$='/svar'] button").click()
    page.get_by_text(say("team.fill_in", language)).wait_for()
    looks(page, "case-unfinished")
    reply = page.locator("#reply")
    reply.fill(reply.input_value().replace("[…]", "HbA1c"))
    page.locator("form[action$='/svar'] button").click()
    looks(page, "case-answered")
    page.goto(f"{house.home}/tall")
    looks(page, "counts")
    page.goto(f"{house.home}/konto")
    looks(page, "account")


def coordinator(page: Page, house: House, language: str, looks: Looks) -> None:
    page.goto(f"{house.home}/koordinator?lang={language}")
    enter(page, COORDINATOR, language)
    looks(page, "coordinator")


def follower(page: Page, house: House, language: str, looks: Looks) -> None:
    page.goto(f"{house.home}/varsler?studie={ASTHMA.id}&lang={language}")
    looks(page, "follow")
    page.locator("#email").fill("ola@example.org")
    press(page, "alerts.ask", language)
    looks(page, "follow-asked")
    with writing(house.library.store.engine) as connection:
        follower_id = connection.execute(followers.select()).scalars().first()
        until = datetime.now(UTC) + timedelta(days=1)
        token = mint(connection, str(follower_id), Holder.FOLLOWER, until, mailed=True)
    page.goto(f"{house.home}/varsler/{token}")
    looks(page, "follow-confirm")
    press(page, "alerts.confirm", language)
    looks(page, "follow-own")
    page.locator("form[action$='/av'] button").click()
    looks(page, "follow-ended")


def enter(page: Page, email: str, language: str) -> None:
    page.locator("#email").fill(email)
    page.locator("#password").fill(PASSWORD)
    page.locator("main").get_by_role("button", name=say("account.sign_in", language), exact=True).click()


def unanswered(house: House) -> None:
    """Ten days go by, and nobody has answered."""
    with writing(house.library.store.engine) as connection:
        ago = datetime.now(UTC) - timedelta(days=11)
        connection.execute(interests.update().values(created_at=ago))
    for days in (3, 7, 12):
        moment = datetime.now(UTC) + timedelta(days=days)
        remind(house.library.store.engine, house.library.vault, moment, coordinator="k@sykehus.example")


def walk(browser: Browser, house: House, width: int, language: str, looks: Looks) -> None:
    """Everybody's way, each in a browser of their own."""

    def fresh() -> Page:
        context = browser.new_context(viewport={"width": width, "height": 800})
        context.set_default_timeout(SLOWEST)
        return context.new_page()

    first = fresh()
    own = person(first, house, language, looks)
    unanswered(house)
    first.goto(own)
    looks(first, "own-silence")
    coordinator(fresh(), house, language, looks)
    team(fresh(), house, language, looks)
    first.goto(own)
    looks(first, "own-answered")
    first.locator("[name=sure]").check()
    press(first, "own.withdraw_button", language)
    looks(first, "own-withdrawn")
    follower(fresh(), house, language, looks)
    for context in browser.contexts:
        context.close()


def test_no_page_on_the_way_breaks_a_rule_of_axe_or_its_width(browser: Browser, house: House) -> None:
    seen: list[str] = []

    def looks(page: Page, name: str) -> None:
        look(page)
        assert page.evaluate("document.documentElement.lang") == "nn"
        seen.append(name)

    walk(browser, house, 320, "nn", looks)
    assert len(seen) == 24
