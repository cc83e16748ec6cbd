"""Showing interest on a page, as a browser without scripts does it: change, see, consent, send, take back."""

import json
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from httpx import Response
from served import DIABETES, EVIL, HOSTILE, Page, filled, hidden, send, served
from sqlalchemy import delete
from starlette.testclient import TestClient

from api.chat import open_desk
from api.draft import fields_of
from chatbot.state import State
from nlp.embeddings.encoder import Encoder
from ontology.wording import say
from recruitment.admission import LIMITS
from recruitment.interest import list_for_study
from recruitment.tables import attempts, interests, links, messages
from registry.database import writing

ACTION = f"/studier/{DIABETES.id}/interesse"
FIELDS = {
    "answer.age": "54",
    "answer.condition:diabetes-type-2": "yes",
    "email": "kari.planta@example.org",
    "sender": "self",
    "note": "Plantanotat: kan bare på mandager.",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, toy_encoder: Encoder) -> Iterator[TestClient]:
    with served(tmp_path_factory.mktemp("sending"), toy_encoder, [DIABETES, HOSTILE]) as client:
        yield client


@pytest.fixture
def client(server: TestClient) -> TestClient:
    """The server with nothing sent yet."""
    with writing(server.app.state.library.store.engine) as connection:  # type: ignore[attr-defined]
        for table in (links, messages, interests, attempts):
            connection.execute(delete(table))
    return server


def post(client: TestClient, **fields: str) -> Response:
    """What the form at ACTION answers, as sent from its own page; redirects are not followed."""
    token = Page(client.get(ACTION).text).all("input", name="csrf")[0]["value"]
    return client.post(ACTION, data={"csrf": token, **fields}, follow_redirects=False)


def sent(client: TestClient, **changes: str) -> Response:
    """Goes the whole way with the usual fields."""
    shown = post(client, **(FIELDS | {"step": "show"} | changes))
    assert shown.status_code == 200, Page(shown.text).words
    return post(client, **(hidden(shown) | {"step": "send", "consent": "yes"}))


def stored(client: TestClient) -> int:
    library = client.app.state.library  # type: ignore[attr-defined]  # Starlette types `app` as any ASGI
    return len(list_for_study(library.store.engine, DIABETES.id))


def test_from_a_studys_page_to_the_own_page(client: TestClient) -> None:
    assert ACTION in client.get(f"/studier/{DIABETES.id}").text
    answer = sent(client)
    assert answer.status_code == 303
    own = client.get(answer.headers["location"]).text
    for words in ("54", FIELDS["email"], FIELDS["note"], say("own.new", "nb")):
        assert words in own
    copy = client.get(answer.headers["location"] + "/kopi")
    assert copy.headers["content-disposition"].startswith("attachment")
    document = json.loads(copy.text)
    assert document["person"]["email"] == FIELDS["email"]
    assert document["screening"]["note"] == FIELDS["note"]
    assert {each["kind"] for each in document["messages"]} == {"interest", "receipt"}


def test_nothing_is_ticked_or_chosen_beforehand(client: TestClient) -> None:
    empty, shown = client.get(ACTION), post(client, **FIELDS, step="show")
    for page in (empty, shown):
        boxes = [box for kind in ("radio", "checkbox") for box in Page(page.text).all("input", type=kind)]
        assert boxes
        assert not any("checked" in box for box in boxes)


def test_nothing_is_stored_before_consent(client: TestClient) -> None:
    shown = post(client, **FIELDS, step="show")
    refused = post(client, **(hidden(shown) | {"step": "send"}))
    assert refused.status_code == 422
    assert say("send.no_consent", "nb") in refused.text
    assert stored(client) == 0
    assert post(client, **hidden(refused), consent="yes").status_code == 303
    assert stored(client) == 1


def test_what_is_changed_before_sending_is_what_goes(client: TestClient) -> None:
    shown = post(client, **FIELDS, step="show")
    assert "54" in shown.text
    again = post(client, **(hidden(shown) | {"step": "edit"}))
    assert 'value="54"' in again.text
    answer = sent(client, **{"answer.age": "", "answer.condition:diabetes-type-2": "no"})
    own = client.get(answer.headers["location"] + "/kopi").json()
    assert [answer for _, answer in own["screening"]["answers"]] == [False]
    assert own["screening"]["outcome"] == "probably_not"


