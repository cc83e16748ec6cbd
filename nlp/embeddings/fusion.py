"""What every leg of the search thinks of the studies in, one score a study out."""

from collections.abc import Hashable, Mapping
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)
"""A study, by number or by id."""

Scores = Mapping[Key, float]
"""What a leg gives the studies that it found; a higher score is a better one."""

WEIGHTS: Mapping[str, Mapping[str, float]] = {
    "question": {"words": 1.0, "meaning": 0.5, "concepts": 2.5, "shared": 0.4},
    "case": {"words": 1.0, "meaning": 1.0, "concepts": 0.0, "shared": 0.3},
}
"""How much each leg counts: for a question whose telling words all name concepts, and for a case.

A case in sixty words names illnesses beside the point; its concepts by themselves find the wrong studies.

`studievei eval tune` measures them on development questions: sigir2016 (3,276 studies) and everyday questions
over titles of 5,453 records of ClinicalTrials.gov (eval/ranking/proxy.py says what they are worth). nDCG@10:

    concepts; shared                                      case histories  keywords  Norwegian  English
    none; none                                                      .158      .256       .544     .557
    1.0 always; none                                                .124      .254       .640     .623
    3.5 x (1/7 + 6/7 coverage squared), .2 for cases; none          .155      .252       .657     .608
    3.5 x (1/16 + 15/16 coverage^4), 0 for cases; 0.3               .173      .258       .658     .613
    2.5 x that, 0 for cases; 0.4, and 0.3 for cases                 .173      .259       .657     .617
    1.25 x that, 0 for cases; 0.4, and 0.3 for cases                .173      .262       .653     .626

bm25s alone gives .141 and .238 on the first two, the encoder as shipped .100 and .222, both by reciprocal
rank .142 and .243. Of everyday sentences («hva med migrene da») the words beside the illness mostly tell
nothing, so that studies of the illness must come first; clinicians' keywords pay a little for it.
"""

LEAST, STEEPNESS = 1 / 16, 4
"""What is left of the weight of the concepts when they cover next to nothing of a question, and how soon."""

SIMILAR: Mapping[str, float] = {"shared": 1.0, "meaning": 0.15}
"""The same for studies like a study."""


def weights(
    coverage: float, *, case: bool, of: Mapping[str, Mapping[str, float]] = WEIGHTS
) -> dict[str, float]:
    """The weights for a question whose concepts cover this share (0 to 1) of its telling words.

    «sukkersyke» is all said by its concept.
    """
    chosen = of["case" if case else "question"]
    return {**chosen, "concepts": chosen["concepts"] * (LEAST + (1 - LEAST) * coverage**STEEPNESS)}


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
