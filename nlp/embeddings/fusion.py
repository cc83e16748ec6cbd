"""What every leg of the search thinks of the studies in, one score a study out."""

from collections.abc import Hashable, Mapping
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)
"""A study, by number or by id."""

Scores = Mapping[Key, float]
"""What a leg gives the studies that it found; a higher score is a better one."""

WEIGHTS: Mapping[str, float] = {"words": 1.0, "meaning": 0.5, "concepts": 3.5}
"""How much each leg of the search counts for a question whose telling words all name concepts.

`studievei eval tune` measures them on development questions: sigir2016 (3,276 studies) and everyday questions
over titles of 5,453 records of ClinicalTrials.gov (eval/proxy.py says what the latter is worth). nDCG@10 was:

    meaning, concepts                                case histories  keywords  Norwegian  English
    0.5, none                                                  .148      .260       .551     .564
    0.5, 1.0 always                                            .141      .258       .634     .604
    0.8, 0.5 + 3.0 x coverage squared                          .121      .249       .661     .630
    0.5, 0.2 + 3.0 x coverage to the sixth                     .153      .258       .648     .616
    0.5, that for cases, 0.5 + 3.0 x coverage squared else     .153      .250       .662     .632

bm25s alone gives .141 and .238 on the first two, the encoder .100 and .222, both by reciprocal rank .142 and
.243. Of everyday sentences («hva med migrene da») the words beside the illness mostly tell nothing, so that
studies of the illness must come first; clinicians' keywords pay a little for it.
"""

TALK, CASE = (1 / 7, 2), (1 / 16, 6)
"""What is left of the weight of the concepts when they cover next to nothing of a question, and how soon."""


def weights(coverage: float, *, case: bool, of: Mapping[str, float] = WEIGHTS) -> dict[str, float]:
    """The weights for a question whose concepts cover this share (0 to 1) of its telling words.

    «sukkersyke» is all said by its concept; a `case` in sixty words names illnesses beside the point.
    """
    least, steepness = CASE if case else TALK
    return {**of, "concepts": of["concepts"] * (least + (1 - least) * coverage**steepness)}


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
