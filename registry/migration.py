"""The tables of a database, brought up to date or taken back by the scripts of migrations/versions."""

from collections.abc import Callable

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Engine, text

from ontology.errors import Mismatch
from registry.database import writing

MIGRATION_LOCK = 5_783_484  # any number, the same in every process


def upgrade(engine: Engine) -> None:
    """Run the scripts that the database has not seen, in one transaction; two processes may do it at once.

    Raises:
        Mismatch: the database was written by a newer version of this program.
    """
    try:
        _alter(engine, command.upgrade, "head")
    except CommandError as error:
        raise Mismatch(f"A newer Studievei wrote this database ({error}). Install that version.") from error


def downgrade(engine: Engine, to: str) -> None:
    """Undo the scripts after `to` ("0001", or "base" for an empty database)."""
    _alter(engine, command.downgrade, to)


def _alter(engine: Engine, direction: Callable[[Config, str], None], to: str) -> None:
    config = Config()
    config.set_main_option("script_location", "registry:migrations")
    config.set_main_option("path_separator", "os")
    with writing(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
        config.attributes["connection"] = connection
        direction(config, to)
