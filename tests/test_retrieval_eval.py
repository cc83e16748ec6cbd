"""Search quality is measured as the literature defines it, and nothing is left out of a mean."""

import gzip
import json
from collections.abc import Sequence
from math import log2
from pathlib import Path

import pytest

from eval.ranking.collection import Collection, read_collection
from eval.ranking.retrieval import evaluate
from eval.ranking.topics import Judgment
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
    answers = {"asthma": ["d3", "d1", "d2"], "gout": ["d3"]}
    scores = evaluate(read_collection(folder), lambda words, _: answers[words])
    ideal = 2 / log2(2) + 1 / log2(3)
    assert scores.per_topic["q1"] == pytest.approx(
        {
            "nDCG@10": (2 / log2(3) + 1 / log2(4)) / ideal,
            "R@50": 1.0,
            "RR": 1 / 2,
            "P@10": 2 / 10,
            "Judged@10": 1.0,
        }
    )
    assert scores.mean["RR"] == pytest.approx((1 / 2 + 1) / 2)


def test_the_wordings_of_a_topic_are_averaged(folder: Path) -> None:
    answers = {"astma": ["d1"], "tung pust": ["d3", "d1"], "urinsyregikt": ["d1"]}
    scores = evaluate(read_collection(folder, "typed"), lambda words, _: answers[words])
    assert scores.per_topic["q1"]["RR"] == pytest.approx((1 + 1 / 2) / 2)


def test_a_topic_without_hits_scores_nothing_and_stays_in_the_mean(folder: Path) -> None:
    def search(words: str, _: int) -> Sequence[str]:
        if words == "gout":
            raise BadInput("refused")
        return ["d1"]

    scores = evaluate(read_collection(folder), search)
    assert scores.per_topic["q2"]["nDCG@10"] == 0
    assert scores.mean["RR"] == pytest.approx(1 / 2)


def test_hits_that_nobody_judged_can_be_left_out(folder: Path) -> None:
    collection = read_collection(folder)
    found = {"asthma": ["unseen", "d1"], "gout": ["d3"]}
    search = lambda words, _: found[words]  # noqa: E731 - one line
    assert evaluate(collection, search).per_topic["q1"]["RR"] == 1 / 2
    assert evaluate(collection, search, judged_only=True).per_topic["q1"]["RR"] == 1


def test_a_topic_that_nothing_answers_counts_hits_and_no_rank(folder: Path) -> None:
    with (folder / "qrels" / "test.tsv").open("a") as file:
        file.write("unjudged\td1\t0\n")
    collection = read_collection(folder)
    found = {"asthma": ["d1"], "gout": ["d3"], "cough": ["d1", "d2"]}
    scores = evaluate(collection, lambda words, _: found[words])
    assert collection.impossible == {"unjudged"}
    assert scores.per_topic.keys() == {"q1", "q2"}
    assert scores.shown_for_nothing == 2


def test_topics_and_judgments_in_trec_form_replace_the_folders_own(folder: Path) -> None:
    (folder / "topics.xml").write_text('<topics><topic number="7">cough</topic></topics>')
    (folder / "qrels.txt").write_text("7 0 d2 1\n")
    collection = read_collection(folder, topics=folder / "topics.xml", qrels=folder / "qrels.txt")
    assert [(topic.id, topic.wordings) for topic in collection.topics] == [("7", ("cough",))]
    assert collection.qrels == (Judgment("7", "d2", 1),)


def test_documents_may_come_from_a_register_and_be_absent(folder: Path) -> None:
    (folder / "corpus.jsonl").unlink()
    (folder / "corpus.toml").write_text('samples = true\nrecords = ["gone.jsonl.gz"]\n')
    (folder / "qrels" / "test.tsv").write_text(
        "query-id\tcorpus-id\tscore\nq1\tEKS-22\t2\nq1\tNCT1\t1\nq2\tNCT1\t1\nunjudged\tEKS-01\t0\n"
    )
    collection = read_collection(folder)
    assert collection.absent == ("gone.jsonl.gz",)
    assert {topic.id for topic in collection.topics} == {"q1", "unjudged"}, "only NCT1 would answer q2"
    assert collection.qrels == (Judgment("q1", "EKS-22", 2), Judgment("unjudged", "EKS-01", 0))


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
