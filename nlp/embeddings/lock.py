"""One writer at a time in a folder, of all threads and processes."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ontology.errors import Unavailable

PATIENCE = 600.0
"""Seconds that a writer waits for another."""


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Make the folder if need be and keep other writers out; SQLite's lock goes with a killed process.

    Raises:
        Unavailable: the folder cannot be written to, or another writer stays.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = sqlite3.connect(folder / "lock", timeout=PATIENCE, isolation_level=None)
        lock.execute("BEGIN EXCLUSIVE")
    except (OSError, sqlite3.OperationalError) as error:
        raise Unavailable(
            f"Cannot write in {folder}: {error}. Check its owner, and other writers."
        ) from error
    try:
        yield
    finally:
        lock.close()
