"""From "I am interested" to an answer: what a consenting person sends, and what the study writes back."""

import hashlib
import json
import uuid
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Engine, Row, case, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from ontology.errors import BadInput, Unavailable
from ontology.wording import LANGUAGES, say
from recruitment.admission import LIMITS, Limits, admit
from recruitment.audit import Action, Actor, proof, record
from recruitment.consent import Consent, current_version, retention_days
from recruitment.link import Holder, find, follow, mint
from recruitment.mail import Kind
from recruitment.outbox import PENDING_LIMIT, State, enqueue, is_full
from recruitment.person import Person, Sender, checked, checked_email
from recruitment.screening import Screening, read_screening
from recruitment.tables import interests, links, messages, replies
from recruitment.vault import Vault
from registry.database import reading, scrub, writing
from registry.study import Status as StudyStatus
from registry.study import Study

SENT_LIMIT = 200_000
REPLY_LIMIT = 5_000
NOTE_LIMIT = 1_000
PROOF_TIME = timedelta(days=7)
"""How long an interest is held for its address to be proven."""
_SUBMISSION_LENGTHS = range(22, 201)
_CONTACTS_SHOWN = 3
_TAKES_INTEREST = frozenset({StudyStatus.OPEN, StudyStatus.AWAITING})


class Status(StrEnum):
    """Where an interest stands."""

    NEW = "new"
    OPENED = "opened"
    CONTACTED = "contacted"
    SCREENED = "screened"
    INCLUDED = "included"
    NOT_SUITABLE = "not_suitable"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


