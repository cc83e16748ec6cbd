"""What studies have in common: the numbers behind «studies that share subjects with the best»."""

import math

from hypothesis import given
from hypothesis import strategies as st

from nlp.embeddings.subjects import Subjects

PAIRS = st.dictionaries(
    st.tuples(st.sampled_from("abcdef"), st.integers(1, 9)), st.floats(0.1, 1.0), max_size=30
)


def rows(pairs: dict[tuple[str, int], float]) -> list[tuple[str, int, float]]:
    return sorted((concept, study, weight) for (concept, study), weight in pairs.items())


@given(PAIRS)
def test_both_ways_of_asking_agree(pairs: dict[tuple[str, int], float]) -> None:
    subjects = Subjects(rows(pairs))
    by_study = {(concept, study): w for study in range(1, 10) for concept, w in subjects.of(study).items()}
    by_concept = {}
    for concept in "abcdef":
        found = subjects.answering({concept: 1.0})
        by_concept |= {(concept, study): w for study, w in zip(found.numbers, found.worth, strict=True)}
    assert by_study == by_concept == pairs


@given(PAIRS, st.sets(st.integers(1, 9), min_size=1))
def test_what_is_shared_is_the_cosine_up_to_one_factor(
    pairs: dict[tuple[str, int], float], some: set[int]
) -> None:
    subjects, studies = Subjects(rows(pairs)), range(1, 12)
    counts = subjects.popularity()
    about = {study for _, study in pairs}

    def told(study: int) -> dict[str, float]:
        return {c: w * math.log1p(len(about) / counts[c]) for c, w in subjects.of(study).items()}

    asked: dict[str, float] = {}
    for study in some:
        for concept, weight in told(study).items():
            asked[concept] = asked.get(concept, 0.0) + weight

    def cosine(study: int) -> float:
        own = told(study)
        length = math.hypot(*own.values()) * math.hypot(*asked.values())
        return sum(own[c] * asked.get(c, 0.0) for c in own) / length if length else 0.0

    shared = subjects.shared(some, studies)
    assert list(shared) == list(studies)
    for study in studies:
        assert math.isclose(shared[study], cosine(study) * math.hypot(*asked.values()), abs_tol=1e-9)
