"""Search quality is measured as the literature defines it, and nothing is left out of a mean."""

import gzip
import json
from collections.abc import Sequence
from math import log2
from pathlib import Path

import pytest

from eval.collection import Collection, read_collection
from eval.retrieval import evaluate
from ontology.errors import BadInput

DOCUMENTS = ("d1", "d2", "d3")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    corpus = [{"_id": each, "title": f"Study {each}", "text": "Text"} for each in DOCUMENTS]
    corpus[0]["metadata"] = {"conditions": ["Asthma"], "criteria": "Adults"}
    queries = [
        {"_id": "q1", "text": "asthma", "metadata": {"typed": ["astma", "tung pust"]}},
        {"_id": "q2", "text": "gout", "metadata": {"typed": ["urinsyregikt"]}},
        {"_id": "unjudged", "text": "cough", "metadata": {"typed": []}},
    ]
    (tmp_path / "corpus.jsonl").write_text("\n".join(map(json.dumps, corpus)))
    (tmp_path / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)))
    (tmp_path / "qrels").mkdir()
    (tmp_path / "qrels" / "test.tsv").write_text(
        "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t1\nq1\td3\t0\nq2\td3\t1\n"
    )
    return tmp_path


def ranking(*documents: str) -> list[tuple[str, float]]:
    return [(document, 1 / rank) for rank, document in enumerate(documents, 1)]


def test_a_folder_is_read_with_what_its_metadata_tells(folder: Path) -> None:
    collection = read_collection(folder)
    assert [study.id for study in collection.documents] == list(DOCUMENTS)
    assert collection.documents[0].conditions == ("Asthma",)
    assert [topic.wordings for topic in collection.topics] == [("asthma",), ("gout",)]


def test_a_packed_corpus_is_the_same_corpus(folder: Path) -> None:
    plain = read_collection(folder).documents
    corpus = folder / "corpus.jsonl"
    (folder / "corpus.jsonl.gz").write_bytes(gzip.compress(corpus.read_bytes()))
    corpus.unlink()
    assert read_collection(folder).documents == plain


def test_scores_are_those_of_the_definitions(folder: Path) -> None:
    answers = {"asthma": ranking("d3", "d1", "d2"), "gout": ranking("d3")}
    scores = evaluate(read_collection(folder), lambda words, _: answers[words])
    ideal = 2 / log2(2) + 1 / log2(3)
    assert scores.per_topic["q1"] == pytest.approx(
        {"nDCG@10": (2 / log2(3) + 1 / log2(4)) / ideal, "R@50": 1.0, "RR": 1 / 2, "P@10": 2 / 10}
    )
    assert scores.mean["RR"] == pytest.approx((1 / 2 + 1) / 2)


def test_the_wordings_of_a_topic_are_averaged(folder: Path) -> None:
    answers = {"astma": ranking("d1"), "tung pust": ranking("d3", "d1"), "urinsyregikt": ranking("d1")}
    scores = evaluate(read_collection(folder, "typed"), lambda words, _: answers[words])
    assert scores.per_topic["q1"]["RR"] == pytest.approx((1 + 1 / 2) / 2)


def test_a_topic_without_hits_scores_nothing_and_stays_in_the_mean(folder: Path) -> None:
    def search(words: str, _: int) -> Sequence[tuple[str, float]]:
        if words == "gout":
            raise BadInput("refused")
        return ranking("d1")

    scores = evaluate(read_collection(folder), search)
    assert scores.per_topic["q2"]["nDCG@10"] == 0
    assert scores.mean["RR"] == pytest.approx(1 / 2)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: (folder / "corpus.jsonl").unlink(), "corpus"),
        (lambda folder: (folder / "queries.jsonl").write_text("{"), "line 1 is not JSON"),
        (lambda folder: (folder / "corpus.jsonl").write_text('{"title": "x"}'), "no _id"),
        (lambda folder: (folder / "qrels" / "test.tsv").write_text("a\tb\n1\t2\n"), "columns"),
    ],
)
def test_a_spoilt_folder_is_refused_with_the_place(folder: Path, spoil: object, said: str) -> None:
    assert callable(spoil)
    spoil(folder)
    with pytest.raises(BadInput, match=said):
        read_collection(folder)


def test_an_unknown_field_is_answered_with_the_known_ones(folder: Path) -> None:
    with pytest.raises(BadInput, match="text, typed"):
        read_collection(folder, "description")


def test_the_shared_collection_is_whole(shared_data: Path) -> None:
    collection: Collection = read_collection(shared_data / "sigir2016", "keyword_queries")
    assert (len(collection.documents), len(collection.topics), len(collection.qrels)) == (3276, 59, 3515)
    assert all(topic.wordings for topic in collection.topics)
