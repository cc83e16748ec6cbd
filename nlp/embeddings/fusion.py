"""Several rankings of the same studies in, one out."""

from collections import Counter
from collections.abc import Mapping

Scores = Mapping[int, float]
"""Score by study number; a higher score is a better one."""

WEIGHTS: Mapping[str, float] = {"words": 1.0, "meaning": 1.0, "concepts": 2.0}
"""How much each leg of the search counts for a question about one thing.

Chosen on the shared development sets: everyday queries against coded world records, where concepts carry
most, and sigir2016, where whole case histories name so many that each must count less.
"""

SMOOTHING = 60
"""The k of reciprocal rank fusion, as in its source."""


def ranks(scores: Scores) -> dict[int, int]:
    """1 for the best score; equal scores share the best of their ranks."""
    rank_of: dict[float, int] = {}
    rank = 1
    for score, times in sorted(Counter(scores.values()).items(), reverse=True):
        rank_of[score] = rank
        rank += times
    return {key: rank_of[score] for key, score in scores.items()}


def shares(concepts: int) -> Mapping[str, float]:
    """WEIGHTS for a question that names so many concepts: they share the weight of one."""
    return {**WEIGHTS, "concepts": WEIGHTS["concepts"] / max(1, concepts)}


def fuse(legs: Mapping[str, Scores], weights: Mapping[str, float]) -> dict[int, float]:
    """Weighted reciprocal rank fusion: the sum over legs of weight / (SMOOTHING + rank).

    Source: Cormack, Clarke, Buettcher, "Reciprocal rank fusion outperforms Condorcet and individual
    rank learning methods", SIGIR 2009.
    """
    fused: dict[int, float] = {}
    for leg, scores in legs.items():
        for key, rank in ranks(scores).items():
            fused[key] = fused.get(key, 0.0) + weights[leg] / (SMOOTHING + rank)
    return fused
