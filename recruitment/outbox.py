"""Messages that wait to be sent: written with what they tell about, sent later, never lost."""

import hashlib
import logging
import time
import uuid
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, Engine, RowMapping, and_, func, insert, or_, select, update

from ontology.errors import BadInput, Mismatch, Unavailable
from recruitment.channel import Channel
from recruitment.link import ONE_TIME, lifetime, mint
from recruitment.mail import Kind, Letter, Letterhead, compose
from recruitment.tables import followers, interests, messages
from recruitment.vault import Vault
from registry.database import reading, writing

PENDING_LIMIT = 10_000
LEASE = timedelta(minutes=10)
MAX_ATTEMPTS = 32
"""With the waits below, at least four days: RFC 5321, 4.5.4.1 asks for four to five."""

_FIRST_WAIT = timedelta(minutes=1)
_LONGEST_WAIT = timedelta(hours=6)
_FAILURES_SHOWN = 100

_log = logging.getLogger(__name__)


class State(StrEnum):
    """Where a message stands."""

    PENDING = "pending"
    SENT = "sent"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Delivered:
    """How many messages one round sent, put off and gave up."""

    sent: int = 0
    retried: int = 0
    dead: int = 0


@dataclass(frozen=True, slots=True)
class Failure:
    """A message that could not be sent yet, or that was given up (`state` dead), and why."""

    message_id: str
    interest_id: str | None
    kind: Kind
    state: State
    attempts: int
    reason: str


@dataclass(frozen=True, slots=True)
class OutboxState:
    """The outbox in numbers, since when its oldest message waits, and the newest hundred failures."""

    pending: int
    sent: int
    dead: int
    waiting_since: datetime | None
    failures: tuple[Failure, ...]


def enqueue(
    connection: Connection,
    vault: Vault,
    kind: Kind,
    *,
    recipient: str,
    language: str,
    now: datetime,
    interest_id: str | None = None,
    follower_id: str | None = None,
    account_id: str | None = None,
) -> str:
    """Writes a message about an interest, or to a follower or an account, in the caller's transaction.

    Returns its id. The address is sealed.
    """
    message_id = uuid.uuid4().hex
    connection.execute(
        insert(messages).values(
            id=message_id,
            interest_id=interest_id,
            follower_id=follower_id,
            account_id=account_id,
            kind=kind,
            language=language,
            sealed_recipient=vault.seal(recipient.encode(), _bound_to(message_id)),
            state=State.PENDING,
            attempts=0,
            created_at=now,
            next_attempt_at=now,
        )
    )
    return message_id


def is_full(connection: Connection, limit: int = PENDING_LIMIT) -> bool:
    """Whether `limit` messages wait already; somebody must see to the channel before more are taken."""
    waiting = select(func.count()).where(messages.c.state == State.PENDING)
    return connection.execute(waiting).scalar_one() >= limit


def deliver_due(
    engine: Engine, channel: Channel, *, vault: Vault, letterhead: Letterhead, now: datetime, limit: int = 50
) -> Delivered:
    """Sends at most `limit` messages whose time has come, oldest first.

    Any number of workers may do this at once. Each message is leased before it is sent; when its worker
    dies, the lease runs out and another sends it again, under the same Message-ID. Of one that is given up
    the coordinator is told.

    Raises:
        Unavailable: the database. A channel that does not answer is no error here but a retry.
    """
    started = time.monotonic()
    results: Counter[State] = Counter()
    for _ in range(limit):
        moment = now + timedelta(seconds=time.monotonic() - started)
        leased = _lease(engine, moment)
        if leased is None:
            break
        state, failure = _send(leased, channel, vault, letterhead)
        _settle(engine, leased, state, failure, moment)
        if state is State.DEAD and letterhead.coordinator:
            _tell_coordinator(engine, vault, leased, letterhead.coordinator, moment)
        results[state] += 1
    return Delivered(results[State.SENT], results[State.PENDING], results[State.DEAD])


def outbox_state(engine: Engine) -> OutboxState:
    """How the outbox stands, for whoever looks after it. Holds no personal data."""
    row = messages.c
    counted = select(row.state, func.count(), func.min(row.created_at)).group_by(row.state)
    failed = (
        select(row.id, row.interest_id, row.kind, row.state, row.attempts, row.failure)
        .where(row.failure.is_not(None))
        .order_by(row.created_at.desc(), row.id)
        .limit(_FAILURES_SHOWN)
    )
    with reading(engine) as connection:
        counts = {State(state): (count, oldest) for state, count, oldest in connection.execute(counted)}
        failures = tuple(
            Failure(id_, interest_id, Kind(kind), State(state), attempts, reason)
            for id_, interest_id, kind, state, attempts, reason in connection.execute(failed)
        )
    pending, waiting_since = counts.get(State.PENDING, (0, None))
    sent, dead = (counts.get(state, (0, None))[0] for state in (State.SENT, State.DEAD))
    return OutboxState(pending, sent, dead, waiting_since, failures)


@dataclass(frozen=True, slots=True)
class Written:
    """A message about an interest: what it says, where it stands, and when it was written."""

    kind: Kind
    state: State
    written_at: datetime


def written_about(engine: Engine, interest_id: str) -> tuple[Written, ...]:
    """What was written about an interest, oldest first."""
    row = messages.c
    asked = select(row.kind, row.state, row.created_at).where(row.interest_id == interest_id)
    with reading(engine) as connection:
        found = connection.execute(asked.order_by(row.created_at, row.id))
        return tuple(Written(Kind(kind), State(state), at) for kind, state, at in found)


