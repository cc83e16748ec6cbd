"""Systems side by side on one collection: means with intervals, duels with wins and losses, every query."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean

from eval.ranking.collection import Collection
from eval.ranking.retrieval import MAIN, Scores
from eval.ranking.significance import bootstrap_interval, holm, randomisation_test
from ontology.errors import BadInput

SAME = 1e-9
"""Values of a topic that differ by no more are a tie."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One system: mean and 95 % interval by measure, the main measure by type of query, hits for nothing."""

    name: str
    mean: dict[str, float]
    interval: dict[str, tuple[float, float]]
    by_kind: dict[str, float]
    shown_for_nothing: float | None


@dataclass(frozen=True, slots=True)
class Duel:
    """Two systems, topic by topic, on the main measure: first minus second.

    `p` is of the paired randomisation test, `corrected` the same after Holm's correction for all duels.
    """

    first: str
    second: str
    difference: float
    interval: tuple[float, float]
    p: float
    corrected: float
    wins: int
    losses: int
    ties: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """One topic and what every system scored on it."""

    topic: str
    words: str
    kind: str
    values: dict[str, float]


@dataclass(frozen=True, slots=True)
class Comparison:
    """All of it. `kinds`: how many topics there are of each type; `absent`: which documents are not here."""

    collection: str
    queries: str
    documents: int
    absent: tuple[str, ...]
    judged_only: bool
    measure: str
    kinds: dict[str, int]
    systems: tuple[Standing, ...]
    duels: tuple[Duel, ...]
    outcomes: tuple[Outcome, ...]


def compare(
    collection: Collection, scores: Mapping[str, Scores], queries: str = "text", *, judged_only: bool = False
) -> Comparison:
    """Compare what systems scored on the same topics; each pair of systems is a duel, in the order given.

    Raises:
        BadInput: no document answers any topic, or no system is named.
    """
    topics = [topic for topic in collection.topics if topic.id not in collection.impossible]
    if not topics or not scores:
        raise BadInput("There is nothing to compare: name a system, and judge a document 1 or 2.")
    outcomes = tuple(
        Outcome(
            topic.id,
            " · ".join(topic.wordings),
            topic.kind,
            {name: own.per_topic[topic.id][MAIN] for name, own in scores.items()},
        )
        for topic in topics
    )
    kinds: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        kinds[outcome.kind].append(outcome)
    return Comparison(
        collection=collection.name,
        queries=queries,
        documents=len(collection.documents),
        absent=collection.absent,
        judged_only=judged_only,
        measure=MAIN,
        kinds={kind: len(own) for kind, own in kinds.items()},
        systems=tuple(_standing(name, own, kinds) for name, own in scores.items()),
        duels=_duels(tuple(scores), outcomes),
        outcomes=outcomes,
    )


def _standing(name: str, scores: Scores, kinds: Mapping[str, Sequence[Outcome]]) -> Standing:
    intervals = {
        measure: bootstrap_interval([own[measure] for own in scores.per_topic.values()])
        for measure in scores.mean
    }
    by_kind = {kind: fmean(each.values[name] for each in own) for kind, own in kinds.items()}
    return Standing(name, scores.mean, intervals, by_kind, scores.shown_for_nothing)


def _duels(names: Sequence[str], outcomes: Sequence[Outcome]) -> tuple[Duel, ...]:
    pairs = list(combinations(names, 2))
    values = {name: [each.values[name] for each in outcomes] for name in names}
    chances = [randomisation_test(values[a], values[b]) for a, b in pairs]
    return tuple(
        _duel(a, b, values, p, corrected)
        for (a, b), p, corrected in zip(pairs, chances, holm(chances), strict=True)
    )


def _duel(a: str, b: str, values: Mapping[str, Sequence[float]], p: float, corrected: float) -> Duel:
    differences = [first - second for first, second in zip(values[a], values[b], strict=True)]
    wins = sum(each > SAME for each in differences)
    losses = sum(each < -SAME for each in differences)
    return Duel(
        first=a,
        second=b,
        difference=fmean(differences),
        interval=bootstrap_interval(differences),
        p=p,
        corrected=corrected,
        wins=wins,
        losses=losses,
        ties=len(differences) - wins - losses,
    )
