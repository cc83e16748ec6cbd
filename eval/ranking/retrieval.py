"""Search quality on a test collection: every wording of every topic is searched, the rankings are scored."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import ir_measures
from ir_measures import RR, Judged, P, R, nDCG

from eval.ranking.collection import Collection
from eval.ranking.topics import Judgment
from eval.ranking.trec import Rankings
from ontology.errors import BadInput

MEASURES = (nDCG @ 10, R @ 50, RR, P @ 10, Judged @ 10)
MAIN = "nDCG@10"
DEPTH = 100
SHOWN = 10
"""Hits that a person sees first."""

Search = Callable[[str, int], Sequence[str]]
"""(words, how many) -> document ids, best first."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Means over topics, and the value per topic (the mean over a topic's wordings), by measure name.

    `shown_for_nothing` is how many of the first ten places are filled, on average, for topics that no
    document answers; None when there is no such topic. They take no part in the means.
    """

    mean: dict[str, float]
    per_topic: dict[str, dict[str, float]]
    shown_for_nothing: float | None = None


def evaluate(collection: Collection, search: Search, *, judged_only: bool = False) -> Scores:
    """Search every wording, score with ir-measures, average over wordings and then over topics."""
    return score(collection.qrels, answer(collection, search), judged_only=judged_only)


def answer(collection: Collection, search: Search) -> Rankings:
    """What a system finds for every wording; nothing for one that it refuses."""
    return {name: _asked(search, words) for topic in collection.topics for name, words in topic.runs.items()}


def score(qrels: Iterable[Judgment], rankings: Rankings, *, judged_only: bool = False) -> Scores:
    """Score rankings against judgments.

    Grades count as gains for nDCG (Järvelin & Kekäläinen 2002, as trec_eval computes it); a document graded
    1 or 2 is relevant for R, RR and P. A topic without a ranking scores 0.

    Args:
        qrels: the judgments; they say which topics there are.
        rankings: document ids, best first, by topic or by wording (topic.1, topic.2 …).
        judged_only: leave documents that nobody judged out of the rankings (Sakai 2007), for systems that the
            pool did not see.
    """
    grades: dict[str, dict[str, int]] = defaultdict(dict)
    for each in qrels:
        grades[each.topic][each.document] = each.grade
    wordings = _wordings(grades, rankings)
    if judged_only:
        rankings = {
            name: tuple(document for document in rankings.get(name, ()) if document in grades[topic])
            for topic, names in wordings.items()
            for name in names
        }
    possible = {topic: own for topic, own in grades.items() if any(own.values())}
    values = _calculate(possible, wordings, rankings)
    per_topic = {
        topic: {str(m): fmean(values[name, str(m)] for name in wordings[topic]) for m in MEASURES}
        for topic in possible
    }
    mean = {str(m): fmean(own[str(m)] for own in per_topic.values()) for m in MEASURES} if per_topic else {}
    filled = [
        len(rankings.get(name, ())[:SHOWN])
        for topic in grades.keys() - possible.keys()
        for name in wordings[topic]
    ]
    return Scores(mean, per_topic, fmean(filled) if filled else None)


def _asked(search: Search, words: str) -> tuple[str, ...]:
    try:
        return tuple(search(words, DEPTH))
    except BadInput:
        return ()


def _wordings(topics: Iterable[str], rankings: Rankings) -> dict[str, list[str]]:
    """The names of each topic's rankings: its own id, or that with .1, .2 … behind."""
    found: dict[str, list[str]] = {topic: [topic] if topic in rankings else [] for topic in topics}
    for name in rankings:
        topic, _, number = name.rpartition(".")
        if name not in found and topic in found and number.isdecimal():
            found[topic].append(name)
    return {topic: names or [topic] for topic, names in found.items()}


def _calculate(
    grades: Mapping[str, Mapping[str, int]], wordings: Mapping[str, Sequence[str]], rankings: Rankings
) -> dict[tuple[str, str], float]:
    """(ranking, measure) -> value. A rank becomes a score here, so that ties are never broken by name."""
    qrels = [
        ir_measures.Qrel(name, document, grade)
        for topic, own in grades.items()
        for name in wordings[topic]
        for document, grade in own.items()
    ]
    run = [
        ir_measures.ScoredDoc(name, document, 1 / rank)
        for topic in grades
        for name in wordings[topic]
        for rank, document in enumerate(rankings.get(name, ()), 1)
    ]
    return {
        (each.query_id, str(each.measure)): each.value for each in ir_measures.iter_calc(MEASURES, qrels, run)
    }
