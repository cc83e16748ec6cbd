"""What has expired is deleted, and the audit log proves what it was without saying whose."""

from datetime import datetime

from sqlalchemy import Connection, Engine, delete, func, select, update

from ontology.errors import Mismatch
from recruitment.audit import Action, Actor, proof, record
from recruitment.interest import Status
from recruitment.tables import interests, links, messages, replies
from registry.database import reading, scrub, writing

_BATCH = 100
_OF_AN_INTEREST = (replies, links, messages)


def delete_expired(engine: Engine, now: datetime) -> int:
    """Deletes everything about people whose interest has expired; returns how many interests that were.

    Of each there remains only which study it was for, and when: enough to count, not to know whom. The
    audit log keeps how many rows went and the hash of the sealed bytes. In the end the database is asked
    for what should be gone.

    Raises:
        Mismatch: something is still there.
    """
    count = 0
    while deleted := _delete_some(engine, now):
        count += deleted
    _delete_what_withdrawal_left(engine, now)
    _check_nothing_is_left(engine, now)
    scrub(engine)
    return count


def _delete_some(engine: Engine, now: datetime) -> int:
    row = interests.c
    old = select(row.id, row.study_id, row.sealed).where(row.expires_at <= now, row.sealed.is_not(None))
    with writing(engine) as connection:
        found = connection.execute(old.order_by(row.id).limit(_BATCH)).all()
        for interest in found:
            rows = _delete_rows(connection, interest.id)
            gone = update(interests).where(row.id == interest.id)
            connection.execute(gone.values(status=Status.EXPIRED, sealed=None))
            about = {"study_id": interest.study_id, "interest_id": interest.id}
            record(
                connection, now, Actor.SYSTEM, Action.EXPIRED, **about, detail=proof(interest.sealed, rows)
            )
        return len(found)


def _delete_rows(connection: Connection, interest_id: str) -> int:
    return sum(
        connection.execute(delete(table).where(table.c.interest_id == interest_id)).rowcount
        for table in _OF_AN_INTEREST
    )


def _delete_what_withdrawal_left(engine: Engine, now: datetime) -> None:
    """The links that told «withdrawn» until now, and the messages that were sent."""
    old = select(interests.c.id).where(interests.c.expires_at <= now)
    with writing(engine) as connection:
        for table in _OF_AN_INTEREST:
            connection.execute(delete(table).where(table.c.interest_id.in_(old)))


def _check_nothing_is_left(engine: Engine, now: datetime) -> None:
    row = interests.c
    old = select(row.id).where(row.expires_at <= now)
    left = [select(func.count()).where(row.expires_at <= now, row.sealed.is_not(None))]
    left += [select(func.count()).where(table.c.interest_id.in_(old)) for table in _OF_AN_INTEREST]
    with reading(engine) as connection:
        rows = sum(connection.execute(asked).scalar_one() for asked in left)
    if rows:
        raise Mismatch(
            f"{rows} rows of expired interests are still there. Run `studievei retention delete` again."
        )
