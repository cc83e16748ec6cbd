"""Our own test collection is sound, holds nothing of the register but ids, and was not used to tune."""

import json
from collections import Counter
from importlib.resources import as_file, files
from pathlib import Path

from eval.ranking.collection import Collection, read_collection

FOLDER = files("eval") / "data" / "nb"
KINDS = {
    "lay",
    "symptom",
    "relative",
    "drug",
    "treatment",
    "aspect",
    "typo",
    "dialect",
    "nynorsk",
    "clinical",
    "volunteer",
    "none",
}


def collection() -> Collection:
    with as_file(FOLDER) as folder:
        return read_collection(folder)


def queries() -> list[dict[str, str]]:
    return [json.loads(line) for line in (FOLDER / "queries.jsonl").read_text("utf-8").splitlines()]


def test_it_is_large_and_varied() -> None:
    rows = queries()
    assert (
        len({row["text"].casefold() for row in rows}) == len({row["_id"] for row in rows}) == len(rows) >= 150
    )
    kinds = Counter(row["metadata"]["type"] for row in rows)  # type: ignore[index]  # metadata is an object
    assert kinds.keys() == KINDS
    assert kinds["none"] >= 10
    assert min(kinds.values()) >= 4


def test_every_judged_study_exists(shared_data: Path) -> None:
    assert shared_data.is_dir()
    own = collection()
    assert not own.absent
    assert len(own.documents) == 259
    assert {each.document for each in own.qrels} <= {study.id for study in own.documents}
    assert {each.grade for each in own.qrels} == {0, 1, 2}
    assert {topic.id for topic in own.topics} == {row["_id"] for row in queries()}
    assert {topic.id for topic in own.topics if topic.kind == "none"} == own.impossible


def test_it_holds_ids_and_no_text_of_the_register() -> None:
    assert {file.name for file in FOLDER.iterdir()} == {"README.md", "corpus.toml", "queries.jsonl", "qrels"}
    rows = (FOLDER / "qrels" / "test.tsv").read_text("ascii").splitlines()
    assert all(len(row) <= len("nb001\tNCT00000000\t2") for row in rows[1:])


def test_no_query_is_one_of_those_that_words_are_tuned_on(shared_data: Path) -> None:
    own = (files("eval") / "data" / "lay_queries.jsonl").read_text("utf-8").splitlines()
    tuned = [row for row in map(json.loads, own) if row["split"] == "dev"]
    shared = (shared_data / "lay_queries_dev.jsonl").read_text("utf-8").splitlines()
    seen = {row["query"].casefold() for row in (*tuned, *map(json.loads, shared))}
    assert not seen & {row["text"].casefold() for row in queries()}
