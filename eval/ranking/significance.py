"""How sure a difference is: the paired randomisation test, Holm's correction, bootstrap intervals."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

ROUNDS = 20_000
EXACT_UP_TO = 14
"""With so few pairs every assignment of signs is counted (16,384) instead of drawn."""
SEED = 0

Values = NDArray[np.float64]


def randomisation_test(first: Sequence[float], second: Sequence[float]) -> float:
    """Two-sided p of the null hypothesis that the two systems could swap names on every topic.

    Exact for up to EXACT_UP_TO topics, otherwise from ROUNDS seeded draws, where p is never 0.
    Source: Smucker, Allan, Carterette, "A comparison of statistical significance tests for information
    retrieval evaluation", CIKM 2007.

    Args:
        first: (n,) values by topic.
        second: (n,) values of the same topics in the same order.

    Raises:
        ValueError: their lengths differ, or there are no topics.
    """
    differences = np.subtract(np.asarray(first, float), np.asarray(second, float), dtype=float)
    count = len(differences)
    if len(first) != len(second) or not count:
        raise ValueError("A paired test needs the same topics, at least one, on both sides.")
    observed = abs(differences.sum()) * (
        1 - 1e-12
    )  # as far from 0 as observed, whatever the order of summing
    if count <= EXACT_UP_TO:
        extreme = np.abs(_all_signs(count) @ differences) >= observed - 1e-12
        return float(extreme.mean())
    extreme = np.abs(_drawn_signs(count) @ differences) >= observed - 1e-12
    return float((extreme.sum() + 1) / (ROUNDS + 1))


def holm(values: Sequence[float]) -> tuple[float, ...]:
    """p values corrected for being several, in the given order.

    Source: Holm, "A simple sequentially rejective multiple test procedure", 1979.
    """
    order = sorted(range(len(values)), key=lambda position: values[position])
    corrected = [0.0] * len(values)
    highest = 0.0
    for step, position in enumerate(order):
        highest = max(highest, min(1.0, (len(values) - step) * values[position]))
        corrected[position] = highest
    return tuple(corrected)


def bootstrap_interval(values: Sequence[float], level: float = 0.95) -> tuple[float, float]:
    """The percentile interval of a mean over topics, from ROUNDS seeded samples of topics.

    Source: Efron & Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("An interval needs at least one value.")
    known = np.asarray(values, dtype=float)
    drawn = np.random.default_rng(SEED).integers(len(known), size=(ROUNDS, len(known)))
    low, high = np.quantile(known[drawn].mean(axis=1), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _all_signs(count: int) -> Values:
    """(2^count, count) of +1 and -1: every assignment once."""
    bits = (np.arange(2**count)[:, np.newaxis] >> np.arange(count)) & 1
    return np.where(bits, -1.0, 1.0)


def _drawn_signs(count: int) -> Values:
    """(ROUNDS, count) of +1 and -1."""
    return np.where(np.random.default_rng(SEED).integers(2, size=(ROUNDS, count)), -1.0, 1.0)
