"""The pre-screening as a person sends it: plain texts and answers, readable without the study's record."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Answer = bool | float | str | None
"""What was answered; None is "I do not know"."""


@dataclass(frozen=True, slots=True, repr=False)
class CriterionResult:
    """A criterion in the study's own words, the answer, and whether it is met, not_met or unknown."""

    criterion: str
    section: str
    truth: str
    answer: Answer = None


@dataclass(frozen=True, slots=True, repr=False)
class Screening:
    """Outcome (may_fit, probably_not, unclear), criteria, and (question as asked, answer) pairs.

    `note` is what the person added in their own words.
    """

    outcome: str
    criteria: tuple[CriterionResult, ...] = ()
    answers: tuple[tuple[str, Answer], ...] = ()
    note: str = ""


def read_screening(document: Mapping[str, Any]) -> Screening:
    """The screening that dataclasses.asdict and JSON made `document` of."""
    return Screening(
        outcome=document["outcome"],
        criteria=tuple(CriterionResult(**result) for result in document["criteria"]),
        answers=tuple((question, answer) for question, answer in document["answers"]),
        note=document.get("note", ""),
    )
