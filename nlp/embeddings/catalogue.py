"""What an index knows of its studies besides words and vectors: one SQLite file, read without a server."""

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from nlp.embeddings.chunks import Chunk
from nlp.embeddings.facets import FACETS, Columns, facets_of
from nlp.embeddings.sites import Spot, Spots, is_placed, spots_of
from nlp.embeddings.subjects import Subjects
from ontology.errors import Unavailable
from registry.study import Status, Study

CHUNKS_PER_STUDY = 32
"""Chunk p of the study with number n has the number n * CHUNKS_PER_STUDY + p, so neither is looked up.

32, so that the chunks of a study are one 32-bit word of a bitmap.
"""

Number = TypeVar("Number", int, NDArray[np.int64])

_BITS = tuple(f"{facet}_bits" for facet in FACETS)

_TABLES = """
CREATE TABLE study (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    digest TEXT NOT NULL,
    ontology TEXT NOT NULL,
    title TEXT NOT NULL,
    language TEXT NOT NULL,
    status TEXT NOT NULL,
    words TEXT NOT NULL,
    minimum_age REAL,
    maximum_age REAL,
    placed INTEGER NOT NULL,
    {facets}
);
CREATE TABLE site (
    study INTEGER NOT NULL, name TEXT NOT NULL, latitude REAL NOT NULL, longitude REAL NOT NULL,
    recruits INTEGER NOT NULL
);
CREATE INDEX site_of_study ON site (study);
CREATE TABLE chunk (
    number INTEGER PRIMARY KEY,
    field TEXT NOT NULL,
    start INTEGER NOT NULL,
    end INTEGER NOT NULL,
    text TEXT NOT NULL
);
CREATE TABLE concept (
    concept TEXT NOT NULL, study INTEGER NOT NULL, weight REAL NOT NULL, PRIMARY KEY (concept, study)
) WITHOUT ROWID;
CREATE INDEX concept_of_study ON concept (study);
""".replace("{facets}", ", ".join(f"{column} INTEGER NOT NULL" for column in _BITS))


@dataclass(frozen=True, slots=True)
class State:
    """What a study was indexed from: the digest of its text, and the fingerprint of the ontology."""

    digest: str
    ontology: str


@dataclass(frozen=True, slots=True)
class About:
    """What a study is about: weights of concepts by id, and its HRCS categories."""

    concepts: Mapping[str, float]
    hrcs: Collection[str]


@dataclass(frozen=True, slots=True)
class Entry:
    """A study as the index shows it; `words` are its title, conditions and summary."""

    number: int
    id: str
    title: str
    status: Status
    words: str


