import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.embeddings.encoder import Encoder, Vectors
from nlp.embeddings.fusion import LEAST, WEIGHTS, fuse, scaled, weights
from nlp.embeddings.search import Hit, StudyIndex
from nlp.embeddings.telling import coverage, telling
from nlp.query import Chosen, Filters, Query, understand
from ontology.concept import CONDITION_COLUMNS, load_ontology
from ontology.errors import BadInput, Mismatch, Unavailable
from ontology.linker import Linker
from registry.study import Sex, Status, Study

LINKER = Linker(load_ontology())

STUDIES = (
    Study(
        "DIABETES",
        "test",
        "Exercise and glucose control",
        Status.OPEN,
        conditions=("Type 2 Diabetes",),
        summary="Does walking after meals lower blood glucose?",
        minimum_age=18,
    ),
    Study(
        "BREAST",
        "test",
        "Trøtthet etter brystkreft",
        Status.COMPLETED,
        language="nb",
        conditions=("Brystkreft",),
        summary="Vi undersøker hvorfor kvinner blir trøtte.",
        criteria="Inklusjonskriterier:\n- Kvinner\nEksklusjonskriterier:\n- Hjertesvikt",
        sex=Sex.FEMALE,
    ),
    Study(
        "HEART",
        "test",
        "Sacubitril in heart failure",
        Status.OPEN,
        conditions=("Heart Failure",),
        maximum_age=70,
    ),
    Study(
        "ASTHMA", "test", "Inhalers for children", Status.UNDER_REVIEW, conditions=("Asthma",), maximum_age=17
    ),
)


@pytest.fixture
def index(tmp_path: Path, toy_encoder: Encoder) -> StudyIndex:
    index = StudyIndex.open(tmp_path / "index", toy_encoder, load_ontology())
    index.update(STUDIES)
    return index


def ids(hits: Sequence[Hit]) -> list[str]:
    return [hit.study_id for hit in hits]


def reasons(hit: Hit, kind: str) -> list[str]:
    return [reason.text for reason in hit.why if reason.kind == kind]


def ask(text: str, status: str = "all") -> Query:
    return understand(text, LINKER, Chosen(Filters(status="open" if status == "open" else "all")))


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("sukkersyke", "DIABETES"),
        ("hjertesvikt", "HEART"),
        ("brystkreft", "BREAST"),
        ("breast cancer", "BREAST"),
        ("astma", "ASTHMA"),
        ("sacubitril", "HEART"),
        ("walking after meals", "DIABETES"),
        ("sacubitrill", "HEART"),
    ],
)
def test_everyday_words_find_the_study_in_either_language(index: StudyIndex, words: str, first: str) -> None:
    assert ids(index.search(ask(words)))[0] == first


def test_a_hit_says_why(index: StudyIndex) -> None:
    hit = index.search(ask("sukkersyke"))[0]
    (path,) = reasons(hit, "concept")
    assert path.startswith("«sukkersyke» → diabetes → ")
    assert "E11" in path
    hit = index.search(ask("lower glucose by WALKING"))[0]
    assert reasons(hit, "words") == ["glucose, walking, lower"]
    (passage,) = [reason for reason in hit.why if reason.kind == "passage"]
    assert passage.text in STUDIES[0].summary


def test_a_condition_that_keeps_people_out_does_not_pull_a_study_up(index: StudyIndex) -> None:
    breast = next(hit for hit in index.search(ask("hjertesvikt")) if hit.study_id == "BREAST")
    assert {reason.kind for reason in breast.why} == {"passage"}


def test_only_open_means_only_open(index: StudyIndex) -> None:
    assert set(ids(index.search(ask("brystkreft astma diabetes hjertesvikt", "open")))) == {
        "DIABETES",
        "HEART",
    }


@pytest.mark.parametrize(
    ("words", "missing"),
    [
        ("mann 60 år gammel kreft", {"BREAST", "ASTHMA"}),
        ("jente 9 år astma", {"DIABETES"}),
        ("kvinne 71 år gammel", {"HEART", "ASTHMA"}),
        ("kvinne 70 år gammel", {"ASTHMA"}),
        ("kreft", set()),
    ],
)
def test_age_and_sex_keep_out_only_what_states_otherwise(
    index: StudyIndex, words: str, missing: set[str]
) -> None:
    assert {study.id for study in STUDIES} - set(ids(index.search(ask(words)))) == missing


