"""variables.tsv: the facts that criteria ask for."""

from collections.abc import Mapping
from csv import DictReader
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from importlib.resources import files
from math import inf
from typing import TypeAlias

from nlp.eligibility.relations import Kind
from ontology.errors import BadInput

Answer: TypeAlias = bool | float | str | None
"""yes or no, a number in the variable's unit, a choice, when (dates.py); None: the person does not know."""

Answers: TypeAlias = Mapping[str, Answer]
"""By variable: {"age": 54, "sex": "female", "condition:asthma": True, "pregnancy": None}."""


class Answerer(StrEnum):
    """Who can know the answer."""

    PATIENT = "patient"
    CLINICIAN = "clinician"
    STUDY_TEAM = "study_team"


class QuestionKind(StrEnum):
    """What an answer looks like: a bool, a float, a str of `choices`, or a str that dates.py reads."""

    YES_NO = "yes_no"
    NUMBER = "number"
    CHOICE = "choice"
    DATE = "date"


@dataclass(frozen=True, slots=True, eq=False)
class Variable:
    """One row; no two are equal.

    `lower` and `upper` are plausible bounds in `unit`; questions come in the order of `rank`.

    `about` is the kind of its relations, `kind` that of its question. `also` are dimensions of units.tsv that
    it may be stated in beside that of `unit`, `molar` is g/mol for what is written in both mg/dl and mmol/l.
    A variable concerns people of `sex` aged `from_age` to `to_age` whole years; None is no limit. For
    everybody else the answer is `otherwise`. `nb`, `nn` and `en` are its names.
    """

    name: str
    about: Kind
    rank: int
    kind: QuestionKind
    answerable_by: Answerer
    choices: tuple[str, ...] = ()
    unit: str = ""
    also: tuple[str, ...] = ()
    lower: float | None = None
    upper: float | None = None
    molar: float | None = None
    sex: str = ""
    from_age: float | None = None
    to_age: float | None = None
    otherwise: bool | None = None
    nb: str = ""
    nn: str = ""
    en: str = ""

    def label(self, language: str) -> str:
        """Its name in nb, nn or en; other languages read bokmål."""
        return {"nn": self.nn, "en": self.en}.get(language, self.nb)


@dataclass(frozen=True, slots=True)
class Subject:
    """What a variable is about: "history:stroke@183" is stroke, in the last 183 days.

    Answers in one `family` bear on each other. `reach` is how far back a yes looks, in days: 0 is now, and
    infinity ever. `last` is the variable of when it last was so, "" for what is asked of now or of no time.
    """

    row: str
    concept: str = ""
    days: int | None = None

    @property
    def family(self) -> str:
        """The row, history counting as condition, and when it last was so as what it is about."""
        return "condition" if self.row == "history" else self.row.removeprefix(_LAST)

    @property
    def reach(self) -> float:
        """How many days back a yes looks."""
        if self.days is not None:
            return self.days
        return inf if self.row in {"history", "procedure", "allergy"} else 0

    @property
    def last(self) -> str:
        """Its variable with a date for an answer: last_condition:stroke."""
        dated = self.row in {"history", "procedure"} or self.days is not None
        return f"{_LAST}{self.family}:{self.concept}" if dated else ""


_LAST = "last_"


@lru_cache(maxsize=1 << 14)
def subject(name: str) -> Subject:
    """What a variable is about."""
    row, _, rest = name.partition(":")
    concept, _, days = rest.partition("@")
    return Subject(row, concept, int(days) if days else None)


def variable(name: str) -> Variable:
    """The row of a variable; "condition:asthma" is described by the row "condition".

    Raises:
        BadInput: no row has this name.
    """
    try:
        return variables()[name.partition(":")[0]]
    except KeyError:
        raise BadInput(f"No variable {name!r}. Known: {', '.join(variables())}.") from None


def tells(asked: str, needed: str) -> bool:
    """Whether the question of `asked` is one about `needed`: the same, or when it last was so."""
    return asked in {needed, subject(needed).last}


@cache
def variables() -> Mapping[str, Variable]:
    """Every row of variables.tsv by name."""
    with (files("nlp.eligibility") / "variables.tsv").open(encoding="utf-8") as lines:
        return {row["variable"]: _variable(row) for row in DictReader(lines, delimiter="\t")}


def concerns(name: str, answers: Answers) -> bool:
    """Whether a variable can concern this person. True as long as sex and age do not rule it out."""
    row = variable(name)
    sex, age = answers.get("sex"), answers.get("age")
    if row.sex and sex is not None and sex != row.sex:
        return False
    if age is None or isinstance(age, str):
        return True
    too_young = row.from_age is not None and age < row.from_age
    return not (too_young or (row.to_age is not None and age >= row.to_age + 1))


def _variable(row: dict[str, str]) -> Variable:
    cells = {name: "" if cell == "-" else cell for name, cell in row.items()}
    return Variable(
        name=cells["variable"],
        about=Kind(cells["kind"]),
        rank=int(cells["rank"]),
        kind=QuestionKind(cells["question"]),
        answerable_by=Answerer(cells["answerable_by"]),
        choices=tuple(cells["choices"].split()),
        unit=cells["unit"],
        also=tuple(cells["also"].split()),
        lower=_number(cells["lower"]),
        upper=_number(cells["upper"]),
        molar=_number(cells["molar"]),
        sex=cells["sex"],
        from_age=_number(cells["from_age"]),
        to_age=_number(cells["to_age"]),
        otherwise={"yes": True, "no": False, "": None}[cells["otherwise"]],
        nb=cells["nb"],
        nn=cells["nn"],
        en=cells["en"],
    )


def _number(cell: str) -> float | None:
    return float(cell) if cell else None