def screened(client: TestClient, *messages: str) -> Response:
    """The page to send from, after a pre-screening of the study on the form of this browser."""
    client.cookies.clear()
    client.get(f"/sjekk?studie={DIABETES.id}")
    for message in messages:
        page = send(client, "/sjekk", "/sjekk", message=message)
    return page


def test_a_pre_screening_hands_over_what_it_knows_and_the_person_may_change_it(client: TestClient) -> None:
    page = screened(client, "54", "ja", "nei", "vet ikke", "ja")
    assert page.url.path == ACTION
    assert filled(page) == {
        "answer.age": "54",
        "answer.condition:diabetes-type-2": "yes",
        "answer.condition:myocardial-infarction": "no",
        "answer.pregnancy": "unknown",
    }
    form = filled(page) | {"answer.age": "55", "email": "kari@example.org", "sender": "self"}
    shown = post(client, **form, step="show")
    own = post(client, **(hidden(shown) | {"step": "send", "consent": "yes"})).headers["location"]
    kept = client.get(f"{own}/kopi").json()["screening"]
    assert dict(map(tuple, kept["answers"]))["Hvor gammel er du?"] == 55
    assert len(kept["answers"]) == 4


def test_who_told_that_it_is_for_another_says_so_where_it_is_sent(client: TestClient) -> None:
    page = screened(client, "det gjelder mora mi på 54", "ja", "nei", "vet ikke", "ja")
    assert filled(page)["sender"] == "relative"
    assert "agreed" not in filled(page)
    form = filled(page) | {"email": "kari@example.org", "step": "show"}
    assert post(client, **form).status_code == 422
    assert post(client, **form, agreed="yes").status_code == 200


def test_what_was_told_by_another_name_is_handed_over_when_it_bears_on_the_study(client: TestClient) -> None:
    library, settings = client.app.state.library, client.app.state.settings  # type: ignore[attr-defined]
    told = {
        "condition:migraine": True,
        "condition:myocardial-infarction-stemi": True,
        "condition:diabetes-type-2": True,
        "hba1c": 7.5,
    }
    state = State(study=DIABETES.id, answers=tuple(told.items()))
    fields = fields_of(state, DIABETES, open_desk(library, settings), "nb")
    assert set(fields) == {"answer.condition:myocardial-infarction-stemi", "answer.condition:diabetes-type-2"}
    assert fields_of(replace(state, study="OTHER"), DIABETES, open_desk(library, settings), "nb") == {}
    own = client.get(sent(client, **fields).headers["location"] + "/kopi").json()
    assert own["screening"]["outcome"] == "probably_not"


@pytest.mark.parametrize(
    "name", ["condition", "condition:x", "age:x", "drug:insulin@x", "drug:insulin@" + "9" * 5000]
)
def test_a_field_of_a_fact_that_there_is_not_is_left_alone(client: TestClient, name: str) -> None:
    shown = post(client, **(FIELDS | {f"answer.{name}": "yes"}), step="show")
    assert shown.status_code == 200
    assert len(Page(shown.text).all("table")) == 2


def test_another_browser_is_handed_nothing(client: TestClient) -> None:
    assert filled(screened(client, "54", "ja", "nei", "vet ikke", "ja"))
    client.cookies.clear()
    assert filled(client.get(ACTION)) == {}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"email": ""}, "interest.no_contact"),
        ({"email": "kari"}, "interest.bad_email"),
        ({"email": "a@example.org\r\nBcc: b@example.org"}, "interest.bad_email"),
        ({"phone": "ring meg"}, "interest.bad_phone"),
        ({"sender": ""}, "send.wrong_sender"),
        ({"sender": "<script>"}, "send.wrong_sender"),
        ({"sender": "clinician"}, "send.wrong_agreed"),
        ({"answer.condition:diabetes-type-2": "kanskje"}, "send.wrong_answer"),
        ({"note": "Jeg er født 150750 12345"}, "gp.identity_number"),
    ],
)
def test_what_cannot_be_sent_is_handed_back_with_the_reason(
    client: TestClient, change: dict[str, str], complaint: str
) -> None:
    page = post(client, **(FIELDS | change), step="show")
    assert page.status_code == 422
    assert say(complaint, "nb") in Page(page.text).words
    assert stored(client) == 0


