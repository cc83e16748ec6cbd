"""The statistics are those of the literature: worked by hand, against scipy, and by their laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import bootstrap, permutation_test

from eval.ranking.significance import bootstrap_interval, holm, randomisation_test

chances = st.lists(st.floats(0, 1), min_size=1, max_size=8)
few = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=9)


def mean_difference(first: np.ndarray, second: np.ndarray, axis: int) -> np.ndarray:
    mean: np.ndarray = np.mean(first - second, axis=axis)
    return mean


def test_three_wins_in_a_row_by_hand() -> None:
    """Of the 8 assignments of signs only +++ and --- are as far from 0."""
    assert randomisation_test([0.9, 0.8, 0.7], [0.5, 0.6, 0.6]) == 2 / 8


def test_equal_systems_are_never_told_apart() -> None:
    assert randomisation_test([0.1, 0.2] * 20, [0.1, 0.2] * 20) == 1


@pytest.mark.parametrize("seed", range(3))
def test_few_topics_are_tested_exactly_as_scipy_does(seed: int) -> None:
    first, second = np.random.default_rng(seed).random((2, 12))
    exact = permutation_test(
        (first, second), mean_difference, permutation_type="samples", vectorized=True, n_resamples=np.inf
    )
    assert randomisation_test(first.tolist(), second.tolist()) == pytest.approx(exact.pvalue)


def test_many_topics_are_tested_nearly_as_scipy_does() -> None:
    drawn = np.random.default_rng(1)
    first = drawn.random(59)
    second = first - 0.03 + 0.1 * drawn.standard_normal(59)
    theirs = permutation_test(
        (first, second),
        mean_difference,
        permutation_type="samples",
        vectorized=True,
        n_resamples=20_000,
        rng=np.random.default_rng(2),
    )
    assert randomisation_test(first.tolist(), second.tolist()) == pytest.approx(theirs.pvalue, abs=0.01)


@given(few)
def test_a_test_has_no_direction(pairs: list[tuple[float, float]]) -> None:
    first, second = zip(*pairs, strict=True)
    assert 0 < randomisation_test(first, second) <= 1
    assert randomisation_test(first, second) == pytest.approx(randomisation_test(second, first))


def test_a_test_needs_pairs() -> None:
    with pytest.raises(ValueError, match="same topics"):
        randomisation_test([0.5], [0.5, 0.6])
    with pytest.raises(ValueError, match="at least one"):
        randomisation_test([], [])


def test_holm_by_hand() -> None:
    """Sorted .01 .02 .03 .04: 4 * .01, 3 * .02, then never less than the one before."""
    assert holm([0.03, 0.01, 0.04, 0.02]) == pytest.approx((0.06, 0.04, 0.06, 0.06))


@given(chances)
def test_correction_keeps_the_order_and_lies_between_none_and_bonferroni(values: list[float]) -> None:
    corrected = holm(values)
    for value, own in zip(values, corrected, strict=True):
        assert value <= own <= min(1, len(values) * value)
    assert [corrected[i] for i in np.argsort(values, kind="stable")] == sorted(corrected)


def test_an_interval_is_that_of_scipy() -> None:
    values = np.random.default_rng(3).random(60)
    theirs = bootstrap(
        (values,), np.mean, method="percentile", n_resamples=20_000, rng=np.random.default_rng(4)
    ).confidence_interval
    assert bootstrap_interval(values.tolist()) == pytest.approx((theirs.low, theirs.high), abs=0.004)


@settings(max_examples=20)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_an_interval_holds_the_mean_and_no_value_beyond_the_data(values: list[float]) -> None:
    low, high = bootstrap_interval(values)
    assert min(values) - 1e-9 <= low <= np.mean(values) + 1e-9
    assert np.mean(values) - 1e-9 <= high <= max(values) + 1e-9
