import hashlib
import logging
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from interested import (
    DATABASES,
    LETTERHEAD,
    NOW,
    PERSON,
    PLANTED,
    REPLY,
    SCREENING,
    STUDY,
    Postbox,
    consent,
    migrated,
    register,
    smtp_server,
)
from sqlalchemy import Engine, event, inspect, select, text

from ontology.errors import BadInput, Mismatch, Unavailable
from ontology.wording import LANGUAGES, catalogue
from recruitment.channel import Security, SmtpChannel
from recruitment.consent import (
    RETENTION,
    Consent,
    consent_text,
    current_version,
    retention_days,
    set_retention_days,
)
from recruitment.deletion import delete_expired
from recruitment.interest import (
    REPLY_LIMIT,
    Status,
    answer_interest,
    find_interest,
    list_for_study,
    open_interest,
    read_interest,
    renew_link,
    withdraw,
)
from recruitment.link import Holder, follow
from recruitment.outbox import deliver_due, outbox_state
from recruitment.person import Person, Sender, checked, checked_email
from recruitment.screening import Screening
from recruitment.tables import interests, links, messages, replies
from recruitment.vault import Vault
from registry.study import Contact
from registry.study import Status as StudyStatus

LATER = NOW + timedelta(hours=1)
VAULT = Vault(b"k" * 32)


@pytest.fixture(params=DATABASES)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    with migrated(request.param, tmp_path) as store:
        yield store.engine


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Engine]:
    with migrated("sqlite", tmp_path) as store:
        yield store.engine


def rows(engine: Engine) -> dict[str, int]:
    """How many rows each table of this room holds."""
    with engine.connect() as connection:
        return {
            table.name: len(connection.execute(select(table)).all())
            for table in (interests, replies, links, messages)
        }


def study_token(postbox: Postbox) -> str:
    """The secret part of the newest link that the study was sent."""
    return _newest(postbox, "/innboks/")


def own_token(postbox: Postbox) -> str:
    """The secret part of the newest link that the person was sent."""
    return _newest(postbox, "/min/")


def _newest(postbox: Postbox, place: str) -> str:
    texts = [mail.get_content() for mail in postbox.kept]
    return [text.split(place)[1].split()[0] for text in texts if place in text][-1]


@pytest.fixture
def postbox() -> Postbox:
    return Postbox()


@pytest.fixture
def channel(postbox: Postbox) -> Iterator[SmtpChannel]:
    with smtp_server(postbox) as port:
        yield SmtpChannel("127.0.0.1", port, Security.NONE)


def deliver(engine: Engine, channel: SmtpChannel, now=NOW) -> int:
    return deliver_due(engine, channel, vault=VAULT, letterhead=LETTERHEAD, now=now).sent


def test_from_interested_to_answered(engine: Engine, postbox: Postbox, channel: SmtpChannel) -> None:
    receipt = register(engine, VAULT)
    (listed,) = list_for_study(engine, STUDY.id)
    assert (listed.id, listed.status, listed.consent) == (receipt.interest_id, Status.NEW, consent())
    assert deliver(engine, channel) == 2
    assert {mail["To"] for mail in postbox.kept} == {STUDY.mailbox, PERSON.email}

    access = follow(engine, study_token(postbox), Holder.STUDY, LATER)
    opened = open_interest(engine, VAULT, access.interest_id, LATER)
    assert opened.person == replace(PERSON, phone="+4740012345")
    assert opened.screening == SCREENING
    assert (opened.interest.status, opened.interest.opened_at) == (Status.OPENED, LATER)

    answered = answer_interest(engine, VAULT, access.interest_id, f"  {REPLY}\r\n", LATER)
    assert (answered.status, answered.expires_at) == (Status.CONTACTED, LATER + RETENTION)
    assert deliver(engine, channel, LATER) == 1
    assert postbox.kept[2]["To"] == PERSON.email
    mailed = own_token(postbox)
    for token in (receipt.person_token, mailed):
        own = follow(engine, token, Holder.PERSON, NOW + RETENTION)
        (reply,) = read_interest(engine, VAULT, own.interest_id, NOW + RETENTION).replies
        assert (reply.text, reply.written_at) == (REPLY, LATER)
    assert open_interest(engine, VAULT, access.interest_id, LATER).interest.status is Status.CONTACTED


