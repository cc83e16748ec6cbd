"""A copy of the whole database as one file, made while others write, and put back into an empty place.

The copy is an SQLite database of the same version, whatever the database is, so that it can be restored
into either kind. It holds what is sealed as it is: without the vault's key it tells nothing of anybody.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, Table, delete, func, insert, select

from ontology.errors import BadInput
from recruitment.tables import interests
from registry.database import connect, reading, writing
from registry.migration import upgrade

_BATCH = 500
_NOT_COPIED = frozenset({"sessions", "conversations"})
"""Who is signed in or in a conversation just now is nothing to bring back."""


def back_up(engine: Engine, file: Path) -> dict[str, int]:
    """Copies every table, as it was at one moment, into a new SQLite file; returns the rows of each.

    Raises:
        BadInput: the file is there already.
        Unavailable: the database does not answer, or the file cannot be written.
    """
    if file.exists():
        raise BadInput(f"{file} is there already. Name another file.")
    with _sqlite(file) as copy:
        upgrade(copy)
        with _one_moment(engine) as source, writing(copy) as target:
            return _copy(source, target)


def restore(file: Path, engine: Engine) -> dict[str, int]:
    """Copies a backup into an empty database whose tables are up to date; returns the rows of each.

    A backup of an older version is first brought up to date, in a copy of its own.

    Raises:
        BadInput: no such backup, or the database holds something already.
        Mismatch: a newer version of Studievei made the backup.
        Unavailable: a database does not answer.
    """
    if not file.is_file():
        raise BadInput(f"There is no backup {file}. Name the file that `studievei backup` made.")
    with _sqlite(file) as copy:
        upgrade(copy)
        with reading(copy) as source, writing(engine) as target:
            if any(_count(target, table) for table in _tables() if table.name != "study_revision"):
                raise BadInput("There is something in this database already. Restore into an empty one.")
            return _copy(source, target)


def _tables() -> list[Table]:
    return [table for table in interests.metadata.sorted_tables if table.name not in _NOT_COPIED]


def _copy(source: Connection, target: Connection) -> dict[str, int]:
    rows: dict[str, int] = {}
    for table in _tables():
        target.execute(delete(table)) if table.name == "study_revision" else None
        rows[table.name] = 0
        found = source.execute(select(table).execution_options(yield_per=_BATCH))
        for some in found.mappings().partitions():
            target.execute(insert(table), [dict(row) for row in some])
            rows[table.name] += len(some)
    return rows


def _count(connection: Connection, table: Table) -> int:
    return connection.execute(select(func.count()).select_from(table)).scalar_one()


@contextmanager
def _one_moment(engine: Engine) -> Iterator[Connection]:
    """A connection that sees the database as it was when it first looked, whatever is written meanwhile."""
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin():
            yield connection


@contextmanager
def _sqlite(file: Path) -> Iterator[Engine]:
    engine = connect(f"sqlite:///{file}")
    try:
        yield engine
    finally:
        engine.dispose()
