"""Search quality on a test collection: every wording of every topic is searched, the rankings are scored."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

import ir_measures
from ir_measures import RR, P, R, nDCG

from eval.collection import Collection, Topic
from ontology.errors import BadInput

MEASURES = (nDCG @ 10, R @ 50, RR, P @ 10)
DEPTH = 100

Search = Callable[[str, int], Sequence[tuple[str, float]]]
"""(words, how many) -> [(document id, score)], best first."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Means over topics, and the value per topic (the mean over a topic's wordings), by measure name."""

    mean: dict[str, float]
    per_topic: dict[str, dict[str, float]]


def evaluate(collection: Collection, search: Search) -> Scores:
    """Search every wording, score with ir-measures, average over wordings and then over topics.

    Grades count as gains for nDCG (Järvelin & Kekäläinen 2002, as trec_eval computes it); a document graded
    1 or 2 is relevant for R, RR and P. A topic without hits, or one the search refuses, scores 0.
    """
    per_topic = {topic.id: _score(collection, topic, search) for topic in collection.topics}
    names = [str(measure) for measure in MEASURES]
    mean = {name: fmean(values[name] for values in per_topic.values()) for name in names}
    return Scores(mean, per_topic)


def _score(collection: Collection, topic: Topic, search: Search) -> dict[str, float]:
    qrels = [ir_measures.Qrel(q.topic, q.document, q.grade) for q in collection.qrels if q.topic == topic.id]
    values: dict[str, list[float]] = defaultdict(list)
    for wording in topic.wordings:
        try:
            hits = search(wording, DEPTH)
        except BadInput:
            hits = ()
        run = [ir_measures.ScoredDoc(topic.id, document, score) for document, score in hits]
        for measure, value in ir_measures.calc_aggregate(MEASURES, qrels, run).items():
            values[str(measure)].append(value)
    return {name: fmean(scores) for name, scores in values.items()}
