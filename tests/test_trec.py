"""TREC's forms are read as TREC means them, and what is written is read back the same."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.ranking.topics import Judgment
from eval.ranking.trec import read_qrels, read_run, read_topics, write_qrels, write_run
from ontology.errors import BadInput

CLASSIC = """<top>
<num> Number: 301
<title> International Organized Crime

<desc> Description:
Identify organizations that participate
in international criminal activity.
<narr> Narrative:
A relevant document must name one.
</top>
<top><num>Number: 302<title>Poliomyelitis<desc>Is the disease under control?</top>
"""
DECISION = """<topics>
<topic number="1" type="diagnosis">
  <description>A 58-year-old woman with chest pain.</description>
  <summary>Woman with <b>chest</b> pain &amp; obesity.</summary>
</topic>
</topics>"""
TRIALS = """<?xml version="1.0"?>
<topics task="TREC"><topic number="1">
Patient is
a 45-year-old man.
</topic></topics>"""

names = st.text("abcdefNCT0123456789-", min_size=1, max_size=8)


def written(folder: Path, text: str) -> Path:
    file = folder / "file"
    file.write_text(text, "utf-8")
    return file


@pytest.mark.parametrize(
    ("text", "field", "expected"),
    [
        (CLASSIC, "text", [("301", "International Organized Crime"), ("302", "Poliomyelitis")]),
        (
            CLASSIC,
            "desc",
            [
                ("301", "Identify organizations that participate in international criminal activity."),
                ("302", "Is the disease under control?"),
            ],
        ),
        (DECISION, "summary", [("1", "Woman with chest pain & obesity.")]),
        (TRIALS, "text", [("1", "Patient is a 45-year-old man.")]),
    ],
)
def test_topics_of_either_form_are_read(
    tmp_path: Path, text: str, field: str, expected: list[tuple[str, str]]
) -> None:
    topics = read_topics(written(tmp_path, text), field)
    assert [(topic.id, topic.wordings[0]) for topic in topics] == expected


def test_the_type_of_a_topic_is_kept(tmp_path: Path) -> None:
    assert read_topics(written(tmp_path, DECISION), "summary")[0].kind == "diagnosis"


@pytest.mark.parametrize(
    ("text", "field", "said"),
    [
        (DECISION, "note", "description, summary, text"),
        ("<topics>", "text", "neither XML"),
        ("plain", "text", "XML"),
    ],
)
def test_topics_that_cannot_be_read_are_refused(tmp_path: Path, text: str, field: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        read_topics(written(tmp_path, text), field)


def test_a_run_is_ordered_by_score_and_equal_scores_as_trec_eval_does(tmp_path: Path) -> None:
    file = written(tmp_path, "1 Q0 a 1 0.5 x\n1 Q0 b 2 0.5 x\n1 Q0 c 3 7 x\n2 Q0 a 1 1e-3 x\n")
    assert read_run(file) == {"1": ("c", "b", "a"), "2": ("a",)}


@given(st.dictionaries(names, st.lists(names, unique=True, max_size=200).map(tuple), max_size=5))
def test_a_written_run_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rankings: dict[str, tuple[str, ...]]
) -> None:
    file = tmp_path_factory.mktemp("run") / "run.txt"
    write_run(file, rankings, "two words")
    assert read_run(file) == {name: ranking for name, ranking in rankings.items() if ranking}


@given(st.lists(st.builds(Judgment, names, names, st.integers(0, 2))))
def test_written_judgments_are_read_back(
    tmp_path_factory: pytest.TempPathFactory, qrels: list[Judgment]
) -> None:
    file = tmp_path_factory.mktemp("qrels") / "qrels.txt"
    write_qrels(file, qrels)
    assert read_qrels(file) == tuple(qrels)


def test_a_negative_grade_is_not_relevant(tmp_path: Path) -> None:
    assert read_qrels(written(tmp_path, "1 0 a -1\n")) == (Judgment("1", "a", 0),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1 Q0 a 1 0.5", "line 1 has 5 columns"),
        ("1 Q0 a 1 high x", "not a number"),
        ("1 Q0 a 1 1 x\n1 Q0 a 2 0 x", "twice"),
    ],
)
def test_a_broken_run_is_refused_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        read_run(written(tmp_path, text))


def test_broken_judgments_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="whole number"):
        read_qrels(written(tmp_path, "1 0 a high"))
    with pytest.raises(BadInput, match="cannot be read"):
        read_qrels(tmp_path / "absent")
