from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.embeddings import dense
from nlp.embeddings.chunks import CHUNKS_OF, LENGTH, chunk_study, field_text, inclusion_spans, pieces
from nlp.embeddings.dense import Bitmap, DenseIndex
from nlp.embeddings.encoder import Vectors
from ontology.errors import Unavailable
from registry.study import Status, Study

TEXT = st.text(st.sampled_from("ab æå.!?\n:;-•() 12"), max_size=3_000)
CRITERIA = "Inclusion Criteria:\n\n* Adults\n\nExclusion Criteria:\n\n* Diabetes"


def study_with(criteria: str = "", summary: str = "") -> Study:
    return Study(
        "S1", "test", "A trial", Status.OPEN, conditions=("Asthma",), criteria=criteria, summary=summary
    )


@given(TEXT, TEXT)
def test_every_chunk_slices_back_to_its_field(criteria: str, summary: str) -> None:
    study = study_with(criteria, summary)
    for chunk in chunk_study(study):
        assert chunk.text == field_text(study, chunk.field)[chunk.start : chunk.end]
        assert chunk.text == chunk.text.strip() != ""
        assert len(chunk.text) <= LENGTH


@given(TEXT)
def test_the_pieces_of_a_text_hold_all_of_its_words_in_order(text: str) -> None:
    spans = list(pieces(text, 0, len(text)))
    assert "".join("".join(text[start:end].split()) for start, end in spans) == "".join(text.split())
    assert all(before[1] <= after[0] for before, after in pairwise(spans))


def test_a_chunk_ends_where_a_sentence_ends() -> None:
    sentence = "Hvert ord i denne setningen teller. "
    chunks = [chunk for chunk in chunk_study(study_with(summary=sentence * 40)) if chunk.field == "summary"]
    assert len(chunks) == CHUNKS_OF["summary"]
    assert all(chunk.text.startswith("Hvert") and chunk.text.endswith("teller.") for chunk in chunks)


@pytest.mark.parametrize(
    ("criteria", "kept"),
    [
        (CRITERIA, ["* Adults"]),
        ("Inklusjonskriterier:\n- Voksne\nEksklusjonskriterier:\n- Diabetes", ["- Voksne"]),
        ("INCLUSION CRITERIA\nAdults\nEXCLUSION CRITERIA\nDiabetes", ["Adults"]),
        ("Inclusion: adults. Exclusion: diabetes.", ["adults."]),
        ("Key exclusion criteria:\nDiabetes\nKey inclusion criteria:\nAdults", ["Adults"]),
        ("Adults with no exclusion of diabetes", ["Adults with no exclusion of diabetes"]),
        ("", []),
    ],
)
def test_what_keeps_people_out_is_not_what_a_study_is_about(criteria: str, kept: list[str]) -> None:
    assert [criteria[start:end].strip() for start, end in inclusion_spans(criteria)] == kept


def unit(*rows: tuple[float, ...]) -> Vectors:
    vectors = np.array(rows, dtype=np.float32)
    normalised: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return normalised


def found(
    index: DenseIndex, vector: Vectors, limit: int, allowed: Bitmap | None = None
) -> list[tuple[int, float]]:
    numbers, scores = index.search(vector, limit, allowed)
    return list(zip(numbers.tolist(), scores.tolist(), strict=True))


def test_the_nearest_come_first_and_ties_by_number() -> None:
    index = DenseIndex(2)
    index.add([30, 20, 10], unit((1, 0), (0, 1), (0, 1)))
    assert found(index, unit((0, 1))[0], 5) == [(10, 1.0), (20, 1.0), (30, 0.0)]
    assert found(DenseIndex(2), unit((0, 1))[0], 5) == []


def test_only_what_is_allowed_is_found() -> None:
    index = DenseIndex(2)
    index.add([3, 8, 9, 70], unit((1, 0), (1, 0), (0, 1), (1, 0)))
    allowed = np.packbits([number in (3, 9) for number in range(16)], bitorder="little")
    assert found(index, unit((1, 0))[0], 4, allowed) == [(3, 1.0), (9, 0.0)]


@settings(max_examples=25)
@given(st.sets(st.integers(0, 60), min_size=1), st.sets(st.integers(0, 60)))
def test_removing_leaves_what_was_never_added(added: set[int], removed: set[int]) -> None:
    vectors = {number: unit((1.0, number / 7, number % 5))[0] for number in range(61)}
    index, fresh = DenseIndex(3), DenseIndex(3)
    index.add(sorted(added), np.array([vectors[number] for number in sorted(added)]))
    assert index.remove(sorted(removed)) == len(added & removed)
    left = sorted(added - removed)
    fresh.add(left, np.array([vectors[number] for number in left], dtype=np.float32).reshape(-1, 3))
    assert found(index, vectors[3], 61) == found(fresh, vectors[3], 61)


def test_a_saved_index_gives_the_same_mapped_or_read(tmp_path: Path) -> None:
    index = DenseIndex(3)
    index.add([1, 2**40], unit((1, 2, 3), (3, 2, 1)))
    index.save(tmp_path / "vectors")
    wanted = found(index, unit((1, 1, 3))[0], 2)
    for to_change in (False, True):
        loaded = DenseIndex.load(tmp_path / "vectors", to_change=to_change)
        assert found(loaded, unit((1, 1, 3))[0], 2) == wanted
        assert (loaded.count, loaded.dimension) == (2, 3)


def test_very_many_vectors_are_sorted_into_lists_and_still_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dense, "MANY", 1_000)
    chance = np.random.default_rng(1)
    centres = chance.normal(size=(20, 32))
    vectors = unit(*(centres[n % 20] + 0.3 * chance.normal(size=32) for n in range(2_000)))
    plain = DenseIndex(32)
    plain.add(range(0, 4_000, 2), vectors)
    plain.save(tmp_path / "vectors")
    index = DenseIndex.load(tmp_path / "vectors", to_change=True)
    assert index.in_lists
    for vector in vectors[:20]:
        exact = found(DenseIndex.load(tmp_path / "vectors"), vector, 10)
        assert found(index, vector, 10) == exact
        assert exact[0][1] == pytest.approx(1, abs=0.01)
    assert index.remove([0, 2, 5]) == 2
    index.add([5], vectors[:1])
    assert found(index, vectors[0], 1)[0][0] == 5
    allowed = np.packbits([number in (6, 9) for number in range(4_000)], bitorder="little")
    assert [number for number, _ in found(index, vectors[0], 4, allowed)] == [6]
    assert index.get([5])[0] == pytest.approx(vectors[0], abs=0.05)


@pytest.mark.parametrize("content", [None, b"", b"not an index"])
def test_a_missing_or_damaged_file_names_the_remedy(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "vectors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Unavailable, match="studievei index --rebuild"):
        DenseIndex.load(path)
