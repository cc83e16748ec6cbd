"""A database URL -> an engine, and transactions whose errors name their remedy. SQLite and PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    DateTime,
    Dialect,
    Engine,
    TypeDecorator,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError

from ontology.errors import BadInput, Unavailable

BUSY_TIMEOUT_MS = 10_000
CONNECT_TIMEOUT_S = 5


class UtcDateTime(TypeDecorator[datetime]):
    """A moment with its time zone. SQLite keeps none, so both databases keep UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC; a moment without a zone is refused (ValueError), because nobody knows when it was."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone. Use datetime.now(UTC).")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """In UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def connect(url: str) -> Engine:
    """An engine for `sqlite:///file` or `postgresql://...`; makes the folder of an SQLite file.

    Raises:
        BadInput: this is not the URL of a database we know.
        Unavailable: the folder cannot be made, or the driver is not installed.
    """
    parsed = _parsed(url)
    try:
        if parsed.get_backend_name() == "sqlite":
            _make_folder(parsed)
            return _sqlite(parsed)
        return create_engine(parsed, pool_pre_ping=True, connect_args={"connect_timeout": CONNECT_TIMEOUT_S})
    except ModuleNotFoundError as missing:
        raise Unavailable(
            f"The driver {missing.name} is not installed. Run: pip install 'studievei[postgres]'"
        ) from missing


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection that only reads.

    Raises:
        Unavailable: the database does not answer.
    """
    with _explained(engine), engine.connect() as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction: all of it is kept, or, when an exception leaves the block, nothing.

    On SQLite it holds the write lock from its first moment, so that what it reads stays true until it writes.

    Raises:
        Unavailable: the database does not answer or cannot be written.
    """
    with _explained(engine), engine.connect() as connection:
        connection.execution_options(writes=True)
        with connection.begin():
            yield connection


def scrub(engine: Engine) -> None:
    """Takes what was deleted out of SQLite's write-ahead log too, unless somebody reads from it just now.

    PostgreSQL does so by itself, with autovacuum.
    """
    if engine.dialect.name == "sqlite":
        with (
            _explained(engine),
            engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
        ):
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").close()


@contextmanager
def _explained(engine: Engine) -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        raise unavailable(engine, error) from error


def unavailable(engine: Engine, error: Exception) -> Unavailable:
    """The error to raise when the database failed: where it is, what it said, and what mends it."""
    reason = " ".join(str(getattr(error, "orig", error)).split())
    if engine.dialect.name != "sqlite":
        remedy = "Start the server or correct STUDIEVEI_DATABASE_URL."
    elif "locked" in reason:
        remedy = "Another process is writing to it; try again when it is done."
    else:
        remedy = "Set STUDIEVEI_DATA_DIR to a folder that you can write to."
    return Unavailable(f"The database {engine.url.render_as_string()} cannot be used: {reason}. {remedy}")


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except (ArgumentError, NoSuchModuleError):
        backend = ""
    if backend not in {"sqlite", "postgres", "postgresql"}:
        raise BadInput(
            "A database URL starts with sqlite:/// or postgresql://. Correct STUDIEVEI_DATABASE_URL."
        )
    return parsed if backend == "sqlite" else parsed.set(drivername="postgresql+psycopg")


def _make_folder(url: URL) -> None:
    if not url.database or url.database == ":memory:" or "uri" in url.query:
        return
    folder = Path(url.database).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(
            f"The folder {folder} cannot be made ({error.strerror}). "
            "Set STUDIEVEI_DATA_DIR to a folder that you can write to."
        ) from error


def _sqlite(url: URL) -> Engine:
    engine = create_engine(url)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: object) -> None:
        connection.isolation_level = None  # the driver opens no transactions; `begin` below does
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = ON")  # what is deleted is overwritten

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
