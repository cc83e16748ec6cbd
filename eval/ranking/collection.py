"""Test collections: what is searched, what for, and what is right. BEIR folders are read here.

A folder holds `queries.jsonl`, `qrels/test.tsv`, and the documents as `corpus.jsonl[.gz]` or, where studies
come from a register and are not copied, `corpus.toml`. Other forms: trec.py and irds.py.
"""

import csv
import gzip
import hashlib
import json
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from eval.ranking.topics import Judgment, Topic
from eval.ranking.trec import read_qrels, read_topics
from ontology.errors import BadInput
from registry.ctgov import read_file
from registry.form import sample_studies
from registry.study import Status, Study


@dataclass(frozen=True)
class Collection:
    """A test collection. `absent` says which of its documents are not on this machine."""

    name: str
    documents: tuple[Study, ...]
    topics: tuple[Topic, ...]
    qrels: tuple[Judgment, ...]
    absent: tuple[str, ...] = ()

    @cached_property
    def fingerprint(self) -> str:
        """Changes with the documents, so that an index of them can be kept."""
        digest = hashlib.sha256()
        for study in self.documents:
            digest.update(repr(study).encode("utf-8", "surrogatepass"))
        return digest.hexdigest()[:16]

    @cached_property
    def impossible(self) -> frozenset[str]:
        """Ids of topics that no document answers: the right answer is none."""
        return frozenset(each.topic for each in self.qrels) - {q.topic for q in self.qrels if q.grade > 0}


def read_collection(
    folder: Path, queries: str = "text", topics: Path | None = None, qrels: Path | None = None
) -> Collection:
    """Read the BEIR folder; `queries` names the field of its queries (or of their metadata) to search with.

    A field that holds a list gives a topic several wordings. Only judged topics are kept, in file order.
    `topics` and `qrels` are files in TREC form that replace the folder's own. Judgments of documents that are
    absent are left out, with the topics that only those would answer.

    Raises:
        BadInput: a file is missing or malformed, or no query has the field.
    """
    documents, absent = read_documents(folder)
    judgments = read_qrels(qrels) if qrels else tuple(_judgments(_existing(folder / "qrels" / "test.tsv")))
    asked = read_topics(topics, queries) if topics else _topics(_existing(folder / "queries.jsonl"), queries)
    return assemble(folder.resolve().name, documents, asked, judgments, absent)


def assemble(
    name: str,
    documents: Sequence[Study],
    topics: Iterable[Topic],
    qrels: Iterable[Judgment],
    absent: Sequence[str] = (),
) -> Collection:
    """A collection of the topics that were judged, without what only absent documents answer.

    Raises:
        BadInput: no topic was judged.
    """
    judged = tuple(qrels)
    there = {study.id for study in documents}
    kept = tuple(each for each in judged if each.document in there) if absent else judged
    lost = _answered(judged) - _answered(kept)
    known = {each.topic for each in kept} - lost
    asked = tuple(topic for topic in topics if topic.id in known)
    if not asked:
        raise BadInput(f"No query of {name} was judged. Queries and judgments must have the same ids.")
    ids = {topic.id for topic in asked}
    return Collection(
        name, tuple(documents), asked, tuple(each for each in kept if each.topic in ids), tuple(absent)
    )


def of_judgments(name: str, qrels: Sequence[Judgment]) -> Collection:
    """A collection of which only the judgments are known: enough to score runs.

    Raises:
        BadInput: there are no judgments.
    """
    return assemble(
        name, (), [Topic(topic, (topic,)) for topic in dict.fromkeys(q.topic for q in qrels)], qrels
    )


def _answered(qrels: Iterable[Judgment]) -> set[str]:
    return {each.topic for each in qrels if each.grade > 0}


def read_documents(folder: Path) -> tuple[tuple[Study, ...], tuple[str, ...]]:
    """The documents of a folder, and the names of the files that corpus.toml wants and this machine lacks.

    Raises:
        BadInput: there is no corpus, or it is malformed.
    """
    recipe = folder / "corpus.toml"
    if recipe.is_file():
        return _from_registers(recipe)
    corpus = _existing(folder / "corpus.jsonl", folder / "corpus.jsonl.gz")
    return tuple(_study(row) for row in rows(corpus)), ()


def _from_registers(recipe: Path) -> tuple[tuple[Study, ...], tuple[str, ...]]:
    """The studies that corpus.toml names, and which of its files are absent; paths are relative to it."""
    try:
        wanted = tomllib.loads(recipe.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{recipe} is not TOML: {error}.") from None
    if unknown := wanted.keys() - {"samples", "records"}:
        raise BadInput(f"{recipe} may say samples and records, not {', '.join(sorted(unknown))}.")
    files = [recipe.parent / name for name in wanted.get("records", ())]
    present = [file for file in files if file.is_file()]
    read = [item for file in present for item in read_file(file)]
    found = list(sample_studies()) if wanted.get("samples") else []
    found += [item for item in read if isinstance(item, Study)]
    studies = tuple({study.id: study for study in found if isinstance(study, Study)}.values())
    return studies, tuple(file.name for file in files if file not in present)


def _existing(*candidates: Path) -> Path:
    for path in candidates:
        if path.is_file():
            return path
    raise BadInput(
        f"{candidates[0]} does not exist. A BEIR folder has corpus.jsonl, queries.jsonl and qrels/test.tsv."
    )


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a jsonl file; each has an _id.

    Raises:
        BadInput: a line is no such object.
    """
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


def _topics(path: Path, field: str) -> list[Topic]:
    fields: set[str] = set()
    found = []
    for row in rows(path):
        metadata = row.get("metadata", {})
        values = {**metadata, **row}
        fields |= values.keys() - {"_id", "metadata"}
        if field in values:
            value = values[field]
            wordings = tuple(value) if isinstance(value, list) else (value,)
            found.append(Topic(row["_id"], wordings, metadata.get("type", "")))
    if not found:
        raise BadInput(f"No query has the field {field!r}. There are: {', '.join(sorted(fields))}.")
    return found


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
