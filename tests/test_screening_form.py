import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from chatting import ASTHMA, STROKE, Talker
from served import Page, hidden, served
from sqlalchemy import select
from starlette.testclient import TestClient

from api import cookies
from api.chat import open_desk
from api.library import Library
from chatbot.conversation import LASTS, Conversation, Memory, forget_old, keep, new_token, take_up
from chatbot.dialogue import begin, reply
from chatbot.reply import Reply
from chatbot.state import State
from nlp.embeddings.encoder import Encoder
from ontology.wording import say
from recruitment.tables import conversations
from registry.form import sample_studies

ANSWERS = {"sex": "Kvinne", "age": "45", "condition:asthma": "Ja", "condition:heart-failure": "Nei"}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, toy_encoder: Encoder) -> Iterator[TestClient]:
    with served(tmp_path_factory.mktemp("form"), toy_encoder, [*sample_studies(), ASTHMA, STROKE]) as client:
        yield client


@pytest.fixture
def client(shared: TestClient) -> TestClient:
    """A browser that has not been here before."""
    shared.cookies.clear()
    return shared


def library_of(client: TestClient) -> Library:
    library: Library = client.app.state.library  # type: ignore[attr-defined]
    return library


def send(client: TestClient, message: str, path: str = "/sjekk", field: str = "message") -> str:
    token = re.search(r'name="csrf" value="([^"]+)"', client.get("/sjekk").text)
    assert token
    return client.post(path, data={"csrf": token[1], field: message}).text


def asked(page: str) -> str:
    found = re.search(r'class="asked">([^<]+)<', page)
    return found[1] if found else ""


def test_form_and_chat_ask_the_same_and_say_the_same(client: TestClient) -> None:
    library = library_of(client)
    talker = Talker.about(open_desk(library, client.app.state.settings), ASTHMA.id)  # type: ignore[attr-defined]
    page = client.get(f"/sjekk?studie={ASTHMA.id}").text
    while talker.last.asks:
        assert asked(page) == talker.last.question
        answer = ANSWERS[talker.last.asks]
        talker.say(answer)
        page = send(client, answer)
    assert say("chat.outcome_may_fit", "nb") in page
    for passage in talker.last.passages:
        assert passage.text.split("\n")[0] in page.replace("&#34;", '"')


def test_nothing_is_chosen_before_and_choices_have_a_legend(client: TestClient) -> None:
    page = client.get(f"/sjekk?studie={ASTHMA.id}").text
    assert "<legend" in page
    assert "checked" not in page
    page = send(client, "Kvinne")
    assert 'type="number"' not in page
    assert 'inputmode="decimal"' in page
    assert 'value="0"' not in page


def test_a_date_is_written_said_back_kept_and_goes_as_it_was_understood(client: TestClient) -> None:
    client.get(f"/sjekk?studie={STROKE.id}")
    page = send(client, "45")
    assert asked(page) == "Når hadde du sist hjerneslag?"
    assert say("eligibility.help_date", "nb") in page
    assert [each.get("inputmode") for each in Page(page).all("input", id="message")] == [None]
    assert {each["value"] for each in Page(page).all("button", name="message")} >= {"Aldri", "Har det nå"}
    assert say("chat.date_future", "nb") in send(client, "neste uke")
    page = send(client, "i mars 2024")
    assert say("chat.understood_date", "nb", date="mars 2024") in page
    assert "hjerneslag, siste gang: mars 2024" in client.get("/sjekk/svar").text
    token = client.cookies[f"__Host-{cookies.CONVERSATION}"]
    again = take_up(library_of(client).store.engine, token, datetime.now(UTC))
    assert again is not None
    assert again.state.given["last_condition:stroke"] == "2024-03"

    form = f"/studier/{STROKE.id}/interesse"
    field = "answer.last_condition:stroke"
    page = client.get(form).text
    assert [each["value"] for each in Page(page).all("input", name=field)] == ["mars 2024"]
    fields = {
        "csrf": hidden(client.get(form))["csrf"],
        "email": "kari@example.org",
        "sender": "self",
        "step": "show",
    }
    wrong = client.post(form, data={**fields, field: "mars 2099"})
    assert wrong.status_code == 422
    assert say("chat.date_future", "nb") in wrong.text
    shown = client.post(form, data={**fields, field: "sommeren 2019"})
    assert "juni 2019 til august 2019" in shown.text
    assert client.post(form, data={**fields, field: "vet ikke"}).status_code == 200


