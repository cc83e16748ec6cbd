"""What one piece of a criterion says about a person, as typed values."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a relation is about. A later kind needs a row in variables.tsv and nothing else here."""

    AGE = "age"
    SEX = "sex"
    CONDITION = "condition"
    PREGNANCY = "pregnancy"
    CONSENT = "consent"
    LANGUAGE = "language"


@dataclass(frozen=True, slots=True)
class Bound:
    """One end of a range; `inclusive` as the text states it («minst 18» is, «over 18» is not)."""

    value: float
    inclusive: bool = True


@dataclass(frozen=True, slots=True)
class Relation:
    """A claim about a person, as the text states it: never flipped for exclusion, that is the tree's job.

    `variable` is the fact it needs ("age", "sex", "pregnancy", "condition:diabetes",
    "history:diabetes"); relations with the same variable are answered by one question. `concept` is the
    ontology id of a condition. Ages are in years. `values` are the accepted choices of a choice variable.
    `start` and `end` locate it in the criteria text (both 0 for a field of the record).
    """

    kind: Kind
    variable: str
    concept: str = ""
    lower: Bound | None = None
    upper: Bound | None = None
    values: tuple[str, ...] = ()
    unit: str = ""
    start: int = 0
    end: int = 0