def test_nothing_planted_can_be_read_in_database_log_or_mail(
    engine: Engine, postbox: Postbox, channel: SmtpChannel, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    receipt = register(engine, VAULT)
    register(engine, VAULT, person=replace(PERSON, name=""))
    logging.getLogger("recruitment").info("%r %r %r", receipt, PERSON, SCREENING)
    postbox.answer = "550 no such user here: kari.planta@example.org"
    deliver(engine, channel)
    postbox.answer = "451 kari.planta@example.org is busy"
    opened = open_interest(engine, VAULT, receipt.interest_id, NOW)
    answer_interest(engine, VAULT, receipt.interest_id, REPLY, NOW)
    logging.getLogger("recruitment").info("%r %s", opened, outbox_state(engine))
    deliver(engine, channel)
    postbox.answer = "250 OK"
    deliver(engine, channel, NOW + timedelta(days=1))
    assert [mail["To"] for mail in postbox.kept] == [PERSON.email]

    logged = "\n".join(map(caplog.handler.format, filter(is_ours, caplog.records)))
    assert "message" in logged
    mails = "".join(postbox.texts).replace(PERSON.email, "", 1)  # its own address, in To
    kept = stored_bytes(engine, tmp_path)
    assert STUDY.id.encode() in kept
    for planted in PLANTED:
        assert planted not in logged
        assert planted not in mails
        assert planted.encode() not in kept
    for token in (receipt.person_token, postbox.kept[0].get_content().split("/min/")[1].split()[0]):
        assert token.encode() not in kept


def is_ours(record: logging.LogRecord) -> bool:
    """Not written by the SMTP server of the test, which logs all it hears."""
    return record.name != "mail.log"


def stored_bytes(engine: Engine, folder: Path) -> bytes:
    """All bytes of the database: the files of SQLite, every value of PostgreSQL."""
    if engine.dialect.name == "sqlite":
        return b"".join(file.read_bytes() for file in folder.glob("studievei.db*"))
    with engine.connect() as connection:
        tables = inspect(connection).get_table_names()
        values = [
            value
            for table in tables
            for row in connection.execute(text(f"SELECT * FROM {table}"))  # noqa: S608  (names from the database)
            for value in row
        ]
    return b"\n".join(bytes(value) if isinstance(value, bytes) else str(value).encode() for value in values)


def test_a_double_click_makes_one_interest_and_both_links_work(engine: Engine) -> None:
    submission = secrets.token_urlsafe(24)
    with ThreadPoolExecutor(8) as pool:
        receipts = list(pool.map(lambda _: register(engine, VAULT, submission=submission), range(8)))
    assert len({receipt.interest_id for receipt in receipts}) == 1
    assert rows(engine) == {"interests": 1, "replies": 0, "links": 8, "messages": 2}
    for receipt in receipts:
        assert follow(engine, receipt.person_token, Holder.PERSON, NOW).interest_id == receipt.interest_id


@pytest.mark.parametrize(
    "change",
    [
        {"person": Person(email="en.annen@example.org")},
        {"screening": Screening(outcome="unclear")},
        {"study": replace(STUDY, id="EKS-0002")},
    ],
)
def test_one_form_cannot_send_two_different_things(sqlite: Engine, change: dict[str, object]) -> None:
    submission = secrets.token_urlsafe(24)
    first = register(sqlite, VAULT, submission=submission)
    with pytest.raises(BadInput, match="allerede sendt"):
        register(sqlite, VAULT, submission=submission, **change)
    assert open_interest(sqlite, VAULT, first.interest_id, NOW).person.name == PERSON.name
    assert rows(sqlite)["interests"] == 1


def test_a_form_sent_again_after_withdrawal_does_not_come_back(sqlite: Engine) -> None:
    submission = secrets.token_urlsafe(24)
    receipt = register(sqlite, VAULT, submission=submission)
    withdraw(sqlite, VAULT, receipt.interest_id, NOW)
    with pytest.raises(BadInput, match="allerede sendt"):
        register(sqlite, VAULT, submission=submission)


def test_a_full_outbox_takes_nothing_and_says_so(engine: Engine) -> None:
    first = register(engine, VAULT, outbox_limit=1)
    before = rows(engine)
    with pytest.raises(Unavailable, match="Ingenting er lagret"):
        register(engine, VAULT, outbox_limit=1)
    with pytest.raises(Unavailable, match="Ingenting er lagret"):
        answer_interest(engine, VAULT, first.interest_id, REPLY, NOW, outbox_limit=1)
    assert rows(engine) == before
    assert find_interest(engine, first.interest_id).status is Status.NEW
    assert withdraw(engine, VAULT, first.interest_id, NOW).status is Status.WITHDRAWN


def test_a_full_disk_leaves_nothing_half_done(sqlite: Engine) -> None:
    @event.listens_for(sqlite, "connect")
    def fill_up(connection, _record) -> None:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages + 3}")

    sqlite.dispose()
    long = Screening("unclear", answers=(("Annet?", "å" * 20_000),))
    with pytest.raises(Unavailable, match="full"):
        register(sqlite, VAULT, screening=long)
    assert set(rows(sqlite).values()) == {0}


