"""A study's criteria text and its age and sex fields -> criteria with the rule that each sets."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from nlp.eligibility.logic import Rule
from nlp.eligibility.relations import Bound, Kind, Relation
from nlp.eligibility.variables import Answerer
from ontology.wording import say
from registry.study import Sex, Study

if TYPE_CHECKING:
    from ontology.linker import Linker


class Section(StrEnum):
    """Where a criterion stands. RECORD is a field of the register, not a line of text."""

    INCLUSION = "inclusion"
    EXCLUSION = "exclusion"
    OTHER = "other"
    RECORD = "record"


class Parsed(StrEnum):
    """How much of a criterion was understood."""

    FULL = "full"
    PARTIAL = "partial"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Criterion:
    """One criterion of a study. Its id is unique within the study.

    `text` is study.criteria[start:end], exactly; a RECORD criterion has start = end = 0 and a text in the
    study's language. `rule` is what the study requires of a person: polarity is applied, so that an
    exclusion holds a Not, and "met" always speaks for the person. None: nothing was understood, ask
    the study.
    """

    id: str
    text: str
    start: int
    end: int
    section: Section
    rule: Rule | None
    parsed: Parsed
    answerable_by: Answerer


def read_criteria(study: Study, linker: "Linker") -> tuple[Criterion, ...]:
    """The criteria of a study: first those of its age and sex fields, then those of its text, in order."""
    return (*_record_criteria(study),)


def _record_criteria(study: Study) -> tuple[Criterion, ...]:
    return tuple(
        Criterion(
            id=f"record-{relation.variable}",
            text=_record_text(relation, study.language),
            start=0,
            end=0,
            section=Section.RECORD,
            rule=relation,
            parsed=Parsed.FULL,
            answerable_by=Answerer.PATIENT,
        )
        for relation in (_record_age(study), _record_sex(study))
        if relation is not None
    )


def _record_age(study: Study) -> Relation | None:
    if study.minimum_age is None and study.maximum_age is None:
        return None
    lower, upper = (None if age is None else Bound(age) for age in (study.minimum_age, study.maximum_age))
    return Relation(Kind.AGE, "age", lower=lower, upper=upper, unit="years")


def _record_sex(study: Study) -> Relation | None:
    if study.sex is None:
        return None
    values = (Sex.FEMALE, Sex.MALE) if study.sex is Sex.ALL else (study.sex,)
    return Relation(Kind.SEX, "sex", values=tuple(value.value for value in values))


def _record_text(relation: Relation, language: str) -> str:
    if relation.kind is Kind.SEX:
        return say(f"eligibility.record_sex_{'_'.join(relation.values)}", language)
    ends = {"from": relation.lower, "to": relation.upper}
    stated = {name: f"{bound.value:g}" for name, bound in ends.items() if bound is not None}
    return say(f"eligibility.record_age_{'_'.join(stated)}", language, **stated)
