"""Where studies live: every version of each as a document, and columns to filter by."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from types import TracebackType
from typing import Any, Self

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    ForeignKey,
    MetaData,
    String,
    Table,
    Text,
    bindparam,
    func,
    insert,
    inspect,
    select,
    text,
    update,
)
from sqlalchemy.exc import DatabaseError

from ontology.errors import BadInput, StudieveiError
from registry.database import UtcDateTime, connect, reading, unavailable, writing
from registry.document import fingerprint, read_document, write_document
from registry.study import Study

BATCH = 500
NEWEST = "0008"
"""The last script of migrations/versions."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""All tables. Another room adds its own here, and a later script in registry/migrations/versions for them."""

studies = Table(
    "studies",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("source", String(32), nullable=False, index=True),
    Column("status", String(16), nullable=False, index=True),
    Column("language", String(8), nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("revision", BigInteger, nullable=False, unique=True),
    Column("removed", Boolean, nullable=False),
)
"""The latest revision of each study; the document is in `study_versions` under the same revision."""

study_versions = Table(
    "study_versions",
    metadata,
    Column("study_id", String(64), ForeignKey("studies.id"), primary_key=True),
    Column("revision", BigInteger, primary_key=True),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("document", Text),
)
"""Every revision that ever was; a document of NULL says that the study was removed then."""

study_revision = Table("study_revision", metadata, Column("value", BigInteger, nullable=False))
"""One row: the last revision given. Writers lock it first, so revisions are committed in their order."""

_current = (studies.c.id == study_versions.c.study_id) & (studies.c.revision == study_versions.c.revision)


class Change(StrEnum):
    """What putting a study did."""

    STORED = "stored"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Version:
    """A study as it was from `recorded_at` (UTC) on; `study` is None where it was removed."""

    revision: int
    recorded_at: datetime
    study: Study | None


class Store:
    """The studies of one database. Safe to share between threads; use it in a `with` block or close it."""

    def __init__(self, url: str, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """`url` is sqlite:///file or postgresql://...; `clock` tells the time, in any zone."""
        self.engine = connect(url)
        self._clock = clock

    @classmethod
    def open(cls, url: str) -> Self:
        """A store whose tables exist and are up to date.

        Raises:
            BadInput: `url` is not the URL of a database we know.
            Unavailable: the database does not answer or cannot be written; the message names the remedy.
            Mismatch: a newer version of this program wrote the database.
        """
        store = cls(url)
        try:
            store.migrate()
        except StudieveiError:
            store.close()
            raise
        return store

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def migrate(self) -> None:
        """Bring the tables up to date; two processes may do it at once. Raises as `open` does."""
        try:
            if self._version() != NEWEST:
                from registry.migration import upgrade  # noqa: PLC0415 - Alembic takes 0.2 s and is seldom needed

                upgrade(self.engine)
        except DatabaseError as error:
            raise unavailable(self.engine, error) from error

    def migrate_down(self, to: str = "base") -> None:
        """Undo the migrations after the script `to` ("0001", or "base" for an empty database)."""
        from registry.migration import downgrade  # noqa: PLC0415

        downgrade(self.engine, to)

    def _version(self) -> str | None:
        """The last migration script that the database has seen."""
        with reading(self.engine) as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()

    def put(self, study: Study) -> Change:
        """Keep a study. Tells whether it is new, differs from the version kept, or is the same."""
        return self.put_many([study])[0]

    def put_many(self, batch: Sequence[Study]) -> list[Change]:
        """Keep studies in one transaction: all, or none when it raises. Tells of each as `put` does."""
        with writing(self.engine) as connection:
            entry = _Entry(connection, self._clock())
            known = entry.known([study.id for study in batch])
            changes = [_classify(entry, known, study) for study in batch]
            entry.write()
        return changes

    def remove(self, study_id: str) -> None:
        """Take a study out; its versions stay.

        Raises:
            BadInput: no such study.
        """
        with writing(self.engine) as connection:
            entry = _Entry(connection, self._clock())
            row = connection.execute(
                select(studies).where(studies.c.id == study_id, ~studies.c.removed)
            ).one_or_none()
            if row is None:
                raise _unknown(study_id)
            entry.remove(row._asdict())
            entry.write()

    def get(self, study_id: str) -> Study:
        """The study of that id.

        Raises:
            BadInput: no such study.
        """
        try:
            return self.get_many([study_id])[study_id]
        except KeyError:
            raise _unknown(study_id) from None

    def get_many(self, ids: Iterable[str]) -> dict[str, Study]:
        """The studies of those ids, in their order; an id that is unknown or removed is left out."""
        wanted = list(dict.fromkeys(ids))
        found: dict[str, Study] = {}
        for start in range(0, len(wanted), BATCH):
            some = studies.c.id.in_(wanted[start : start + BATCH])
            found.update((study.id, study) for study in self._read(some))
        return {study_id: found[study_id] for study_id in wanted if study_id in found}

    def all(self) -> Iterator[Study]:
        """Every study, by id. Studies may be put meanwhile."""
        last = ""
        while page := self._read(studies.c.id > last):
            yield from page
            last = page[-1].id

    def count(self) -> int:
        """How many studies there are."""
        with reading(self.engine) as connection:
            return connection.execute(
                select(func.count()).select_from(studies).where(~studies.c.removed)
            ).scalar_one()

    def removed(self) -> tuple[str, ...]:
        """Ids of the studies that were taken out and have not come back."""
        with reading(self.engine) as connection:
            rows = connection.execute(select(studies.c.id).where(studies.c.removed).order_by(studies.c.id))
            return tuple(rows.scalars())

    def versions(self, study_id: str) -> tuple[Version, ...]:
        """Every version of a study, oldest first.

        Raises:
            BadInput: there never was such a study.
        """
        query = (
            select(study_versions)
            .where(study_versions.c.study_id == study_id)
            .order_by(study_versions.c.revision)
        )
        with reading(self.engine) as connection:
            rows = connection.execute(query).all()
        if not rows:
            raise _unknown(study_id)
        return tuple(
            Version(row.revision, row.recorded_at, read_document(row.document) if row.document else None)
            for row in rows
        )

    def revision(self) -> int:
        """The number of the last change; it only grows."""
        with reading(self.engine) as connection:
            return int(connection.execute(select(study_revision.c.value)).scalar_one())

    def changed_since(self, revision: int) -> Iterator[tuple[int, str]]:
        """(revision, study id) of every study stored, updated or removed after `revision`, in that order.

        A study that changed twice comes once, with its last change. `get_many` leaves the removed ones out.
        """
        query = select(studies.c.revision, studies.c.id).order_by(studies.c.revision).limit(BATCH)
        while True:
            with reading(self.engine) as connection:
                rows = connection.execute(query.where(studies.c.revision > revision)).all()
            if not rows:
                return
            yield from ((row.revision, row.id) for row in rows)
            revision = rows[-1].revision

    def _read(self, condition: Any) -> list[Study]:
        query = (
            select(study_versions.c.document)
            .join(studies, _current)
            .where(condition, ~studies.c.removed)
            .order_by(studies.c.id)
            .limit(BATCH)
        )
        with reading(self.engine) as connection:
            documents = connection.execute(query).scalars().all()
        return [read_document(document) for document in documents]


class _Entry:
    """What one transaction is about to write. Making one locks the change counter."""

    def __init__(self, connection: Connection, now: datetime) -> None:
        self._connection = connection
        self._now = now
        counter = update(study_revision).values(value=study_revision.c.value)
        self._revision: int = connection.execute(counter.returning(study_revision.c.value)).scalar_one()
        self._rows: dict[str, dict[str, Any]] = {}
        self._versions: list[dict[str, Any]] = []
        self._existing: set[str] = set()

    def known(self, ids: Sequence[str]) -> dict[str, str]:
        """Content hash of each of `ids` that the store holds and has not removed."""
        query = select(studies.c.id, studies.c.content_hash, studies.c.removed)
        hashes: dict[str, str] = {}
        for start in range(0, len(ids), BATCH):
            for row in self._connection.execute(query.where(studies.c.id.in_(ids[start : start + BATCH]))):
                self._existing.add(row.id)
                if not row.removed:
                    hashes[row.id] = row.content_hash
        return hashes

    def put(self, study: Study, document: str, content_hash: str) -> None:
        row = {
            "id": study.id,
            "source": study.source,
            "status": study.status.value,
            "language": study.language,
            "content_hash": content_hash,
            "removed": False,
        }
        self._add(row, document)

    def remove(self, row: dict[str, Any]) -> None:
        self._existing.add(row["id"])
        self._add(row | {"removed": True}, None)

    def _add(self, row: dict[str, Any], document: str | None) -> None:
        self._revision += 1
        stamp = {"revision": self._revision, "updated_at": self._now}
        self._rows[row["id"]] = row | stamp
        self._versions.append(
            {
                "study_id": row["id"],
                "revision": self._revision,
                "recorded_at": self._now,
                "document": document,
            }
        )

    def write(self) -> None:
        if not self._versions:
            return
        new = [row for row in self._rows.values() if row["id"] not in self._existing]
        old = [row | {"key": row["id"]} for row in self._rows.values() if row["id"] in self._existing]
        if new:
            self._connection.execute(insert(studies), new)
        if old:
            self._connection.execute(update(studies).where(studies.c.id == bindparam("key")), old)
        self._connection.execute(insert(study_versions), self._versions)
        self._connection.execute(update(study_revision).values(value=self._revision))


def _classify(entry: _Entry, known: dict[str, str], study: Study) -> Change:
    document = write_document(study)
    content_hash = fingerprint(document)
    before = known.get(study.id)
    if before == content_hash:
        return Change.UNCHANGED
    entry.put(study, document, content_hash)
    known[study.id] = content_hash
    return Change.STORED if before is None else Change.UPDATED


def _unknown(study_id: str) -> BadInput:
    return BadInput(f"No study {study_id!r} is stored. Look for it with: studievei search")
