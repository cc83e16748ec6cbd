"""Weights of the legs: found on some topics, measured on others."""

from eval.ranking.tune import Case, held_out, measure, tune
from nlp.embeddings.fusion import WEIGHTS

LEGS = {"words": {"a": 2.0, "b": 1.0}, "meaning": {"b": 2.0, "a": 1.0}}
CASES = [Case("text", str(topic), LEGS, {"b": 1}, 0.0, case=False) for topic in range(6)]
WORDS = {kind: {**own, "meaning": 0.1} for kind, own in WEIGHTS.items()}


def test_a_leg_that_finds_what_is_relevant_comes_to_count_more() -> None:
    *_, best = tune(CASES, WORDS)
    assert best.weights["question"]["meaning"] > 1
    assert best.mean == 1 > measure(CASES, WORDS).mean
    assert best.weights["case"] == WORDS["case"]


def test_what_is_held_out_is_measured_with_what_the_others_taught() -> None:
    learnt = list(held_out(CASES, 3))
    assert len(learnt) == 3
    assert all(each.mean == 1 for each in learnt)
