"""Grading hits for new queries: the pool, the grades given so far, and the folder that keeps both.

The folder holds `queries.jsonl`, `pool.jsonl` (every pair to grade, with what there is to read),
`grades.jsonl` (one line a grade, appended at once, the last one counts) and `qrels.txt` (TREC form).
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock

from api.library import open_store
from api.settings import Settings
from eval.ranking.collection import Collection, read_documents, rows
from eval.ranking.retrieval import Search
from eval.ranking.systems import open_systems
from eval.ranking.topics import Judgment, Topic
from eval.ranking.trec import read_topics, write_qrels
from ontology.errors import BadInput
from registry.study import Study

GRADES = (0, 1, 2)


@dataclass(frozen=True, slots=True)
class Pair:
    """A query and a study that some system found for it, with what an evaluator reads."""

    topic: str
    words: str
    document: str
    title: str
    conditions: str
    summary: str
    criteria: str
    url: str


class Session:
    """One evaluator's work in one folder. Safe to share between threads."""

    def __init__(self, folder: Path, pairs: Sequence[Pair]) -> None:
        self.pairs = tuple(pairs)
        self._folder = folder
        self._lock = Lock()
        self._grades = _read_grades(folder / "grades.jsonl")

    @property
    def graded(self) -> int:
        """How many pairs have a grade."""
        return sum(self.grade_of(pair) is not None for pair in self.pairs)

    def grade_of(self, pair: Pair) -> int | None:
        """The grade that was given, if one was."""
        return self._grades.get((pair.topic, pair.document))

    def next_after(self, number: int) -> int | None:
        """The first pair without a grade after pair `number`, then from the start (1); None when done."""
        order = [*range(number + 1, len(self.pairs) + 1), *range(1, number + 1)]
        return next((each for each in order if self.grade_of(self.pairs[each - 1]) is None), None)

    def grade(self, pair: Pair, grade: int) -> None:
        """Keep a grade; it is on the disk when this returns, and the qrels hold it.

        Raises:
            BadInput: the grade is none of GRADES, or the folder cannot be written to.
        """
        if grade not in GRADES:
            raise BadInput(f"The grade {grade} is not known. Use 0, 1 or 2.")
        with self._lock:
            _append(
                self._folder / "grades.jsonl",
                {"topic": pair.topic, "document": pair.document, "grade": grade},
            )
            self._grades[pair.topic, pair.document] = grade
            write_qrels(self._folder / "qrels.txt", self.qrels())

    def qrels(self) -> list[Judgment]:
        """What was graded, in the order of the pool."""
        found = ((pair, self.grade_of(pair)) for pair in self.pairs)
        return [Judgment(pair.topic, pair.document, grade) for pair, grade in found if grade is not None]


def open_session(
    queries: Path,
    folder: Path,
    *,
    documents: Path | None,
    systems: Sequence[str],
    depth: int,
    settings: Settings,
) -> Session:
    """Go on with the work in `folder`, or pool the hits of the systems for the queries and begin.

    A folder that holds a pool is taken as it is, so that what is graded does not change under the evaluator.

    Raises:
        BadInput: the queries cannot be read, there are no documents, or a system is not known.
    """
    pool = folder / "pool.jsonl"
    if not pool.is_file():
        topics = read_queries(queries)
        collection = _searched(documents, topics, settings)
        found = pool_hits(topics, open_systems(systems, collection, settings), depth)
        _write(folder / "queries.jsonl", ({"_id": t.id, "text": t.wordings[0]} for t in topics))
        _write(pool, (asdict(pair) for pair in _pairs(topics, found, collection.documents)))
    try:
        lines = pool.read_text("utf-8").splitlines()
        return Session(folder, [Pair(**json.loads(line)) for line in lines])
    except (ValueError, TypeError) as error:
        raise BadInput(f"{pool} is damaged ({error}). Remove it to pool anew; grades are kept.") from None


def read_queries(path: Path) -> list[Topic]:
    """The queries of a file: queries.jsonl, topics in TREC form, or one query a line (named q1, q2 …).

    Raises:
        BadInput: the file is missing, malformed or empty.
    """
    if not path.is_file():
        raise BadInput(f"{path} does not exist. Name a file with one query a line.")
    if path.suffix == ".jsonl":
        return [Topic(str(row["_id"]), (str(row.get("text", "")),)) for row in rows(path)]
    content = path.read_text("utf-8")
    if content.lstrip().startswith("<"):
        return read_topics(path)
    lines = [line.strip() for line in content.splitlines() if line.strip()]
    if not lines:
        raise BadInput(f"{path} is empty. Write one query a line.")
    return [Topic(f"q{number}", (line,)) for number, line in enumerate(lines, 1)]


def pool_hits(topics: Iterable[Topic], systems: Mapping[str, Search], depth: int) -> dict[str, list[str]]:
    """The first `depth` hits of every system, by topic, each once, in an order that tells no ranks."""
    found: dict[str, list[str]] = {}
    for topic in topics:
        hits = {hit for search in systems.values() for hit in _hits(search, topic.wordings[0], depth)}
        found[topic.id] = sorted(hits, key=lambda hit: hashlib.sha256(f"{topic.id} {hit}".encode()).digest())
    return found


def _hits(search: Search, words: str, depth: int) -> Sequence[str]:
    try:
        return search(words, depth)
    except BadInput:
        return ()


def _searched(folder: Path | None, topics: Sequence[Topic], settings: Settings) -> Collection:
    if folder is not None:
        documents, absent = read_documents(folder)
        return Collection(folder.resolve().name, documents, tuple(topics), (), absent)
    with open_store(settings) as store:
        studies = tuple(store.all())
    if not studies:
        raise BadInput("No study is stored. Import some first, or name a --collection.")
    return Collection("stored", studies, tuple(topics), ())


def _pairs(
    topics: Sequence[Topic], found: Mapping[str, Sequence[str]], documents: Sequence[Study]
) -> list[Pair]:
    by_id = {study.id: study for study in documents}
    return [_pair(topic, by_id[document]) for topic in topics for document in found[topic.id]]


def _pair(topic: Topic, study: Study) -> Pair:
    return Pair(
        topic=topic.id,
        words=topic.wordings[0],
        document=study.id,
        title=study.title,
        conditions="; ".join(study.conditions),
        summary=study.summary or study.description,
        criteria=study.criteria,
        url=study.url,
    )


def _read_grades(path: Path) -> dict[tuple[str, str], int]:
    """The last grade of each pair. A line that a crash cut short is left out."""
    grades = {}
    for line in path.read_text("utf-8").splitlines() if path.is_file() else ():
        try:
            row = json.loads(line)
            grades[str(row["topic"]), str(row["document"])] = int(row["grade"])
        except (ValueError, KeyError, TypeError):
            continue
    return grades


def _append(path: Path, row: Mapping[str, object]) -> None:
    try:
        with path.open("a", encoding="utf-8") as file:
            torn = "\n" if file.tell() and not path.read_bytes().endswith(b"\n") else ""
            file.write(f"{torn}{json.dumps(row, ensure_ascii=False)}\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise BadInput(f"{path} cannot be written ({error.strerror}).") from error


def _write(path: Path, lines: Iterable[Mapping[str, object]]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f"{path.name}.new")
        beside.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), "utf-8")
        beside.replace(path)
    except OSError as error:
        raise BadInput(f"{path} cannot be written ({error.strerror}). Name another folder.") from error