def retry_dead(engine: Engine, now: datetime) -> int:
    """Gives every message that was given up a new start, once its cause is mended; returns how many."""
    row = messages.c
    again = (
        update(messages)
        .where(row.state == State.DEAD)
        .values(state=State.PENDING, attempts=0, next_attempt_at=now, leased_until=None)
    )
    with writing(engine) as connection:
        return connection.execute(again).rowcount


def wait_before_retry(message_id: str, attempts: int) -> timedelta:
    """1, 2, 4 ... minutes, at most 6 hours, a quarter more or less so that retries do not come in step.

    The chance part comes from the id and the attempt, so that a run can be repeated.
    """
    doubled: timedelta = min(_FIRST_WAIT * 2 ** min(attempts - 1, 16), _LONGEST_WAIT)
    chance = hashlib.sha256(f"{message_id} {attempts}".encode()).digest()[0] / 255
    return doubled * (0.75 + chance / 2)


@dataclass(frozen=True, slots=True)
class _Leased:
    """A message that this worker alone may send until its lease runs out."""

    id: str
    interest_id: str | None
    study_id: str
    kind: Kind
    language: str
    sealed_recipient: bytes
    written_at: datetime
    attempts: int
    token: str
    token_expires_at: datetime


def _lease(engine: Engine, now: datetime) -> _Leased | None:
    """Takes the message that has waited longest and makes its link; both are stored before it is sent."""
    row = messages.c
    due = and_(
        row.state == State.PENDING,
        row.next_attempt_at <= now,
        or_(row.leased_until.is_(None), row.leased_until <= now),
    )
    oldest = select(row.id).where(due).order_by(row.next_attempt_at, row.id).limit(1)
    take = (
        update(messages)
        .where(row.id == oldest.with_for_update(skip_locked=True).scalar_subquery())
        .values(attempts=row.attempts + 1, leased_until=now + LEASE)
        .returning(*row)
    )
    with writing(engine) as connection:
        taken = connection.execute(take).mappings().one_or_none()
        return _with_link(connection, taken, now) if taken else None


def _with_link(connection: Connection, taken: RowMapping, now: datetime) -> _Leased:
    kind = Kind(taken["kind"])
    study_id, owner_expires_at = _owner(connection, taken, now)
    token, expires_at = "", owner_expires_at
    if kind.holder:
        expires_at = lifetime(kind.holder, now, owner_expires_at)
        owner_id = taken["interest_id"] or taken["follower_id"] or taken["account_id"]
        token = mint(connection, owner_id, kind.holder, expires_at, mailed=True)
    return _Leased(
        id=taken["id"],
        interest_id=taken["interest_id"],
        study_id=study_id,
        kind=kind,
        language=taken["language"],
        sealed_recipient=taken["sealed_recipient"],
        written_at=taken["created_at"],
        attempts=taken["attempts"],
        token=token,
        token_expires_at=expires_at,
    )


def _owner(connection: Connection, taken: RowMapping, now: datetime) -> tuple[str, datetime]:
    """The study that a message is about, "" for the others, and when what it leads to expires."""
    if taken["account_id"]:
        return "", now + ONE_TIME
    if taken["interest_id"]:
        about = interests.c
        asked = select(about.study_id, about.expires_at).where(about.id == taken["interest_id"])
        study_id, expires_at = connection.execute(asked).one()
        return study_id, expires_at
    reader = followers.c
    asked = select(reader.expires_at).where(reader.id == taken["follower_id"])
    return "", connection.execute(asked).scalar_one()


def _send(leased: _Leased, channel: Channel, vault: Vault, letterhead: Letterhead) -> tuple[State, str]:
    """Sends one message; tells where it stands now, and why it was not sent."""
    try:
        recipient = vault.open(leased.sealed_recipient, _bound_to(leased.id)).decode()
        channel.send(compose(_letter(leased, recipient), letterhead))
    except BadInput as refusal:
        return State.DEAD, str(refusal)
    except (Unavailable, Mismatch) as trouble:
        return State.DEAD if leased.attempts >= MAX_ATTEMPTS else State.PENDING, str(trouble)
    return State.SENT, ""


def _settle(engine: Engine, leased: _Leased, state: State, failure: str, now: datetime) -> None:
    """Writes down how it went. A failure does not count when another worker has taken the message over."""
    row = messages.c
    if state is State.SENT:
        done = update(messages).where(row.id == leased.id)
        done = done.values(state=state, leased_until=None, failure=None, sealed_recipient=b"")
    else:
        _log.warning("message %s is %s after attempt %d: %s", leased.id, state, leased.attempts, failure)
        mine = and_(row.id == leased.id, row.attempts == leased.attempts, row.state == State.PENDING)
        again_at = now + wait_before_retry(leased.id, leased.attempts)
        done = update(messages).where(mine)
        done = done.values(state=state, leased_until=None, next_attempt_at=again_at, failure=failure[:200])
    with writing(engine) as connection:
        connection.execute(done)


def _tell_coordinator(engine: Engine, vault: Vault, leased: _Leased, address: str, now: datetime) -> None:
    """That a message about an interest was given up; not about followers, and not about this very mail."""
    if leased.interest_id and leased.kind.holder:
        with writing(engine) as connection:
            about = {"interest_id": leased.interest_id, "recipient": address, "language": "nb"}
            enqueue(connection, vault, Kind.UNDELIVERED, **about, now=now)


def _letter(leased: _Leased, recipient: str) -> Letter:
    return Letter(
        id=leased.id,
        kind=leased.kind,
        language=leased.language,
        recipient=recipient,
        study_id=leased.study_id,
        token=leased.token,
        expires_at=leased.token_expires_at,
        written_at=leased.written_at,
        number=(leased.interest_id or "")[:8],
    )


def _bound_to(message_id: str) -> str:
    return f"message:{message_id}"
