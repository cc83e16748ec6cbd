"""What each leg found for development questions in, weights that order it best out."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log2
from pathlib import Path
from statistics import fmean

from api.library import open_index
from api.settings import Settings
from eval.ranking.collection import read_collection
from eval.ranking.proxy import Asked, codes_of_records, judgments
from eval.ranking.systems import Bench
from eval.ranking.topics import Judgment
from nlp.embeddings.fusion import WEIGHTS, Scores, fuse
from nlp.embeddings.fusion import weights as weights_for
from nlp.embeddings.search import StudyIndex
from nlp.embeddings.telling import coverage, is_case
from nlp.query import understand
from ontology.concept import Ontology
from ontology.linker import Linker

CUT = 10
STEPS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0)
"""The weights that are tried; that of the words is 1, because only ratios matter."""

ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Case:
    """One wording of a topic: what each leg found, and how relevant the studies are.

    `coverage` is the share of its telling words that name concepts; a `case` is a long text.
    """

    group: str
    topic: str
    legs: Mapping[str, Scores[str]]
    grades: Mapping[str, int]
    coverage: float
    case: bool


@dataclass(frozen=True, slots=True)
class Tuned:
    """Weights for questions and for cases, and the mean nDCG@10 that they give each group."""

    weights: Mapping[str, Mapping[str, float]]
    groups: Mapping[str, float]

    @property
    def mean(self) -> float:
        """Every group counts the same, whatever its size."""
        return fmean(self.groups.values())


def cases_of_collection(folder: Path, field: str, settings: Settings) -> list[Case]:
    """The topics of a judged BEIR folder, searched with one field of its queries.

    Raises:
        BadInput: as `read_collection`.
    """
    collection = read_collection(folder, field)
    bench = Bench(collection, settings)
    asked = [(topic.id, words) for topic in collection.topics for words in topic.wordings]
    return _cases(field, asked, collection.qrels, bench.index, bench.linker)


def cases_of_records(
    records: Path, questions: Sequence[Asked], ontology: Ontology, settings: Settings
) -> list[Case]:
    """Everyday questions over the imported studies, by language; eval/ranking/proxy.py says their worth."""
    graded = list(judgments(questions, codes_of_records(records, ontology)))
    index, linker = open_index(settings), Linker(ontology)
    groups = {"english": True, "norwegian": False}
    return [
        case
        for name, english in groups.items()
        for case in _cases(
            name,
            [(each.id, each.words) for each in questions if (each.language == "en") is english],
            graded,
            index,
            linker,
        )
    ]


def _cases(
    group: str,
    asked: Sequence[tuple[str, str]],
    qrels: Sequence[Judgment],
    index: StudyIndex,
    linker: Linker,
) -> list[Case]:
    grades: dict[str, dict[str, int]] = {}
    for judgment in qrels:
        grades.setdefault(judgment.topic, {})[judgment.document] = judgment.grade
    cases = []
    for topic, words in asked:
        if any(grades.get(topic, {}).values()):
            query = understand(words, linker)
            share = coverage(words, [mention.matched for mention in query.mentions])
            cases.append(Case(group, topic, index.legs(query), grades[topic], share, is_case(words)))
    return cases


def measure(cases: Sequence[Case], weights: Mapping[str, Mapping[str, float]]) -> Tuned:
    """nDCG@10 over wordings, then topics, then groups."""
    values: dict[str, dict[str, list[float]]] = {}
    for case in cases:
        values.setdefault(case.group, {}).setdefault(case.topic, []).append(ndcg(case, weights))
    return Tuned(weights, {group: fmean(map(fmean, own.values())) for group, own in values.items()})


def tune(cases: Sequence[Case], start: Mapping[str, Mapping[str, float]] = WEIGHTS) -> Iterator[Tuned]:
    """Better and better weights, by default beginning with those in use: one leg's is changed at a time."""
    best = measure(cases, start)
    yield best
    for _ in range(ROUNDS):
        before = best
        for kind, own in WEIGHTS.items():
            for leg in (each for each in own if each != "words"):
                changed = [{**best.weights[kind], leg: step} for step in STEPS]
                tried = [measure(cases, {**best.weights, kind: each}) for each in changed]
                winner = max(tried, key=lambda each: each.mean)
                if winner.mean > best.mean:
                    best = winner
                    yield best
        if best is before:
            return


def held_out(cases: Sequence[Case], times: int) -> Iterator[Tuned]:
    """Weights learnt from a random half of the topics, beginning with equal ones, measured on the others."""
    topics = sorted({case.topic for case in cases})
    equal = {kind: dict.fromkeys(own, 1.0) for kind, own in WEIGHTS.items()}
    for seed in range(times):
        half = set(random.Random(seed).sample(topics, len(topics) // 2))  # noqa: S311 - a seed is wanted
        *_, best = tune([case for case in cases if case.topic in half], equal)
        yield measure([case for case in cases if case.topic not in half], best.weights)


def ndcg(case: Case, weights: Mapping[str, Mapping[str, float]]) -> float:
    """nDCG@10 with the grade as gain (Järvelin & Kekäläinen 2002), 0 where nothing relevant is known."""
    fused = fuse(case.legs, weights_for(case.coverage, case=case.case, of=weights))
    ranked = sorted(fused, key=lambda study: (-fused[study], study))[:CUT]
    ideal = _gain(sorted(case.grades.values(), reverse=True)[:CUT])
    return _gain([case.grades.get(study, 0) for study in ranked]) / ideal if ideal else 0.0


def _gain(grades: Sequence[int]) -> float:
    return sum(grade / log2(place + 2) for place, grade in enumerate(grades))