def test_a_filter_reaches_past_the_best_of_each_leg(tmp_path: Path, toy_encoder: Encoder) -> None:
    index = StudyIndex.open(tmp_path, toy_encoder, load_ontology())
    many = [
        Study(
            f"S{n:04}",
            "test",
            "Diabetes study",
            Status.OPEN if n % 100 == 99 else Status.COMPLETED,
            conditions=("Diabetes",),
        )
        for n in range(700)
    ]
    index.update(many)
    assert ids(index.search(ask("diabetes", "open"), 20)) == [f"S{n:04}" for n in range(99, 700, 100)]


def test_equal_studies_stand_in_the_order_of_their_ids(tmp_path: Path, toy_encoder: Encoder) -> None:
    index = StudyIndex.open(tmp_path, toy_encoder, load_ontology())
    index.update([Study(name, "test", "Migraine diary", Status.OPEN) for name in "CADB"])
    assert ids(index.search(ask("migraine"), 3)) == ["A", "B", "C"]
    assert index.search(ask("migraine")) == index.search(ask("migraine"))


@pytest.mark.parametrize("text", ["👍", "\x00", "!?", "—", ""])
def test_a_question_without_words_finds_nothing(index: StudyIndex, text: str) -> None:
    assert index.search(Query(text, "nb")) == []


def test_a_very_long_question_is_answered(index: StudyIndex) -> None:
    assert ids(index.search(Query("heart failure " * 8_000, "en")))[0] == "HEART"


def test_an_empty_index_finds_nothing(tmp_path: Path, toy_encoder: Encoder) -> None:
    index = StudyIndex.open(tmp_path / "nothing", toy_encoder, load_ontology())
    assert index.count == 0
    assert index.search(ask("astma")) == []
    assert index.remove(["A"]) == 0


def test_a_limit_below_one_is_refused(index: StudyIndex) -> None:
    with pytest.raises(BadInput, match="1 or more"):
        index.search(ask("astma"), 0)


def test_an_update_changes_what_changed(index: StudyIndex) -> None:
    renamed = replace(
        STUDIES[0], title="Løping mot migrene", conditions=("Migraine",), status=Status.AWAITING
    )
    handled: list[int] = []
    assert index.update([renamed, *STUDIES[1:]], handled.append) == 1
    assert handled == [4]
    assert index.count == 4
    hit = index.search(ask("migrene"))[0]
    assert (hit.study_id, hit.title, hit.status) == ("DIABETES", "Løping mot migrene", Status.AWAITING)
    assert not any(reasons(hit, "concept") for hit in index.search(ask("sukkersyke")))


def test_a_removed_study_is_gone_from_every_leg(index: StudyIndex) -> None:
    assert index.remove(["HEART", "HEART", "unknown"]) == 1
    assert index.count == 3
    assert "HEART" not in ids(index.search(ask("sacubitril heart failure hjertesvikt")))


def test_a_reader_sees_the_next_generation(index: StudyIndex, tmp_path: Path, toy_encoder: Encoder) -> None:
    reader = StudyIndex.open(tmp_path / "index", toy_encoder, load_ontology())
    assert "NEW" not in ids(reader.search(ask("migrene")))
    for number in range(4):
        index.update([Study("NEW", "test", f"Migraine {number}", Status.OPEN)])
    assert reader.search(ask("migrene"))[0].title == "Migraine 3"
    assert len(list((tmp_path / "index").glob("generation-*"))) <= 2


def test_another_encoder_is_refused_until_the_index_is_rebuilt(index: StudyIndex, tmp_path: Path) -> None:
    class Other:
        dimension = 2
        fingerprint = "other"

        def encode_queries(self, texts: Sequence[str]) -> Vectors:
            raise NotImplementedError

        encode_passages = encode_queries

    with pytest.raises(Mismatch, match=r"letters.*other.*studievei index --rebuild"):
        StudyIndex.open(tmp_path / "index", Other(), load_ontology())
    assert StudyIndex.rebuild(tmp_path / "index", Other(), load_ontology()).count == 0
    with pytest.raises(Mismatch):
        index.search(ask("astma"))


