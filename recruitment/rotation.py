"""Another key for all that is sealed. Every sealed column says in its `info` what its bytes are bound to."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Engine, Row, func, select, update

from ontology.errors import Mismatch
from recruitment.tables import interests
from recruitment.vault import Vault, key_id_of
from registry.database import reading, writing

BATCH = 200


@dataclass(frozen=True, slots=True)
class Resealed:
    """How many values were given the newest key; those that no key here opens stay as they are."""

    resealed: int = 0
    unreadable: int = 0


def sealed_columns() -> tuple[Column[bytes], ...]:
    """Every column of the database that holds bytes sealed by the vault."""
    columns = (column for table in interests.metadata.sorted_tables for column in table.columns)
    return tuple(column for column in columns if "bound_to" in column.info)


def keys_in_use(engine: Engine) -> Counter[str]:
    """How many sealed values each key id has."""
    used: Counter[str] = Counter()
    with reading(engine) as connection:
        for column in sealed_columns():
            header = func.substr(column, 1, 5)
            counted = select(header, func.count()).where(func.length(column) > 0).group_by(header)
            for found, count in connection.execute(counted):
                used[key_id_of(found)] += count
    return used


def reseal(engine: Engine, vault: Vault) -> Resealed:
    """Seals everything with the vault's newest key, a batch a transaction, while others read and write.

    A value that changes meanwhile keeps what it was changed to: ask `keys_in_use` whether to run it again.
    """
    counts: Counter[bool] = Counter()
    for column in sealed_columns():
        for rows in _batches(engine, column):
            counts.update(_reseal_rows(engine, vault, column, rows))
    return Resealed(counts[True], counts[False])


def _batches(engine: Engine, column: Column[bytes]) -> Iterator[list[Row[Any]]]:
    """The rows with something in the column, by their key."""
    key, last = _key(column), ""
    while True:
        some = select(column.table).where(key > last, func.length(column) > 0).order_by(key).limit(BATCH)
        with reading(engine) as connection:
            rows = list(connection.execute(some))
        if not rows:
            return
        yield rows
        last = rows[-1]._mapping[key]


def _reseal_rows(engine: Engine, vault: Vault, column: Column[bytes], rows: list[Row[Any]]) -> Counter[bool]:
    """How many of the rows could be resealed, and how many not."""
    counts: Counter[bool] = Counter()
    with writing(engine) as connection:
        for row in rows:
            old, bound_to = row._mapping[column], column.info["bound_to"].format_map(row._mapping)
            if key_id_of(old) == vault.newest:
                continue
            try:
                new = vault.seal(vault.open(old, bound_to), bound_to)
            except Mismatch:
                counts[False] += 1
                continue
            same = (_key(column) == row._mapping[_key(column)], column == old)
            counts[True] += connection.execute(
                update(column.table).where(*same).values({column: new})
            ).rowcount
    return counts


def _key(column: Column[bytes]) -> Column[str]:
    (key,) = column.table.primary_key.columns
    return key