def test_an_empty_answer_is_told_beside_the_question(client: TestClient) -> None:
    client.get(f"/sjekk?studie={ASTHMA.id}")
    page = send(client, " ")
    assert say("screen.choose_one", "nb") in page
    assert f"<title>{say('screen.error', 'nb')}" in page


def test_back_and_own_words_and_a_correction(client: TestClient) -> None:
    client.get(f"/sjekk?studie={ASTHMA.id}")
    first = asked(client.get("/sjekk").text)
    send(client, "Kvinne")
    assert asked(send(client, "tilbake")) == first
    assert say("glossary.placebo", "nb") in send(client, "hva betyr placebo?", field="words")
    assert asked(client.get("/sjekk").text) == first


def test_what_was_understood_is_shown_and_can_be_taken_away(client: TestClient) -> None:
    send(client, "jeg er en kvinne på 45 og har astma")
    page = client.get("/sjekk/svar").text
    assert "alder: 45" in page
    page = send(client, "age", "/sjekk/svar", "remove")
    assert "alder: 45" not in page
    assert "astma" in page.lower()


def test_an_emergency_stops_the_form_too(client: TestClient) -> None:
    page = send(client, "jeg får ikke puste")
    assert 'role="alert"' in page
    assert "113" in page
    assert "<fieldset" not in page


def test_the_address_never_says_what_was_answered(client: TestClient) -> None:
    client.get(f"/sjekk?studie={ASTHMA.id}")
    token = re.search(r'name="csrf" value="([^"]+)"', client.get("/sjekk").text)
    assert token
    answer = client.post("/sjekk", data={"csrf": token[1], "message": "Kvinne"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sjekk")


def test_an_unknown_study_is_not_found(client: TestClient) -> None:
    assert client.get("/sjekk?studie=NCT00000000").status_code == 404


def test_a_restart_loses_nothing_and_the_database_alone_tells_nothing(client: TestClient) -> None:
    send(client, "jeg er en kvinne på 45 og har astma")
    with library_of(client).store.engine.connect() as connection:
        rows = connection.execute(select(conversations)).all()
    assert rows
    assert all(b"astma" not in row.ciphertext and b"asthma" not in row.ciphertext for row in rows)
    token = client.cookies[f"__Host-{cookies.CONVERSATION}"]
    assert all(token.encode() not in row.ciphertext and token != row.id for row in rows)
    again = take_up(library_of(client).store.engine, token, datetime.now(UTC))
    assert again is not None
    assert again.state.given["age"] == 45


def test_delete_everything_deletes_it(client: TestClient) -> None:
    send(client, "jeg er en kvinne på 45 og har astma")
    token = client.cookies[f"__Host-{cookies.CONVERSATION}"]
    assert say("screen.deleted", "nb") in send(client, "all", "/sjekk/svar", "remove")
    assert take_up(library_of(client).store.engine, token, datetime.now(UTC)) is None


def test_a_conversation_is_gone_when_its_time_is_over(client: TestClient) -> None:
    engine, token, now = library_of(client).store.engine, new_token(), datetime.now(UTC)
    desk = open_desk(library_of(client), client.app.state.settings)  # type: ignore[attr-defined]
    state, answer = reply(begin(State(), desk)[0], "hba1c 58 og diabetes type 2", desk)
    keep(engine, token, Conversation(state, answer), now)
    assert take_up(engine, token, now) == Conversation(state, replace(answer, heard=""))
    assert take_up(engine, new_token(), now) is None
    assert take_up(engine, token, now + LASTS + timedelta(seconds=1)) is None
    assert forget_old(engine, now + LASTS + timedelta(seconds=1)) >= 1


def test_a_browser_without_a_cookie_is_not_remembered(client: TestClient) -> None:
    memory = Memory(library_of(client).store.engine, "conversation")
    memory.keep({}, Conversation(State(query="astma"), Reply(())))
    assert memory.take_up({}) is None


def test_the_language_of_the_address_is_that_of_the_whole_page(client: TestClient) -> None:
    page = client.get(f"/sjekk?studie={ASTHMA.id}&lang=en").text
    assert '<html lang="en">' in page
    assert '<html lang="en">' in client.get("/sjekk").text
    assert say("screen.next", "en") in page
