"""What one piece of a criterion says about a person, as typed values."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a relation is about."""

    AGE = "age"
    SEX = "sex"
    CONDITION = "condition"
    DRUG = "drug"
    PROCEDURE = "procedure"
    PREGNANCY = "pregnancy"
    LAB = "lab"
    MEASURE = "measure"
    SCORE = "score"
    CONSENT = "consent"
    LANGUAGE = "language"
    OTHER = "other"


class Direction(StrEnum):
    """Where a window of time lies, seen from the day of inclusion."""

    PAST = "past"
    FUTURE = "future"


@dataclass(frozen=True, slots=True)
class Bound:
    """One end of a range; `inclusive` as the text states it («minst 18» is, «over 18» is not)."""

    value: float
    inclusive: bool = True


@dataclass(frozen=True, slots=True)
class Relation:
    """A claim about a person, as the text states it: never flipped for exclusion, that is the tree's job.

    `variable` is the fact it needs ("age", "pregnancy", "hba1c", "condition:diabetes", "history:diabetes",
    "drug:warfarin"); relations with the same variable are answered by one question. `concept` is the ontology
    id of a condition, drug or procedure. `lower`, `upper` and the numbers of `values` are in `unit`, as
    written (a name of units.tsv, "" where the text gives none); `values` are the grades or choices that are
    accepted. `window_days` is how far the claim reaches into the past or the future. `qualifiers` narrow a
    condition or a drug («severe», «stage 3», «> 10 mg») and decide nothing. `start` and `end` locate
    it in the criteria text (both 0 for a field of the record).
    """

    kind: Kind
    variable: str
    concept: str = ""
    lower: Bound | None = None
    upper: Bound | None = None
    values: tuple[str, ...] = ()
    unit: str = ""
    window_days: int | None = None
    direction: Direction | None = None
    qualifiers: tuple[str, ...] = ()
    start: int = 0
    end: int = 0
