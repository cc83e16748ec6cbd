from pathlib import Path

import pytest

from nlp.embeddings.sparse import Name, SparseIndex
from ontology.errors import Unavailable
from registry.study import Intervention, Status, Study

STUDIES = {
    1: Study(
        "A",
        "test",
        "Trening ved kronisk hjertesvikt",
        Status.OPEN,
        language="nb",
        summary="Vi undersøker pustevansker.",
    ),
    2: Study(
        "B",
        "test",
        "Exercise in heart failure",
        Status.OPEN,
        conditions=("Heart Failure",),
        keywords=("training",),
    ),
    3: Study(
        "C",
        "test",
        "Insulin pumps",
        Status.OPEN,
        conditions=("Type 1 Diabetes",),
        interventions=(Intervention("drug", "Novorapid"),),
    ),
    4: Study(
        "D",
        "test",
        "Asthma inhalers for men",
        Status.OPEN,
        summary="A trial of heart rate.",
        criteria="Inclusion Criteria:\n* wheezing\nExclusion Criteria:\n* diabetes",
    ),
    5: Study("E", "test", "Kosthald og sjukdom i tarmen", Status.OPEN, language="nn"),
}


@pytest.fixture
def index(tmp_path: Path) -> SparseIndex:
    index = SparseIndex.create(tmp_path)
    for number, study in STUDIES.items():
        index.add(number, study)
    index.commit()
    return index


def found(index: SparseIndex, text: str, language: str = "nb") -> list[int]:
    return [number for number, _ in index.search(text, language, 10)]


@pytest.mark.parametrize(
    ("text", "language", "wanted"),
    [
        ("hjertesvikten", "nb", [1]),
        ("sjukdommar", "nn", [5]),
        ("exercising", "en", [2]),
        ("DIABETES", "en", [3]),
        ("novorapid", "nb", [3]),
        ("wheeze", "en", [4]),
        ("heart", "en", [2, 4]),
        ("failures of the heart", "en", [2, 4]),
        ("hjertesvigt", "nb", [1]),
        ("diab", "nb", [3]),
        ("fatigue", "en", []),
    ],
)
def test_words_are_found_in_any_form(index: SparseIndex, text: str, language: str, wanted: list[int]) -> None:
    assert found(index, text, language) == wanted


def test_small_words_of_the_question_do_not_count(index: SparseIndex) -> None:
    assert found(index, "men ikke og den for", "nb") == []
    assert found(index, "men", "en") == [4]


def test_another_name_of_the_concept_finds_the_study(index: SparseIndex) -> None:
    names = [Name("hjertesvikt", "nb"), Name("heart failure", "en")]
    assert found(index, "trøtt tikker") == []
    assert {number for number, _ in index.search("trøtt tikker", "nb", 10, [names])} == {1, 2}


@pytest.mark.parametrize(
    "text", ["", "\x00", '"', "a:b AND (", "title_en:*", "^~[]{}!\\", "👍", "\ud800", "-", "+hjerte\x00svikt"]
)
def test_no_character_is_special(index: SparseIndex, text: str) -> None:
    index.search(text, "nb", 10)


def test_a_very_long_question_is_answered(index: SparseIndex) -> None:
    assert 2 in found(index, "heart " + " ".join(f"ord{number}" for number in range(20_000)), "en")


def test_changes_show_after_commit_and_on_reopening(index: SparseIndex, tmp_path: Path) -> None:
    index.remove(1)
    index.add(6, STUDIES[1])
    assert found(index, "hjertesvikt") == [1]
    index.commit()
    assert found(index, "hjertesvikt") == [6]
    again = SparseIndex.load(tmp_path)
    assert found(again, "hjertesvikt") == [6]
    assert again.count == len(STUDIES)


def test_the_same_question_gives_the_same_scores(index: SparseIndex) -> None:
    first = index.search("heart training diab hjertesvigt", "en", 10)
    assert all(index.search("heart training diab hjertesvigt", "en", 10) == first for _ in range(5))


def test_a_missing_or_damaged_folder_names_the_remedy(index: SparseIndex, tmp_path: Path) -> None:
    (tmp_path / "meta.json").write_text("{")
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(Unavailable, match="studievei index --rebuild"):
            SparseIndex.load(folder)