def test_a_study_without_a_mailbox_tells_how_to_reach_it(sqlite: Engine) -> None:
    closed_box = replace(STUDY, mailbox="", contacts=(Contact(name="Studiesykepleier", phone="22 00 00 00"),))
    with pytest.raises(BadInput, match="Studiesykepleier, 22 00 00 00"):
        register(sqlite, VAULT, study=closed_box)
    with pytest.raises(BadInput, match="Ask your doctor"):
        register(sqlite, VAULT, study=replace(STUDY, mailbox=""), consent=consent("en"))
    with pytest.raises(BadInput, match="tar ikke imot"):
        register(sqlite, VAULT, study=replace(closed_box, mailbox="a@b.example\nBcc: c@d.example"))
    assert rows(sqlite)["interests"] == 0


@pytest.mark.parametrize("status", [StudyStatus.ONGOING, StudyStatus.COMPLETED, StudyStatus.UNDER_REVIEW])
def test_a_study_that_takes_nobody_in_gets_no_enquiries(sqlite: Engine, status: StudyStatus) -> None:
    with pytest.raises(BadInput, match="tar ikke inn flere"):
        register(sqlite, VAULT, study=replace(STUDY, status=status))


@pytest.mark.parametrize("change", [{"version": "2019-01-01"}, {"language": "xx"}])
def test_consent_to_another_text_is_no_consent(sqlite: Engine, change: dict[str, str]) -> None:
    with pytest.raises(BadInput, match="Les den på nytt"):
        register(sqlite, VAULT, consent=replace(consent(), **change))
    assert rows(sqlite)["interests"] == 0


@pytest.mark.parametrize(
    ("person", "complaint"),
    [
        (Person(name="Kari"), "e-postadressen eller telefonnummeret"),
        (Person(email="  ", phone=" "), "e-postadressen eller telefonnummeret"),
        (Person(email="kari"), "e-postadresse"),
        (Person(email="kari@localhost"), "e-postadresse"),
        (Person(email="a@example.org, b@example.org"), "e-postadresse"),
        (Person(email="a@example.org\r\nBcc: b@example.org"), "e-postadresse"),
        (Person(email="Kari <a@example.org>"), "e-postadresse"),
        (Person(email=f"{'a' * 65}@example.org"), "e-postadresse"),
        (Person(email="a@example.org\x00"), "e-postadresse"),
        (Person(email="\ud800@example.org"), "e-postadresse"),
        (Person(phone="ring meg"), "telefonnummer"),
        (Person(phone="112"), "telefonnummer"),
        (Person(phone="٤٠٠٠٠٠٠٠"), "telefonnummer"),
        (Person(phone="40000000", name="Kari\nBcc: b@example.org"), "Navnet"),
        (Person(phone="40000000", name="K" * 201), "Navnet"),
        (Person(phone="40000000", name="\ud800"), "Navnet"),
    ],
)
def test_contact_details_that_cannot_be_used_are_explained(
    sqlite: Engine, person: Person, complaint: str
) -> None:
    with pytest.raises(BadInput, match=complaint):
        register(sqlite, VAULT, person=person)
    assert rows(sqlite)["interests"] == 0


