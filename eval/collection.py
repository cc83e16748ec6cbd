"""A BEIR folder (corpus, queries, qrels/test.tsv) read into studies, topics and judgments."""

import csv
import gzip
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ontology.errors import BadInput
from registry.study import Status, Study


@dataclass(frozen=True, slots=True)
class Topic:
    """What somebody searched for: one or more wordings of the same need."""

    id: str
    wordings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Judgment:
    """How relevant one document is to one topic: 0 not, 1 possibly, 2 highly."""

    topic: str
    document: str
    grade: int


@dataclass(frozen=True, slots=True)
class Collection:
    """A test collection. The fingerprint changes with the documents, so that an index can be kept."""

    name: str
    documents: tuple[Study, ...]
    topics: tuple[Topic, ...]
    qrels: tuple[Judgment, ...]
    fingerprint: str


def read_collection(folder: Path, queries: str = "text") -> Collection:
    """Read the BEIR folder; `queries` names the field of queries.jsonl (or of its metadata) to search with.

    A field that holds a list gives a topic several wordings. Only judged topics are kept, in file order.

    Raises:
        BadInput: a file is missing or malformed, or no query has the field.
    """
    corpus = _existing(folder / "corpus.jsonl", folder / "corpus.jsonl.gz")
    qrels = tuple(_judgments(_existing(folder / "qrels" / "test.tsv")))
    judged = {judgment.topic for judgment in qrels}
    topics = tuple(_topics(_existing(folder / "queries.jsonl"), queries, judged))
    return Collection(
        name=folder.resolve().name,
        documents=tuple(_study(row) for row in _rows(corpus)),
        topics=topics,
        qrels=qrels,
        fingerprint=hashlib.sha256(corpus.read_bytes()).hexdigest()[:16],
    )


def _existing(*candidates: Path) -> Path:
    for path in candidates:
        if path.is_file():
            return path
    raise BadInput(f"{candidates[0]} does not exist. A BEIR folder has corpus, queries and qrels/test.tsv.")


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                row = json.loads(line)
            except json.JSONDecodeError as error:
                raise BadInput(f"{path.name}, line {number} is not JSON: {error}.") from None
            if not isinstance(row, dict) or "_id" not in row:
                raise BadInput(f"{path.name}, line {number} has no _id.")
            yield row


def _judgments(path: Path) -> Iterator[Judgment]:
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            try:
                yield Judgment(row["query-id"], row["corpus-id"], int(row["score"]))
            except (KeyError, TypeError, ValueError):
                raise BadInput(
                    f"{path} needs the columns query-id, corpus-id and a whole-number score."
                ) from None


def _topics(path: Path, field: str, judged: set[str]) -> Iterator[Topic]:
    fields: set[str] = set()
    found = False
    for row in _rows(path):
        values = {**row.get("metadata", {}), **row}
        fields |= values.keys() - {"_id", "metadata"}
        if row["_id"] in judged and field in values:
            found = True
            value = values[field]
            yield Topic(row["_id"], tuple(value) if isinstance(value, list) else (value,))
    if not found:
        raise BadInput(f"No judged query has the field {field!r}. There are: {', '.join(sorted(fields))}.")


def _study(row: dict[str, Any]) -> Study:
    metadata = row.get("metadata", {})
    return Study(
        id=row["_id"],
        source="beir",
        title=row.get("title", ""),
        status=Status.UNDER_REVIEW,
        summary=row.get("text", ""),
        conditions=tuple(metadata.get("conditions", ())),
        keywords=tuple(metadata.get("keywords", ())),
        criteria=metadata.get("criteria") or "",
    )
