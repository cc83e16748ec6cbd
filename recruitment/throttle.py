"""How often something may be tried. What is counted is kept as a keyed hash, and forgotten after a day."""

import uuid
from datetime import datetime, timedelta

from sqlalchemy import Engine, delete, func, insert, select

from recruitment.tables import attempts
from recruitment.vault import Vault
from registry.database import reading, writing

_KEPT = timedelta(days=1)


def too_often(
    engine: Engine, vault: Vault, what: str, now: datetime, *, limit: int, within: timedelta
) -> bool:
    """Whether `what` ("sign in from 192.0.2.1") was counted `limit` times in the last `within`."""
    row = attempts.c
    tried = select(func.count()).where(row.of == vault.mark(what), row.at > now - within)
    with reading(engine) as connection:
        return connection.execute(tried).scalar_one() >= limit


def count(engine: Engine, vault: Vault, what: str, now: datetime) -> None:
    """Counts one try."""
    with writing(engine) as connection:
        connection.execute(delete(attempts).where(attempts.c.at <= now - _KEPT))
        connection.execute(insert(attempts).values(id=uuid.uuid4().hex, of=vault.mark(what), at=now))