@pytest.mark.parametrize(
    ("person", "tidy"),
    [
        (Person(email=" ola+studie@example.org "), Person(email="ola+studie@example.org")),
        (Person(email="ola@blåbær.example"), Person(email="ola@xn--blbr-roah.example")),
        (Person(phone="(+47) 400.00-000"), Person(phone="+4740000000")),
        (Person(phone="40000000", name=" Ærlend Ødegård "), Person(phone="40000000", name="Ærlend Ødegård")),
    ],
)
def test_contact_details_are_tidied(person: Person, tidy: Person) -> None:
    assert checked(person, "nb") == tidy


@given(st.text(st.sampled_from("ab@.,;:<> \r\n\t\0ø\"'\\()[]-_+"), max_size=20))
def test_no_accepted_address_can_end_a_header(typed: str) -> None:
    try:
        address = checked_email(typed, "nb")
    except BadInput:
        return
    assert address.isascii()
    assert address.count("@") == 1
    assert not set(address) & set('\r\n\0 ,;:<>"\\()[]')


def test_too_much_is_refused(sqlite: Engine) -> None:
    with pytest.raises(BadInput, match="for langt"):
        register(sqlite, VAULT, screening=Screening("unclear", answers=(("?", "x" * 200_000),)))
    interest_id = register(sqlite, VAULT).interest_id
    for reply, complaint in (("x" * (REPLY_LIMIT + 1), "for langt"), (" \r\n", "Skriv et svar")):
        with pytest.raises(BadInput, match=complaint):
            answer_interest(sqlite, VAULT, interest_id, reply, NOW)
    assert find_interest(sqlite, interest_id).status is Status.NEW


@pytest.mark.parametrize("submission", ["", "for-kort", "x" * 201])
def test_a_submission_key_that_can_be_guessed_is_refused(sqlite: Engine, submission: str) -> None:
    with pytest.raises(BadInput, match="22 to 200"):
        register(sqlite, VAULT, submission=submission)


def test_a_link_opens_for_its_holder_only_and_for_a_time(
    sqlite: Engine, postbox: Postbox, channel: SmtpChannel
) -> None:
    receipt = register(sqlite, VAULT)
    deliver(sqlite, channel)
    token = study_token(postbox)
    assert len(token) >= 43  # 256 bits in base64
    wrong = ((receipt.person_token, Holder.STUDY), (token, Holder.PERSON), ("\ud800", Holder.STUDY))
    for other, holder in wrong:
        with pytest.raises(BadInput, match="not known"):
            follow(sqlite, other, holder, NOW)
    after = NOW + timedelta(days=30, seconds=1)
    with pytest.raises(BadInput, match="expired"):
        follow(sqlite, token, Holder.STUDY, after)

    renew_link(sqlite, VAULT, token, after)
    renew_link(sqlite, VAULT, token, after)
    assert deliver(sqlite, channel, after) == 1
    assert postbox.kept[-1]["To"] == STUDY.mailbox
    assert follow(sqlite, study_token(postbox), Holder.STUDY, after).interest_id == receipt.interest_id


def test_only_a_phone_number_means_no_mail_to_the_person(sqlite: Engine) -> None:
    interest_id = register(sqlite, VAULT, person=Person(phone="40012345")).interest_id
    answer_interest(sqlite, VAULT, interest_id, REPLY, NOW)
    assert rows(sqlite)["messages"] == 1
    assert len(read_interest(sqlite, VAULT, interest_id, NOW).replies) == 1


def test_the_same_answer_twice_is_one_answer_and_another_is_two(engine: Engine) -> None:
    interest_id = register(engine, VAULT).interest_id
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: answer_interest(engine, VAULT, interest_id, REPLY, NOW), range(4)))
    assert rows(engine)["replies"] == 1
    assert rows(engine)["messages"] == 3
    answer_interest(engine, VAULT, interest_id, "Studien er full.", LATER)
    texts = [reply.text for reply in read_interest(engine, VAULT, interest_id, LATER).replies]
    assert texts == [REPLY, "Studien er full."]