@pytest.mark.parametrize("age", ["-1", "1e9", "nan", "inf", "femti", "9" * 400])
def test_an_age_that_nobody_has_is_handed_back(client: TestClient, age: str) -> None:
    page = post(client, **(FIELDS | {"answer.age": age}), step="show")
    assert page.status_code == 422
    assert stored(client) == 0


@pytest.mark.parametrize("sender", ["relative", "clinician"])
def test_who_writes_for_somebody_else_says_so_and_the_study_sees_it(client: TestClient, sender: str) -> None:
    own = client.get(sent(client, sender=sender, agreed="yes").headers["location"]).text
    assert say(f"send.by_{sender}", "nb") in own


def test_html_in_free_text_stays_text(client: TestClient) -> None:
    shown = post(client, **(FIELDS | {"note": EVIL, "name": EVIL}), step="show")
    own = client.get(sent(client, note=EVIL, name=EVIL).headers["location"])
    for page in (shown, own):
        assert "<script>" not in page.text
        assert "alert(1)" in page.text


def test_huge_texts_are_refused(client: TestClient) -> None:
    assert post(client, **(FIELDS | {"note": "x" * 1_001}), step="show").status_code == 422
    assert post(client, **(FIELDS | {"note": "x" * 2_000_000}), step="show").status_code in {400, 413}
    many = {f"answer.x{number}": "yes" for number in range(500)}
    assert post(client, **(FIELDS | many), step="show").status_code in {400, 422}
    assert stored(client) == 0


def test_the_same_form_sent_twice_is_one_interest(client: TestClient) -> None:
    shown = post(client, **FIELDS, step="show")
    form = hidden(shown) | {"step": "send", "consent": "yes"}
    assert [post(client, **form).status_code for _ in range(3)] == [303] * 3
    assert stored(client) == 1
    changed = post(client, **(form | {"note": "noe annet"}))
    assert changed.status_code == 422
    assert stored(client) == 1


def test_consent_to_an_older_text_or_none_is_refused(client: TestClient) -> None:
    form = hidden(post(client, **FIELDS, step="show")) | {"step": "send", "consent": "yes"}
    for change in ({"version": "2019-01-01"}, {"version": ""}, {"submission": "short"}):
        assert post(client, **(form | change)).status_code == 422
    assert stored(client) == 0


def test_spam_from_one_address_is_stopped_with_a_clear_word(client: TestClient) -> None:
    answers = [sent(client, note=str(number)).status_code for number in range(LIMITS.of_address + 2)]
    assert answers == [303] * LIMITS.of_address + [422] * 2


def test_no_answer_contact_or_word_is_ever_in_an_address(client: TestClient) -> None:
    location = urlsplit(sent(client).headers["location"])
    assert (location.query, location.path.count("/")) == ("", 2)
    page = Page(client.get(location.path).text)
    links = [str(link["href"]) for link in page.all("a") if not str(link["href"]).startswith("mailto:")]
    assert not any(word in link for link in links for word in ("=54", "Plantanotat", "kari.planta"))


def test_a_form_from_elsewhere_or_without_its_token_sends_nothing(client: TestClient) -> None:
    form = hidden(post(client, **FIELDS, step="show")) | {"step": "send", "consent": "yes"}
    assert client.post(ACTION, data=form | {"csrf": "x"}).status_code == 403
    elsewhere = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    assert client.post(ACTION, data=form, headers=elsewhere).status_code == 403
    assert stored(client) == 0


def test_a_study_that_takes_nobody_in_has_no_form(client: TestClient) -> None:
    page = client.get("/studier/NCT-2/interesse")
    assert page.status_code == 200
    assert say("send.closed", "nb") in page.text
    assert not Page(page.text).all("textarea")
    assert client.get("/studier/NONE/interesse").status_code == 404


@pytest.mark.parametrize("token", ["x", "a" * 43, "../../etc/passwd", "%00", "å" * 500])
def test_links_cannot_be_guessed(client: TestClient, token: str) -> None:
    for path in (f"/interesse/{token}", f"/interesse/{token}/kopi", f"/varsler/{token}"):
        assert client.get(path).status_code == 404
