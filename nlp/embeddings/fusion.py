"""What every leg of the search thinks of the studies in, one score a study out."""

from collections.abc import Hashable, Mapping
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)
"""A study, by number or by id."""

Scores = Mapping[Key, float]
"""What a leg gives the studies that it found; a higher score is a better one."""

WEIGHTS: Mapping[str, float] = {"words": 1.0, "meaning": 0.8, "concepts": 3.5}
"""How much each leg of the search counts for a question whose telling words all name concepts.

`studievei eval tune` proposes them. On development questions (sigir2016 cut to 1,024 studies, titles of 5,453
records of ClinicalTrials.gov; eval/proxy.py says what the latter is worth) nDCG@10 was, with meaning 1.0:

    concepts                      case histories  keywords  Norwegian  English
    always 0.7                              .220      .308       .585     .602
    always 3.0                              .180      .306       .646     .626
    0.5 + 3.0 x coverage squared            .219      .309       .644     .630

With criteria in a field of their own, as now, and meaning 0.8 the first two are .206 and .311. The best of
bm25s, the encoder, and both by reciprocal rank gives .186 and .291 on those studies.
"""

UNCOVERED = 1 / 7
"""What is left of the weight of the concepts when they cover next to nothing of the question."""


def weights(coverage: float, of: Mapping[str, float] = WEIGHTS) -> dict[str, float]:
    """The weights for a question whose concepts cover this share (0 to 1) of its telling words.

    «sukkersyke» is all said by its concept; a case in sixty words names illnesses beside the point.
    """
    return {**of, "concepts": of["concepts"] * (UNCOVERED + (1 - UNCOVERED) * coverage**2)}


def scaled(scores: Scores[Key]) -> dict[Key, float]:
    """The scores of one leg from 0 (the worst it found) to 1 (the best); of equal scores all are the best."""
    if not scores:
        return {}
    low, high = min(scores.values()), max(scores.values())
    if low == high:
        return dict.fromkeys(scores, 1.0)
    return {key: (score - low) / (high - low) for key, score in scores.items()}


def fuse(legs: Mapping[str, Scores[Key]], weights: Mapping[str, float]) -> dict[Key, float]:
    """The weighted sum of what the legs give a study, each scaled to 0..1; a leg that missed it gives 0.

    Scores tell more than ranks: how far the best stands above the rest, and that a hundred studies of one
    disease are equally good for it. Source: Bruch, Gai, Ingber, "An analysis of fusion functions for hybrid
    retrieval", ACM TOIS 42(1), 2023.
    """
    fused: dict[Key, float] = {}
    for leg, scores in legs.items():
        for key, score in scaled(scores).items():
            fused[key] = fused.get(key, 0.0) + weights[leg] * score
    return fused