def test_withdrawing_deletes_at_once_and_tells_a_study_that_has_read_it(
    engine: Engine, postbox: Postbox, channel: SmtpChannel
) -> None:
    read, unread = register(engine, VAULT), register(engine, VAULT)
    deliver(engine, channel)
    open_interest(engine, VAULT, read.interest_id, NOW)
    answer_interest(engine, VAULT, read.interest_id, REPLY, NOW)
    for receipt in (read, unread, read):
        assert withdraw(engine, VAULT, receipt.interest_id, LATER).status is Status.WITHDRAWN
    for look in (open_interest, read_interest):
        with pytest.raises(BadInput, match="trukket"):
            look(engine, VAULT, read.interest_id, LATER)
    with pytest.raises(BadInput, match="trukket"):
        answer_interest(engine, VAULT, read.interest_id, REPLY, LATER)
    with engine.connect() as connection:
        assert connection.execute(select(interests.c.sealed)).scalars().all() == [None, None]
    assert (rows(engine)["replies"], outbox_state(engine).sent, outbox_state(engine).pending) == (0, 4, 1)
    assert deliver(engine, channel, LATER) == 1
    assert postbox.kept[-1]["To"] == STUDY.mailbox
    assert "trukket" in postbox.kept[-1]["Subject"]
    own = follow(engine, read.person_token, Holder.PERSON, LATER)
    assert find_interest(engine, own.interest_id).status is Status.WITHDRAWN


def test_answering_counts_as_having_read(sqlite: Engine) -> None:
    interest_id = register(sqlite, VAULT).interest_id
    assert answer_interest(sqlite, VAULT, interest_id, REPLY, LATER).opened_at == LATER
    assert answer_interest(sqlite, VAULT, interest_id, "Til.", NOW + timedelta(days=1)).opened_at == LATER


def test_what_has_expired_is_deleted_and_the_rest_stays(engine: Engine, tmp_path: Path) -> None:
    old, answered, withdrawn = (register(engine, VAULT) for _ in range(3))
    young = register(engine, VAULT, now=LATER)
    answer_interest(engine, VAULT, answered.interest_id, REPLY, LATER)
    withdraw(engine, VAULT, withdrawn.interest_id, LATER)
    end = NOW + RETENTION
    with pytest.raises(BadInput, match="for gammel"):
        read_interest(engine, VAULT, old.interest_id, end)

    assert delete_expired(engine, end) == 1
    assert delete_expired(engine, end) == 0
    assert rows(engine) == {"interests": 4, "replies": 1, "links": 2, "messages": 5}
    statuses = {found.id: found.status for found in list_for_study(engine, STUDY.id)}
    assert statuses == {
        old.interest_id: Status.EXPIRED,
        answered.interest_id: Status.CONTACTED,
        withdrawn.interest_id: Status.WITHDRAWN,
        young.interest_id: Status.NEW,
    }
    assert delete_expired(engine, end + timedelta(hours=1)) == 2
    assert rows(engine) == {"interests": 4, "replies": 0, "links": 0, "messages": 0}


def test_sealed_answers_moved_to_another_interest_are_noticed(sqlite: Engine) -> None:
    one, other = register(sqlite, VAULT), register(sqlite, VAULT)
    with sqlite.begin() as connection:
        sealed = select(interests.c.sealed).where(interests.c.id == one.interest_id).scalar_subquery()
        connection.execute(
            interests.update().where(interests.c.id == other.interest_id).values(sealed=sealed)
        )
    assert open_interest(sqlite, VAULT, one.interest_id, NOW).person.name == PERSON.name
    with pytest.raises(Mismatch, match="changed or moved"):
        open_interest(sqlite, VAULT, other.interest_id, NOW)
    assert find_interest(sqlite, other.interest_id).status is Status.NEW


def test_another_key_opens_nothing_and_says_which_remedy(sqlite: Engine) -> None:
    receipt = register(sqlite, VAULT)
    with pytest.raises(Mismatch, match="Put the key back"):
        open_interest(sqlite, Vault(b"x" * 32), receipt.interest_id, NOW)