class Catalogue:
    """Studies, chunks and concepts by number."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    @classmethod
    def create(cls, path: Path) -> "Catalogue":
        """Open a file to change it, an empty one if it is not there."""
        database = sqlite3.connect(path)
        if not path.stat().st_size:
            database.executescript(_TABLES)
        return cls(database)

    @classmethod
    def load(cls, path: Path) -> "Catalogue":
        """Open a file that nobody will change any more.

        Raises:
            Unavailable: it is missing or damaged.
        """
        address = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
        try:
            database = sqlite3.connect(address, uri=True, check_same_thread=False)
            database.execute("SELECT number FROM study LIMIT 1")
        except sqlite3.DatabaseError as error:
            raise Unavailable(f"{path} cannot be read. Run `studievei index --rebuild`.") from error
        return cls(database)

    def close(self) -> None:
        """Write what was changed and let go of the file."""
        self._database.commit()
        self._database.close()

    @property
    def count(self) -> int:
        """How many studies it holds."""
        return int(self._database.execute("SELECT count(*) FROM study").fetchone()[0])

    def states(self) -> dict[str, State]:
        """What every study was indexed from, by its id."""
        rows = self._database.execute("SELECT id, digest, ontology FROM study")
        return {study_id: State(digest, ontology) for study_id, digest, ontology in rows}

    def add(self, study: Study, state: State, chunks: Sequence[Chunk], about: About) -> int:
        """Add a new study; returns its number."""
        row = {
            "id": study.id,
            "digest": state.digest,
            "ontology": state.ontology,
            "title": study.title,
            "language": study.language,
            "status": study.status,
            "words": "\n".join((study.title, *study.conditions, study.summary)),
            "minimum_age": study.minimum_age,
            "maximum_age": study.maximum_age,
            "placed": is_placed(study),
            **dict(zip(_BITS, facets_of(study, about.hrcs).values(), strict=True)),
        }
        (number,) = self._database.execute(
            f"INSERT INTO study ({', '.join(row)}) VALUES (:{', :'.join(row)}) RETURNING number",  # noqa: S608
            row,
        ).fetchone()
        self._database.executemany(
            "INSERT INTO chunk VALUES (?, ?, ?, ?, ?)",
            [
                (n, c.field, c.start, c.end, c.text)
                for n, c in zip(chunk_numbers(number, len(chunks)), chunks, strict=True)
            ],
        )
        self._database.executemany(
            "INSERT INTO site VALUES (:study, :name, :latitude, :longitude, :recruits)",
            [asdict(spot) for spot in spots_of(number, study)],
        )
        self._write_concepts(number, about.concepts)
        return int(number)

    def relink(self, study: Study, ontology: str, about: About) -> None:
        """Replace what a study that is there is about."""
        (number,) = self._database.execute(
            "UPDATE study SET ontology = ?, hrcs_bits = ? WHERE id = ? RETURNING number",
            (ontology, facets_of(study, about.hrcs)["hrcs"], study.id),
        ).fetchone()
        self._database.execute("DELETE FROM concept WHERE study = ?", (number,))
        self._write_concepts(number, about.concepts)

    def _write_concepts(self, number: int, concepts: Mapping[str, float]) -> None:
        self._database.executemany(
            "INSERT INTO concept VALUES (?, ?, ?)",
            [(concept, number, weight) for concept, weight in concepts.items()],
        )

    def remove(self, study_id: str) -> int | None:
        """Forget a study; returns the number it had, None for an unknown id."""
        row = self._database.execute(
            "DELETE FROM study WHERE id = ? RETURNING number", (study_id,)
        ).fetchone()
        if row is None:
            return None
        first = row[0] * CHUNKS_PER_STUDY
        self._database.execute(
            "DELETE FROM chunk WHERE number BETWEEN ? AND ?", (first, first + CHUNKS_PER_STUDY - 1)
        )
        self._database.execute("DELETE FROM concept WHERE study = ?", row)
        self._database.execute("DELETE FROM site WHERE study = ?", row)
        return int(row[0])

    def entries(self, numbers: Iterable[int]) -> list[Entry]:
        """The studies with these numbers, in no special order."""
        rows = self._database.execute(
            "SELECT number, id, title, status, words FROM study"
            " WHERE number IN (SELECT value FROM json_each(?))",
            (json.dumps(list(numbers)),),
        )
        return [
            Entry(number, id_, title, Status(status), words) for number, id_, title, status, words in rows
        ]

    def chunks_of(self, study: int) -> list[int]:
        """The numbers of all chunks of a study."""
        first = study * CHUNKS_PER_STUDY
        rows = self._database.execute(
            "SELECT number FROM chunk WHERE number BETWEEN ? AND ?", (first, first + CHUNKS_PER_STUDY - 1)
        )
        return [number for (number,) in rows]

    def chunk(self, number: int, study_id: str) -> Chunk:
        """The chunk with this number."""
        row = self._database.execute(
            "SELECT field, start, end, text FROM chunk WHERE number = ?", (number,)
        ).fetchone()
        return Chunk(study_id, *row)

    def number_of(self, study_id: str) -> int | None:
        """The number of a study, None for an unknown id."""
        row = self._database.execute("SELECT number FROM study WHERE id = ?", (study_id,)).fetchone()
        return row and int(row[0])

    def subjects(self) -> Subjects:
        """What every study is about."""
        rows = self._database.execute("SELECT concept, study, weight FROM concept ORDER BY concept, study")
        return Subjects(rows.fetchall())

    def columns(self) -> Columns:
        """The facets of every study."""
        rows = self._database.execute(
            f"SELECT number, minimum_age, maximum_age, {', '.join(_BITS)} FROM study ORDER BY number"  # noqa: S608
        ).fetchall()
        number, youngest, oldest, *bits = zip(*rows, strict=True) if rows else [()] * (3 + len(_BITS))
        return Columns(
            np.array(number, dtype=np.int64),
            {facet: np.array(column, dtype=np.int64) for facet, column in zip(FACETS, bits, strict=True)},
            np.array([-np.inf if age is None else age for age in youngest], dtype=np.float64),
            np.array([np.inf if age is None else age for age in oldest], dtype=np.float64),
        )

    def titles(self) -> list[tuple[str, str, str]]:
        """(id, title, language) of every study."""
        return self._database.execute("SELECT id, title, language FROM study").fetchall()

    def spots(self) -> Spots:
        """The sites of every study whose place is known."""
        rows = self._database.execute("SELECT study, name, latitude, longitude, recruits FROM site")
        return Spots([Spot(study, name, y, x, bool(recruits)) for study, name, y, x, recruits in rows])

    def unplaced(self) -> frozenset[int]:
        """Numbers of the studies of which it is not known where in Norway they run."""
        return frozenset(n for (n,) in self._database.execute("SELECT number FROM study WHERE NOT placed"))


def chunk_numbers(study: int, count: int) -> range:
    """The numbers of the first `count` chunks of a study."""
    return range(study * CHUNKS_PER_STUDY, study * CHUNKS_PER_STUDY + count)


def study_of(chunk: Number) -> Number:
    """The number of the study that a chunk belongs to, or of the studies of an array of chunks."""
    return chunk // CHUNKS_PER_STUDY
