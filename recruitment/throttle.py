"""How often something is tried. What is counted is kept as a keyed hash, and forgotten after a day."""

import uuid
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, delete, func, insert, select

from recruitment.tables import attempts
from recruitment.vault import Vault
from registry.database import writing

DAY = timedelta(days=1)
"""How long tries are remembered."""


def tries(connection: Connection, vault: Vault, what: str, now: datetime, within: timedelta = DAY) -> int:
    """How often `what` ("sign in from 192.0.2.1") was counted in the last `within`."""
    row = attempts.c
    tried = select(func.count()).where(row.of == vault.mark(what), row.at > now - within)
    return connection.execute(tried).scalar_one()


def count(connection: Connection, vault: Vault, what: str, now: datetime) -> None:
    """Counts one try, in the caller's transaction."""
    connection.execute(insert(attempts).values(id=uuid.uuid4().hex, of=vault.mark(what), at=now))


def forget_tries(engine: Engine, now: datetime) -> int:
    """Deletes what is older than a day; returns how many tries those were."""
    with writing(engine) as connection:
        return connection.execute(delete(attempts).where(attempts.c.at <= now - DAY)).rowcount
