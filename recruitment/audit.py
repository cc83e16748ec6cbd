"""Who read or changed what about a person, and when.

The log only grows (triggers see to that), and each entry is chained to the one before it by SHA-256, so
that whoever changes the file behind our back breaks the chain. It names accounts and interests by their
random ids, never a person.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Engine, Row, insert, select, text

from ontology.errors import BadInput
from recruitment.tables import audit
from registry.database import reading

START = "0" * 64
"""What the first entry is chained to."""
_LOCK = 5_783_485
"""Of PostgreSQL: one entry after another. SQLite has one writer anyway."""
_BATCH = 1_000


class Action(StrEnum):
    """What was done."""

    REGISTERED = "registered"
    OPENED = "opened"
    READ = "read"
    CONTACT = "contact"
    ANSWERED = "answered"
    STATUS = "status"
    ASSIGNED = "assigned"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    EXPORTED = "exported"
    SIGNED_IN = "signed in"
    SIGNED_OUT = "signed out"
    LOCKED = "locked"
    ACCOUNT = "account"


class Actor(StrEnum):
    """Who did it, where it was nobody with an account; an account is named by its id."""

    STUDY = "study link"
    PERSON = "person link"
    OPERATOR = "operator"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log. `detail` is a word of ours, such as a status or a role."""

    number: int
    at: datetime
    actor: str
    action: str
    study_id: str
    interest_id: str
    detail: str
    chain: str


@dataclass(frozen=True, slots=True)
class Checked:
    """How far the log holds: entries that fit, the last one's chain, and where it breaks ("" if nowhere)."""

    entries: int
    head: str
    broken: str


def record(
    connection: Connection,
    now: datetime,
    actor: str,
    action: Action,
    *,
    study_id: str = "",
    interest_id: str = "",
    detail: str = "",
) -> None:
    """Writes one entry in the caller's transaction: what is done and its entry stand or fall together.

    Call it last: on PostgreSQL it holds the log until the transaction ends.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    last = connection.execute(select(audit).order_by(audit.c.number.desc()).limit(1)).one_or_none()
    number, before = (last.number + 1, last.chain) if last else (1, START)
    values = {
        "number": number,
        "at": now,
        "actor": actor,
        "action": action,
        "study_id": study_id,
        "interest_id": interest_id,
        "detail": detail,
    }
    connection.execute(insert(audit).values(values | {"chain": _chain(before, values.values())}))


def proof(sealed: bytes | None, rows: int) -> str:
    """The detail of a deletion: a hash of what was sealed, and how many other rows went with it.

    The hash tells from an old backup what was deleted, and from nothing else.
    """
    return f"sha256 {hashlib.sha256(sealed or b'').hexdigest()[:40]}, rows {rows}"


def read_log(engine: Engine, *, interest_id: str = "", limit: int = 100) -> tuple[Entry, ...]:
    """The newest entries, newest first; only those of one interest when it is named."""
    asked = select(audit).order_by(audit.c.number.desc()).limit(limit)
    if interest_id:
        asked = asked.where(audit.c.interest_id == interest_id)
    with reading(engine) as connection:
        return tuple(Entry(*row) for row in connection.execute(asked))


def verify(engine: Engine, head: str = "") -> Checked:
    """Follows the chain from the first entry to the last, and stops where it breaks.

    `head` is a chain value written down earlier: it must still be there, or the end was cut off.
    """
    checked, seen = Checked(0, START, ""), head in {"", START}
    entries = select(audit).order_by(audit.c.number).execution_options(yield_per=_BATCH)
    with reading(engine) as connection, connection.execute(entries) as rows:
        for row in rows:
            checked = _follow(checked, row)
            if checked.broken:
                return checked
            seen = seen or row.chain == head
    if not seen:
        return Checked(checked.entries, checked.head, "the entry with the given head is gone")
    return checked


def checked_head(head: str) -> str:
    """A chain value as an operator wrote it down.

    Raises:
        BadInput: not 64 hexadecimal digits.
    """
    tidy = head.strip().lower()
    if tidy and (len(tidy) != len(START) or not set(tidy) <= set("0123456789abcdef")):
        raise BadInput("A head is the 64 hexadecimal digits that `studievei audit verify` printed.")
    return tidy


def _follow(checked: Checked, row: Row[Any]) -> Checked:
    expected = checked.entries + 1
    if row.number != expected:
        return Checked(checked.entries, checked.head, f"entry {expected} is missing")
    if row.chain != _chain(checked.head, row[:-1]):
        return Checked(checked.entries, checked.head, f"entry {row.number} does not fit the one before it")
    return Checked(expected, row.chain, "")


def _chain(before: str, values: Iterable[object]) -> str:
    plain = [_plain(value) for value in values]
    text = json.dumps([before, *plain], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return value