def test_an_interest_that_is_not_there_is_said_so(sqlite: Engine) -> None:
    for ask in (
        lambda: find_interest(sqlite, "none"),
        lambda: open_interest(sqlite, VAULT, "none", NOW),
        lambda: withdraw(sqlite, VAULT, "none", NOW),
        lambda: answer_interest(sqlite, VAULT, "none", REPLY, NOW),
    ):
        with pytest.raises(BadInput, match="no such interest"):
            ask()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_consent_text_says_what_whom_why_how_long_and_how_to_withdraw(language: str) -> None:
    shown = consent_text(STUDY, language)
    assert shown.version == current_version()
    assert len(shown.sections) == 5
    for said in (STUDY.title, STUDY.id, STUDY.mailbox, "90"):
        assert said in shown.text
    assert "{" not in shown.text


def test_a_changed_consent_wording_has_a_new_version() -> None:
    wording = {key: value for key, value in catalogue().items() if key.startswith("consent.")}
    digest = hashlib.sha256(repr(sorted(wording.items())).encode()).hexdigest()
    assert digest[:12] == "1349873668e9", (
        "The wording changed: raise consent.version, then put the new digest here."
    )


def test_each_study_keeps_for_as_long_as_its_consent_said(engine: Engine) -> None:
    set_retention_days(engine, STUDY.id, 30)
    with pytest.raises(BadInput, match="Les den på nytt"):
        register(engine, VAULT)
    shown = consent_text(STUDY, "nb", retention_days(engine, STUDY.id))
    assert "30 dager" in shown.text
    receipt = register(engine, VAULT, consent=Consent(shown.version, "nb", NOW))
    set_retention_days(engine, STUDY.id, 300)
    answered = answer_interest(engine, VAULT, receipt.interest_id, REPLY, LATER)
    assert answered.expires_at == LATER + timedelta(days=30)
    assert retention_days(engine, "another") == RETENTION.days
    with pytest.raises(BadInput, match="1 to 365"):
        set_retention_days(engine, STUDY.id, 0)


def test_nothing_of_what_was_deleted_is_left_in_the_files(sqlite: Engine, tmp_path: Path) -> None:
    kept, withdrawn, expired = (register(sqlite, VAULT) for _ in range(3))
    answer_interest(sqlite, VAULT, expired.interest_id, REPLY, NOW)
    sealed = sealed_of(sqlite, withdrawn.interest_id, expired.interest_id)
    assert all(part in stored_bytes(sqlite, tmp_path) for part in sealed)
    withdraw(sqlite, VAULT, withdrawn.interest_id, NOW)
    with sqlite.begin() as connection:
        late = interests.update().where(interests.c.id == kept.interest_id)
        connection.execute(late.values(expires_at=NOW + timedelta(days=999)))
    assert delete_expired(sqlite, NOW + timedelta(days=91)) == 1
    sqlite.dispose()
    left = stored_bytes(sqlite, tmp_path)
    assert not any(part in left for part in sealed)
    assert sealed_of(sqlite, kept.interest_id)[0] in left


def sealed_of(engine: Engine, *ids: str) -> list[bytes]:
    """The middle of what is sealed for these interests, so that no page border cuts through it."""
    with engine.connect() as connection:
        asked = select(interests.c.sealed).where(interests.c.id.in_(ids))
        return [sealed[20:60] for sealed in connection.execute(asked).scalars()]


def test_who_sends_for_somebody_else_and_what_they_add_reaches_the_study(sqlite: Engine) -> None:
    person = replace(PERSON, sender=Sender.CLINICIAN)
    screening = replace(SCREENING, note="Pasienten <b>bruker</b> rullestol.\n")
    receipt = register(sqlite, VAULT, person=person, screening=screening)
    opened = open_interest(sqlite, VAULT, receipt.interest_id, NOW)
    assert (opened.person.sender, opened.screening.note) == (Sender.CLINICIAN, screening.note)
    with pytest.raises(BadInput, match="1000"):
        register(sqlite, VAULT, screening=replace(SCREENING, note="å" * 1001))
