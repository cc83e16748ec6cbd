"""A study that does not answer is reminded twice; then the coordinator is told, and so is the person."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Row, func, select, update

from recruitment.interest import UNANSWERED, unseal
from recruitment.mail import Kind
from recruitment.outbox import enqueue
from recruitment.tables import interests, messages
from recruitment.vault import Vault
from registry.database import reading, writing

STEPS = (timedelta(days=3), timedelta(days=7), timedelta(days=10))
"""After how long without an answer: a reminder, a second one, and word to coordinator and person."""

_BATCH = 500


def remind(engine: Engine, vault: Vault, now: datetime, *, coordinator: str = "") -> int:
    """Takes the step that is due for each interest without an answer; returns how many were taken.

    Each step is taken once, whoever runs this, and with the time between them kept, also when nobody ran
    it for weeks. The time counts from when the study was told. `coordinator` is an address, or "".
    """
    taken = 0
    for number, after in enumerate(STEPS):
        since = after - (STEPS[number - 1] if number else timedelta())
        for interest_id in _due(engine, number, now - after, now - since, now):
            with writing(engine) as connection:
                found = _step(connection, interest_id, number)
                for kind, recipient, language in _letters(vault, found, number, coordinator) if found else ():
                    to = {"recipient": recipient, "language": language, "interest_id": interest_id}
                    enqueue(connection, vault, kind, **to, now=now)
                taken += found is not None
    return taken


def _due(engine: Engine, number: int, told: datetime, before: datetime, now: datetime) -> Sequence[str]:
    """Interests that have taken `number` steps, whose study was told long enough ago."""
    row, message = interests.c, messages.c
    sent = select(message.interest_id).where(message.kind == Kind.INTEREST).group_by(message.interest_id)
    reminded = select(message.interest_id).where(message.kind == Kind.REMINDER, message.created_at > before)
    due = select(row.id).where(
        row.status.in_(UNANSWERED),
        row.reminders == number,
        row.expires_at > now,
        row.created_at <= told,
        ~row.held,
        row.id.in_(sent.having(func.min(message.created_at) <= told)),
        row.id.not_in(reminded),
    )
    with reading(engine) as connection:
        return connection.execute(due.order_by(row.id).limit(_BATCH)).scalars().all()


def _step(connection: Connection, interest_id: str, number: int) -> Row[Any] | None:
    """Marks the step as taken; None when it was taken, or answered, in the meantime."""
    row = interests.c
    still = (row.id == interest_id, row.reminders == number, row.status.in_(UNANSWERED))
    mine = update(interests).where(*still).values(reminders=number + 1).returning(*row)
    return connection.execute(mine).one_or_none()


def _letters(vault: Vault, found: Row[Any], number: int, coordinator: str) -> list[tuple[Kind, str, str]]:
    """What is written, to whom, in which language."""
    if number < len(STEPS) - 1:
        return [(Kind.REMINDER, found.mailbox, found.mailbox_language)]
    person, _ = unseal(vault, found)
    letters = [
        (Kind.UNANSWERED, coordinator, "nb"),
        (Kind.SILENCE, person.email, found.consent_language),
    ]
    return [letter for letter in letters if letter[1]]