@pytest.mark.parametrize("name", ["current", "manifest.json", "studies.db", "vectors.faiss", "meta.json"])
def test_a_damaged_index_names_the_remedy_and_can_be_rebuilt(
    index: StudyIndex, tmp_path: Path, toy_encoder: Encoder, name: str
) -> None:
    for path in (tmp_path / "index").rglob(name):
        path.write_bytes(b"damaged")
    with pytest.raises(Unavailable, match="studievei index --rebuild"):
        StudyIndex.open(tmp_path / "index", toy_encoder, load_ontology())
    rebuilt = StudyIndex.rebuild(tmp_path / "index", toy_encoder, load_ontology())
    assert rebuilt.update(STUDIES) == len(STUDIES)
    assert ids(rebuilt.search(ask("astma")))[0] == "ASTHMA"


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, toy_encoder: Encoder) -> None:
    (tmp_path / "file").write_text("")
    index = StudyIndex.open(tmp_path / "other", toy_encoder, load_ontology())
    index._folder = tmp_path / "file"
    with pytest.raises(Unavailable, match="file"):
        index.update(STUDIES)


def test_writers_take_turns(tmp_path: Path, toy_encoder: Encoder) -> None:
    def write(first: int) -> None:
        index = StudyIndex.open(tmp_path, toy_encoder, load_ontology())
        for number in range(first, first + 4):
            index.update([Study(f"S{number}", "test", f"Study {number}", Status.OPEN)])

    writers = [threading.Thread(target=write, args=(first,)) for first in (0, 10, 20)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert StudyIndex.open(tmp_path, toy_encoder, load_ontology()).count == 12


KILLED = """
    import sys
    from dataclasses import replace
    from pathlib import Path
    sys.path.insert(0, sys.argv[2])
    from conftest import LetterEncoder
    from test_search import STUDIES
    from nlp.embeddings.search import StudyIndex
    from ontology.concept import load_ontology

    index = StudyIndex.open(Path(sys.argv[1]), LetterEncoder(), load_ontology())
    print("ready", flush=True)
    number = 0
    while True:
        index.update(replace(study, sponsor=str(number)) for study in STUDIES)
        number += 1
"""


def test_kill_9_leaves_a_whole_index(index: StudyIndex, tmp_path: Path, toy_encoder: Encoder) -> None:
    for delay in (0.01, 0.04, 0.09):
        command = [
            sys.executable,
            "-c",
            textwrap.dedent(KILLED),
            str(tmp_path / "index"),
            str(Path(__file__).parent),
        ]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
            assert writer.stdout
            assert writer.stdout.readline() == b"ready\n"
            time.sleep(delay)
            writer.send_signal(signal.SIGKILL)
        again = StudyIndex.open(tmp_path / "index", toy_encoder, load_ontology())
        assert ids(again.search(ask("sukkersyke")))[0] == "DIABETES"
        assert again.count == 4
        assert again.update(replace(study, sponsor=f"after {delay}") for study in STUDIES) == 4
        assert ids(again.search(ask("hjertesvikt")))[0] == "HEART"
    assert not list((tmp_path / "index").glob("building-*"))


def test_fusion_adds_the_weighted_scores_of_the_legs_from_worst_to_best() -> None:
    legs = {"words": {1: 9.0, 2: 6.0, 3: 5.0}, "meaning": {2: 0.9, 4: 0.8}, "concepts": {4: 0.3}}
    assert fuse(legs, {"words": 1.0, "meaning": 2.0, "concepts": 3.0}) == {
        1: 1.0,
        2: (6.0 - 5.0) / (9.0 - 5.0) + 2.0,
        3: 0.0,
        4: 0.0 + 3.0,
    }


@given(st.dictionaries(st.integers(), st.floats(-5, 5)))
def test_scaling_keeps_the_order_between_nothing_and_one(scores: dict[int, float]) -> None:
    found = scaled(scores)
    assert all(0 <= found[key] <= 1 for key in scores)
    assert all(found[a] <= found[b] for a in scores for b in scores if scores[a] <= scores[b])
    assert not scores or max(found.values()) == 1


def test_new_words_reach_studies_that_are_indexed_already(tmp_path: Path, toy_encoder: Encoder) -> None:
    study = Study(
        "X-1", "form", "A diet for Kvernvik syndrome", Status.OPEN, conditions=("Kvernvik syndrome",)
    )
    index = StudyIndex.open(tmp_path / "index", toy_encoder, load_ontology())
    assert index.update([study]) == 1
    assert index.update([study]) == 0
    tables = tmp_path / "tables"
    tables.mkdir()
    cells = ["kvernvik", "-", "kvernviks", "kvernviks", "Kvernvik syndrome", "kvernvikplager", *"------"]
    row = "\t".join([*cells, "-", "Øye", "-"])
    (tables / "eye.tsv").write_text("\t".join(CONDITION_COLUMNS.split()) + "\n" + row + "\n", "utf-8")
    taught = load_ontology(tables)
    index = StudyIndex.open(tmp_path / "index", toy_encoder, taught)
    assert index.update([study]) == 1
    assert index.update([study]) == 0
    (hit,) = index.search(understand("kvernvikplager", Linker(taught)))
    assert [reason.text for reason in hit.why if reason.kind == "concept"] == ["«kvernvikplager» → kvernviks"]


def test_concepts_count_by_how_much_of_the_question_they_cover() -> None:
    def counts(coverage: float, *, case: bool) -> float:
        return weights(coverage, case=case)["concepts"]

    full = WEIGHTS["question"]["concepts"]
    assert weights(1.0, case=False) == WEIGHTS["question"]
    assert counts(0.0, case=False) == pytest.approx(LEAST * full)
    assert counts(0.0, case=False) < counts(0.5, case=False) < counts(0.9, case=False) < full
    assert counts(1.0, case=True) < counts(0.5, case=False)


@pytest.mark.parametrize("words", ["hva med astma da, finnes det noe der", "jeg lurer på noe om astma"])
def test_a_study_of_the_illness_stands_before_those_that_are_only_alike(
    index: StudyIndex, words: str
) -> None:
    assert ids(index.search(ask(words)))[0] == "ASTHMA"


def test_a_word_that_tells_nothing_is_not_searched_for(index: StudyIndex) -> None:
    assert telling("Finnes det en studie om hjertesvikt?") == "hjertesvikt"
    assert telling("ME") == telling("me ME") == "ME"
    assert telling("studie") == "studie"
    assert "kvinne" in telling("hjertesvikt hos kvinne")
    case = "A 58-year-old woman presents with exertional chest pain radiating to the back after exercise"
    assert telling(case) == "58 exertional chest pain radiating back exercise"
    assert coverage("har fått sukkersyke på beina", ["sukkersyke"]) == pytest.approx(1 / 2)


def test_of_a_case_the_rare_illness_counts_most(tmp_path: Path, toy_encoder: Encoder) -> None:
    index = StudyIndex.open(tmp_path, toy_encoder, load_ontology())
    common = [
        Study(f"H{n}", "test", "Hypertension", Status.OPEN, conditions=("Hypertension",)) for n in range(9)
    ]
    index.update([*common, Study("KAWASAKI", "test", "Kawasaki disease", Status.OPEN)])
    found = index.legs(ask("hypertension and kawasaki disease"))["concepts"]
    assert max(found, key=lambda study: found[study]) == "KAWASAKI"


def test_of_two_equal_studies_the_one_about_what_the_best_are_about_comes_first(
    tmp_path: Path, toy_encoder: Encoder
) -> None:
    index = StudyIndex.open(tmp_path, toy_encoder, load_ontology())
    words = "grubling over natten"
    alike = [
        Study(f"BEST{n}", "test", f"{words} {words}", Status.OPEN, conditions=("Asthma",)) for n in range(5)
    ]
    others = [
        Study("A", "test", "grubling", Status.OPEN, conditions=("Gout",)),
        Study("B", "test", "grubling", Status.OPEN, conditions=("Asthma",)),
    ]
    index.update([*alike, *others])
    found = ids(index.search(ask(words), 10))
    assert found.index("B") < found.index("A")
