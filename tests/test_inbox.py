from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from interested import PERSON, REPLY, SCREENING, Postbox, register, smtp_server
from served import DIABETES, EVIL, send, served
from starlette.testclient import TestClient

from api.library import open_library
from api.settings import Settings
from nlp.embeddings.encoder import Encoder
from ontology.wording import say
from recruitment.consent import RETENTION, Consent, current_version
from recruitment.link import Holder, mint
from recruitment.screening import CriterionResult
from registry.database import writing


@dataclass(frozen=True)
class Room:
    """The application, a person's interest in a study, and the links of both."""

    client: TestClient
    inbox: str
    own: str


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, toy_encoder: Encoder) -> Iterator[TestClient]:
    with served(tmp_path_factory.mktemp("inbox"), toy_encoder) as client:
        yield client


@pytest.fixture
def room(client: TestClient) -> Room:
    return _room(client, datetime.now(UTC))


def _room(
    client: TestClient, now: datetime, lifetime: timedelta = timedelta(days=30), **changes: object
) -> Room:
    library = client.app.state.library  # type: ignore[attr-defined]  # Starlette types `app` as any ASGI
    consent = Consent(current_version(), "nb", now)
    receipt = register(
        library.store.engine, library.vault, study=DIABETES, consent=consent, now=now, **changes
    )
    with writing(library.store.engine) as connection:
        token = mint(connection, receipt.interest_id, Holder.STUDY, now + lifetime)
    return Room(client, f"/innboks/{token}", f"/interesse/{receipt.person_token}")


def test_the_link_opens_a_cover_that_tells_nothing_until_somebody_opens_it(room: Room) -> None:
    cover = room.client.get(room.inbox)
    assert PERSON.email not in cover.text
    assert say("own.new", "nb") in room.client.get(room.own).text
    opened = send(room.client, f"{room.inbox}/apne")
    assert opened.url.path == room.inbox
    for words in (
        PERSON.email,
        PERSON.name,
        "plantadiagnose",
        "Har du diabetes?",
        say("outcome.may_fit", "nb"),
    ):
        assert words in opened.text
    assert say("own.opened", "nb") in room.client.get(room.own).text


def test_the_reply_reaches_the_page_of_the_person(room: Room) -> None:
    send(room.client, f"{room.inbox}/apne")
    assert REPLY in send(room.client, f"{room.inbox}/svar", reply=REPLY).text
    own = room.client.get(room.own).text
    assert REPLY in own
    assert say("own.contacted", "nb") in own


@pytest.mark.parametrize("reply", ["", "  \n", "a" * 5_001])
def test_a_reply_that_cannot_be_sent_is_handed_back(room: Room, reply: str) -> None:
    response = send(room.client, f"{room.inbox}/svar", reply=reply)
    assert response.status_code == 422
    assert say("inbox.wrong_reply", "nb", maximum=5000) in response.text
    assert reply.strip() in response.text


def test_the_person_can_withdraw_and_the_study_then_sees_nothing(room: Room) -> None:
    send(room.client, f"{room.inbox}/apne")
    unsure = send(room.client, f"{room.own}/trekk")
    assert say("own.opened", "nb") in unsure.text
    page = send(room.client, f"{room.own}/trekk", sure="yes")
    assert say("own.withdrawn", "nb") in page.text
    assert PERSON.email not in page.text
    gone = room.client.get(room.inbox)
    other = _room(room.client, datetime.now(UTC)).own
    assert gone.status_code == 410
    assert say("inbox.withdrawn", "nb") in gone.text
    assert send(room.client, f"{room.inbox}/svar", other, reply=REPLY).status_code == 410


def test_an_old_link_opens_nothing_and_a_new_one_goes_to_the_mailbox(client: TestClient) -> None:
    room = _room(client, datetime.now(UTC), lifetime=timedelta(seconds=-1))
    page = client.get(room.inbox)
    assert page.status_code == 410
    assert say("inbox.link_expired", "nb") in page.text
    assert send(client, f"{room.inbox}/apne").status_code == 410
    assert say("inbox.renewed", "nb") in send(client, f"{room.inbox}/ny-lenke").text


def test_a_link_opens_only_the_door_it_was_made_for(room: Room) -> None:
    token, own = room.inbox.rpartition("/")[2], room.own.rpartition("/")[2]
    for path in (f"/interesse/{token}", f"/innboks/{own}", "/innboks/x", "/interesse/x"):
        assert room.client.get(path).status_code == 404
    assert send(room.client, f"/innboks/{own}/svar", room.own, reply=REPLY).status_code == 404
    assert send(room.client, f"/interesse/{token}/trekk", room.own).status_code == 404


def test_personal_pages_are_kept_by_no_cache_and_listed_nowhere(room: Room) -> None:
    for path in (room.inbox, room.own):
        headers = room.client.get(path).headers
        assert headers["cache-control"] == "no-store"
        assert headers["x-robots-tag"] == "noindex"


def test_another_site_cannot_withdraw_or_reply_for_somebody(room: Room) -> None:
    elsewhere = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    assert room.client.post(f"{room.own}/trekk", data={"sure": "yes"}, headers=elsewhere).status_code == 403
    assert room.client.post(f"{room.inbox}/svar", data={"reply": "Nei"}, headers=elsewhere).status_code == 403
    assert say("own.new", "nb") in room.client.get(room.own).text


def test_what_a_person_or_a_study_writes_is_never_run(client: TestClient) -> None:
    screening = replace(SCREENING, criteria=(CriterionResult(EVIL, "inclusion", "unknown", EVIL),))
    room = _room(client, datetime.now(UTC), person=replace(PERSON, name=EVIL), screening=screening)
    assert "<script>" not in send(client, f"{room.inbox}/apne").text
    assert "<script>" not in send(client, f"{room.inbox}/svar", reply=EVIL).text
    assert "<script>" not in client.get(room.own).text


def test_mail_leaves_by_itself_with_a_link_that_works(tmp_path: Path, toy_encoder: Encoder) -> None:
    postbox = Postbox()
    with smtp_server(postbox) as port:
        smtp = f"smtp://127.0.0.1:{port}?tls=none"
        with served(tmp_path, toy_encoder, [DIABETES], smtp_url=smtp, mail_from="post@studievei.example"):
            pass
        settings = Settings(data_dir=tmp_path)
        now = datetime.now(UTC)
        with open_library(settings, toy_encoder) as library:
            consent = Consent(current_version(), "nb", now)
            register(library.store.engine, library.vault, study=DIABETES, consent=consent, now=now)
        with served(
            tmp_path, toy_encoder, [DIABETES], smtp_url=smtp, mail_from="post@studievei.example"
        ) as client:
            mails = [postbox.wait_for(address) for address in (DIABETES.mailbox, PERSON.email)]
            for mail in mails:
                words = mail.get_content().split()
                link = next(word for word in words if word.startswith("https://studievei.example/"))
                assert client.get(link).status_code == 200
                assert PERSON.email not in mail.get_content()


def test_what_has_expired_is_deleted_when_the_server_starts(tmp_path: Path, toy_encoder: Encoder) -> None:
    with served(tmp_path, toy_encoder, [DIABETES]) as client:
        room = _room(client, datetime.now(UTC) - RETENTION - timedelta(days=1))
    with served(tmp_path, toy_encoder, [DIABETES]) as client:
        assert client.get(room.own).status_code == 404