UNANSWERED = (Status.NEW, Status.OPENED)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the person gets back. The token is the secret part of the link to see, read and withdraw."""

    interest_id: str
    person_token: str


@dataclass(frozen=True, slots=True)
class Interest:
    """What may be known of an interest without opening it.

    `held`: the study is told only when the person has proven the address, which they did at `proven_at`.
    """

    id: str
    study_id: str
    status: Status
    consent: Consent
    created_at: datetime
    opened_at: datetime | None
    expires_at: datetime
    assigned_to: str = ""
    proven_at: datetime | None = None
    held: bool = False
    reminders: int = 0


@dataclass(frozen=True, slots=True, repr=False)
class Reply:
    """What the study wrote to the person."""

    text: str
    written_at: datetime


@dataclass(frozen=True, slots=True, repr=False)
class OpenedInterest:
    """The whole of it, decrypted."""

    interest: Interest
    person: Person
    screening: Screening
    replies: tuple[Reply, ...]


def register_interest(
    engine: Engine,
    vault: Vault,
    study: Study,
    *,
    person: Person,
    screening: Screening,
    consent: Consent,
    submission: str,
    now: datetime,
    outbox_limit: int = PENDING_LIMIT,
    limits: Limits = LIMITS,
) -> Receipt:
    """Stores the interest, encrypted, and the message that tells the study, in one transaction.

    A person who gave an e-mail address is sent a link to confirm it; see recruitment/admission.py for when
    the study is told only after that.
    `submission` is a random text of 22 to 200 characters that the form was given when it was shown.
    The same form sent twice makes one interest, and gives each sender a link that works.

    Raises:
        BadInput: the study takes no interest here, the consent is to an older text, a contact detail
            cannot be one, something is too long, this form has already sent something else, or too much
            was sent from one address today. Said in the language of the consent.
        Unavailable: the outbox is full or the database refuses. Nothing was stored.
    """
    language = consent.language
    mailbox = _mailbox(study, language)
    days = retention_days(engine, study.id)
    _check_consent(consent, days)
    form = _submission_hash(submission)
    person = checked(person, language)
    plain = _packed(person, screening, language)
    values = {
        "study_id": study.id,
        "mailbox": mailbox,
        "mailbox_language": study.language if study.language in LANGUAGES else "nb",
        "status": Status.NEW,
        "submission": form,
        "consent_version": consent.version,
        "consent_language": language,
        "consent_given_at": consent.given_at,
        "created_at": now,
        "retention_days": days,
    }
    try:
        with writing(engine) as connection:
            if not _was_sent(connection, form):
                if is_full(connection, outbox_limit):
                    raise Unavailable(say("interest.busy", language))
                held = admit(connection, vault, study.id, person, language=language, now=now, limits=limits)
                return _store(connection, vault, values | {"held": held}, plain, person.email)
            return _once_more(connection, vault, form, study, plain)
    except IntegrityError:  # the other half of a double click was faster
        with writing(engine) as connection:
            return _once_more(connection, vault, form, study, plain)


def list_for_study(engine: Engine, study_id: str) -> tuple[Interest, ...]:
    """Every interest in the study, newest first, without anything about a person."""
    row = interests.c
    asked = select(interests).where(row.study_id == study_id).order_by(row.created_at.desc(), row.id)
    with reading(engine) as connection:
        return tuple(_interest(found) for found in connection.execute(asked))


def find_interest(engine: Engine, interest_id: str) -> Interest:
    """One interest without anything about the person.

    Raises:
        BadInput: there is no such interest.
    """
    with reading(engine) as connection:
        return _interest(_row(connection, interest_id))


def open_interest(
    engine: Engine, vault: Vault, interest_id: str, now: datetime, by: str = Actor.STUDY
) -> OpenedInterest:
    """What the study reads; a new interest becomes opened. `by` is who opens it, for the audit log.

    Call it when a person asks to open, not when a link is merely fetched: mail scanners fetch links.

    Raises:
        BadInput: no such interest, or it was withdrawn or has expired.
        Mismatch: it was sealed with another key, or was changed.
    """
    row = interests.c
    mark = update(interests).where(row.id == interest_id, row.status == Status.NEW, row.expires_at > now)
    with writing(engine) as connection:
        connection.execute(mark.values(status=Status.OPENED, opened_at=now))
        opened = _opened(connection, vault, interest_id, now, Holder.STUDY)
        _note(connection, opened.interest, now, by, Action.OPENED)
        return opened


def read_interest(
    engine: Engine,
    vault: Vault,
    interest_id: str,
    now: datetime,
    by: str = Actor.PERSON,
    *,
    action: Action = Action.READ,
) -> OpenedInterest:
    """All that was sent, and the answers. Marks nothing; the audit log says who did what (`by`, `action`).

    Raises:
        BadInput: no such interest, or it was withdrawn or has expired.
        Mismatch: it was sealed with another key, or was changed.
    """
    with writing(engine) as connection:
        reader = Holder.PERSON if by == Actor.PERSON else Holder.STUDY
        opened = _opened(connection, vault, interest_id, now, reader)
        _note(connection, opened.interest, now, by, action)
        return opened


def answer_interest(
    engine: Engine,
    vault: Vault,
    interest_id: str,
    text: str,
    now: datetime,
    *,
    by: str = Actor.STUDY,
    status: Status | None = None,
    outbox_limit: int = PENDING_LIMIT,
) -> Interest:
    """Stores the study's answer, encrypted; a person who gave an e-mail address is sent a link to it.

    `status` is where the interest stands from now on; without it, it has at least been contacted.
    The answer that is already the last one is not stored again. Retention starts anew.

    Raises:
        BadInput: an empty or too long text, no such interest, or it was withdrawn or has expired.
        Unavailable: the outbox is full or the database refuses. Nothing was stored.
    """
    row = interests.c
    alive = update(interests).where(row.id == interest_id, row.sealed.is_not(None), row.expires_at > now)
    with writing(engine) as connection:
        expires_at = now + timedelta(days=_row(connection, interest_id).retention_days)
        opened_at = func.coalesce(row.opened_at, now)
        stands = status or case((row.status.in_(UNANSWERED), Status.CONTACTED), else_=row.status)
        connection.execute(alive.values(status=stands, opened_at=opened_at, expires_at=expires_at))
        opened = _opened(connection, vault, interest_id, now, Holder.STUDY)
        answer = _checked_reply(text, _row(connection, interest_id).mailbox_language)
        if not opened.replies or opened.replies[-1].text != answer:
            _store_reply(connection, vault, interest_id, answer, now)
            _tell_person(connection, vault, opened, now, outbox_limit)
        own = update(links).where(links.c.interest_id == interest_id, links.c.holder == Holder.PERSON)
        connection.execute(own.values(expires_at=expires_at))
        _note(connection, opened.interest, now, by, Action.ANSWERED, detail=opened.interest.status)
        return opened.interest


def withdraw(engine: Engine, vault: Vault, interest_id: str, now: datetime) -> Interest:
    """Deletes what the person sent, the answers, and messages not sent yet. Twice is as good as once.

    A study that has opened the interest is told, without a word about the person.

    Raises:
        BadInput: there is no such interest.
    """
    row = interests.c
    alive = update(interests).where(row.id == interest_id, row.sealed.is_not(None))
    with writing(engine) as connection:
        sealed = _row(connection, interest_id).sealed
        withdrawn = connection.execute(alive.values(status=Status.WITHDRAWN, sealed=None)).rowcount
        found = _row(connection, interest_id)
        if withdrawn:
            rows = _forget(connection, interest_id)
            if found.opened_at:
                _tell_study(connection, vault, Kind.WITHDRAWAL, found, now)
            detail = proof(sealed, rows)
            _note(connection, _interest(found), now, Actor.PERSON, Action.WITHDRAWN, detail=detail)
    scrub(engine)
    return _interest(found)


def prove_address(engine: Engine, vault: Vault, token: str, now: datetime) -> None:
    """Notes that whoever has this link reads the mail of the person; a study that was not told yet is told.

    Call it when a person says so, not when the link is merely fetched: mail scanners fetch links.

    Raises:
        BadInput: the link did not leave by mail, is not known, has expired, or the interest is gone.
    """
    access = follow(engine, token, Holder.PERSON, now)
    if not access.mailed:
        raise BadInput("This link proves no address. Open the one in the e-mail.")
    row = interests.c
    with writing(engine) as connection:
        found = _row(connection, access.interest_id)
        _check_alive(found, now, Holder.PERSON)
        expires_at = found.expires_at
        if found.held:
            _tell_study(connection, vault, Kind.INTEREST, found, now)
            expires_at = now + timedelta(days=found.retention_days)
        mine = update(interests).where(row.id == found.id)
        proven_at = func.coalesce(row.proven_at, now)
        connection.execute(mine.values(proven_at=proven_at, held=False, expires_at=expires_at))
        own = update(links).where(links.c.interest_id == found.id, links.c.holder == Holder.PERSON)
        connection.execute(own.values(expires_at=expires_at))


def renew_link(engine: Engine, vault: Vault, token: str, now: datetime) -> None:
    """Sends the study a new link for one that has expired, to its mailbox and nowhere else.

    Raises:
        BadInput: no such link, or what it led to was withdrawn or has expired.
    """
    interest_id = find(engine, token, Holder.STUDY).interest_id
    row = messages.c
    waiting = select(row.id).where(row.interest_id == interest_id, row.state == State.PENDING)
    with writing(engine) as connection:
        found = _row(connection, interest_id)
        _check_alive(found, now, Holder.STUDY)
        if connection.execute(waiting).first() is None:
            _tell_study(connection, vault, Kind.INTEREST, found, now)


def _store(connection: Connection, vault: Vault, values: dict[str, Any], plain: bytes, email: str) -> Receipt:
    interest_id, now = uuid.uuid4().hex, values["created_at"]
    kept = PROOF_TIME if values["held"] else timedelta(days=values["retention_days"])
    sealed = vault.seal(plain, _bound_to(values["study_id"], interest_id))
    own = {"id": interest_id, "sealed": sealed, "expires_at": now + kept}
    connection.execute(insert(interests).values(values | own))
    found = _row(connection, interest_id)
    if not found.held:
        _tell_study(connection, vault, Kind.INTEREST, found, now)
    if email:
        about = {"interest_id": found.id, "recipient": email, "language": found.consent_language}
        enqueue(connection, vault, Kind.RECEIPT, **about, now=now)
    token = mint(connection, interest_id, Holder.PERSON, found.expires_at)
    _note(connection, _interest(found), now, Actor.PERSON, Action.REGISTERED)
    return Receipt(interest_id, token)


def unseal(vault: Vault, row: Row[Any]) -> tuple[Person, Screening]:
    """What is sealed in a row of `interests`.

    Raises:
        Mismatch: it was sealed with another key, or was changed.
    """
    document = json.loads(vault.open(row.sealed, _bound_to(row.study_id, row.id)))
    person = Person(**document["person"])
    return replace(person, sender=Sender(person.sender)), read_screening(document["screening"])


def _was_sent(connection: Connection, form: str) -> bool:
    return (
        connection.execute(select(interests.c.id).where(interests.c.submission == form)).first() is not None
    )


def _once_more(connection: Connection, vault: Vault, form: str, study: Study, plain: bytes) -> Receipt:
    """The receipt of a form that was sent before, if it was the same then and still stands."""
    found = connection.execute(select(interests).where(interests.c.submission == form)).one()
    same = found.study_id == study.id and found.sealed is not None
    if not same or vault.open(found.sealed, _bound_to(found.study_id, found.id)) != plain:
        raise BadInput(say("interest.sent_before", found.consent_language))
    return Receipt(found.id, mint(connection, found.id, Holder.PERSON, found.expires_at))


def _opened(
    connection: Connection, vault: Vault, interest_id: str, now: datetime, reader: Holder
) -> OpenedInterest:
    found = _row(connection, interest_id)
    _check_alive(found, now, reader)
    person, screening = unseal(vault, found)
    written = (
        select(replies)
        .where(replies.c.interest_id == interest_id)
        .order_by(replies.c.written_at, replies.c.id)
    )
    return OpenedInterest(
        interest=_interest(found),
        person=person,
        screening=screening,
        replies=tuple(_read_reply(vault, row) for row in connection.execute(written)),
    )


def _tell_study(connection: Connection, vault: Vault, kind: Kind, found: Row[Any], now: datetime) -> None:
    about = {"interest_id": found.id, "recipient": found.mailbox, "language": found.mailbox_language}
    enqueue(connection, vault, kind, **about, now=now)


def _tell_person(
    connection: Connection, vault: Vault, opened: OpenedInterest, now: datetime, outbox_limit: int
) -> None:
    """Writes the message that an answer is here; a person who gave only a phone number is called instead."""
    if not opened.person.email:
        return
    language = opened.interest.consent.language
    if is_full(connection, outbox_limit):
        raise Unavailable(say("interest.busy", language))
    about = {"interest_id": opened.interest.id, "recipient": opened.person.email, "language": language}
    enqueue(connection, vault, Kind.ANSWER, **about, now=now)


def _store_reply(connection: Connection, vault: Vault, interest_id: str, text: str, now: datetime) -> None:
    reply_id = uuid.uuid4().hex
    sealed = vault.seal(json.dumps(text).encode(), _bound_to(interest_id, reply_id))
    connection.execute(
        insert(replies).values(id=reply_id, interest_id=interest_id, written_at=now, sealed=sealed)
    )


def _read_reply(vault: Vault, row: Row[Any]) -> Reply:
    return Reply(json.loads(vault.open(row.sealed, _bound_to(row.interest_id, row.id))), row.written_at)


def _forget(connection: Connection, interest_id: str) -> int:
    """Deletes the answers, and the messages that were not sent; returns how many rows."""
    answers = delete(replies).where(replies.c.interest_id == interest_id)
    unsent = delete(messages).where(messages.c.interest_id == interest_id, messages.c.state != State.SENT)
    return connection.execute(answers).rowcount + connection.execute(unsent).rowcount


def _note(
    connection: Connection, about: Interest, now: datetime, by: str, action: Action, *, detail: str = ""
) -> None:
    record(connection, now, by, action, study_id=about.study_id, interest_id=about.id, detail=detail)


def _row(connection: Connection, interest_id: str) -> Row[Any]:
    found = connection.execute(select(interests).where(interests.c.id == interest_id)).one_or_none()
    if found is None:
        raise BadInput("There is no such interest. Open the whole link from the newest message.")
    return found


def _interest(row: Row[Any]) -> Interest:
    return Interest(
        id=row.id,
        study_id=row.study_id,
        status=Status(row.status),
        consent=Consent(row.consent_version, row.consent_language, row.consent_given_at),
        created_at=row.created_at,
        opened_at=row.opened_at,
        expires_at=row.expires_at,
        assigned_to=row.assigned_to or "",
        proven_at=row.proven_at,
        held=row.held,
        reminders=row.reminders,
    )


def _check_alive(row: Row[Any], now: datetime, reader: Holder) -> None:
    language = row.consent_language if reader is Holder.PERSON else row.mailbox_language
    if row.status == Status.WITHDRAWN:
        raise BadInput(say("interest.withdrawn", language))
    if row.sealed is None or row.expires_at <= now:
        raise BadInput(say("interest.expired", language))


def _mailbox(study: Study, language: str) -> str:
    """Where the study takes messages, if it does."""
    if study.status not in _TAKES_INTEREST:
        raise BadInput(say("interest.not_recruiting", language))
    try:
        return checked_email(study.mailbox, language)
    except BadInput:
        raise BadInput(_other_way(study, language)) from None


def _other_way(study: Study, language: str) -> str:
    """How to reach a study without a mailbox."""
    contacts = [*study.contacts, *(contact for site in study.sites for contact in site.contacts)]
    ways = [", ".join(filter(None, (contact.name, contact.phone, contact.email))) for contact in contacts]
    known = list(dict.fromkeys(filter(None, [*ways[:_CONTACTS_SHOWN], study.url])))
    if not known:
        return say("interest.no_contact_known", language, study_id=study.id)
    return say("interest.no_mailbox", language, contact="; ".join(known))


def _check_consent(consent: Consent, days: int) -> None:
    if consent.version != current_version(days) or consent.language not in LANGUAGES:
        raise BadInput(say("interest.consent_changed", consent.language))


def _submission_hash(submission: str) -> str:
    if len(submission) not in _SUBMISSION_LENGTHS:
        raise BadInput(
            "A submission key is 22 to 200 random characters, for example secrets.token_urlsafe(24)."
        )
    return hashlib.sha256(submission.encode("utf-8", "surrogatepass")).hexdigest()


def _checked_reply(text: str, language: str) -> str:
    answer = text.replace("\r\n", "\n").strip()
    if not answer:
        raise BadInput(say("interest.empty_reply", language))
    if len(answer) > REPLY_LIMIT:
        raise BadInput(say("interest.too_long", language, limit=REPLY_LIMIT))
    return answer


def _packed(person: Person, screening: Screening, language: str) -> bytes:
    if len(screening.note) > NOTE_LIMIT:
        raise BadInput(say("interest.too_long", language, limit=NOTE_LIMIT))
    plain = json.dumps({"person": asdict(person), "screening": asdict(screening)}, sort_keys=True)
    if len(plain) > SENT_LIMIT:
        raise BadInput(say("interest.too_long", language, limit=SENT_LIMIT))
    return plain.encode()


def _bound_to(owner: str, sealed_thing: str) -> str:
    return f"{owner}:{sealed_thing}"
