"""Criteria and answers -> what can honestly be said about one person and one study."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from nlp.eligibility.criteria import Criterion, Parsed
from nlp.eligibility.dates import NEVER, elapsed, was_within
from nlp.eligibility.logic import And, AtLeast, Or, Rule, Truth, read_part, relations, truth
from nlp.eligibility.relations import Bound, Kind, Relation
from nlp.eligibility.sections import Section
from nlp.eligibility.units import canonical
from nlp.eligibility.variables import (
    Answer,
    Answerer,
    Answers,
    QuestionKind,
    Subject,
    concerns,
    subject,
    variable,
)
from ontology.concept import Ontology, load_ontology


class Outcome(StrEnum):
    """What the answers say about a study. Only the study team can say that somebody is eligible.

    PROBABLY_NOT: at least one criterion is clearly not met. MAY_FIT: nothing contradicts, every fact
    that we could ask for is known and speaks for the person, and what the study is about was
    understood. UNCLEAR: everything between.
    """

    MAY_FIT = "may_fit"
    PROBABLY_NOT = "probably_not"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Finding:
    """One criterion weighed. `answers` are those given to the facts it needs, by variable."""

    criterion: Criterion
    truth: Truth
    answers: tuple[tuple[str, Answer], ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome for one study and the finding of each of its criteria, in their order."""

    study_id: str
    outcome: Outcome
    findings: tuple[Finding, ...]


def judge(
    study_id: str,
    criteria: Iterable[Criterion],
    answers: Answers,
    ontology: Ontology | None = None,
    *,
    today: date,
) -> Verdict:
    """Weigh the answers against each criterion (Kleene's three-valued logic).

    Unknown never excludes, the order of answers does not matter, and more answers from the same person
    never turn a clear "not met" around. Answers that contradict each other count as unknown. `ontology`
    (default: the shipped one) tells which conditions contain which, and windows of time end `today`.
    """
    person = Person(answers, ontology or load_ontology(), today)
    findings = tuple(_finding(criterion, person) for criterion in criteria)
    return Verdict(study_id, _outcome(findings, person), findings)


@dataclass(frozen=True, slots=True)
class Person:
    """What is known about somebody."""

    answers: Answers
    ontology: Ontology
    today: date

    def fits(self, relation: Relation) -> Truth:
        """Whether a relation holds for this person, polarity apart."""
        match variable(relation.variable).kind:
            case QuestionKind.NUMBER:
                return _measured(relation, self.answers.get(relation.variable))
            case QuestionKind.CHOICE:
                return self._chosen(relation)
            case QuestionKind.YES_NO:
                return self._yes_no(relation)
            case QuestionKind.DATE:
                return self._lasted(relation)

    def _chosen(self, relation: Relation) -> Truth:
        choices, choice = variable(relation.variable).choices, self.answers.get(relation.variable)
        if set(choices) <= set(relation.values):
            return Truth.MET
        return _known(choice in relation.values) if choice in choices else Truth.UNKNOWN

    def _lasted(self, relation: Relation) -> Truth:
        """For how long something has been so, by when it began."""
        began = self.answers.get(relation.variable)
        since = elapsed(began, self.today) if isinstance(began, str) else None
        return Truth.UNKNOWN if since is None else _within(relation, *since)

    def _yes_no(self, relation: Relation) -> Truth:
        yes, no = self._says_yes(relation), self._says_no(relation)
        return Truth.UNKNOWN if yes == no else _known(yes)

    def _says_yes(self, relation: Relation) -> bool:
        """A narrower concept proves a broader one, and what one has now one has had."""
        if relation.concept:
            wanted = subject(relation.variable)
            near = {relation.concept, *self.ontology.descendants(relation.concept)}
            return not near.isdisjoint(self._said(wanted, True))
        return self.answers.get(relation.variable) is True or self._otherwise(relation) is True

    def _says_no(self, relation: Relation) -> bool:
        """Without a broader concept there is no narrower one; what one never had one has not now."""
        if relation.concept:
            wanted = subject(relation.variable)
            near = {relation.concept, *self.ontology.ancestors(relation.concept)}
            return not near.isdisjoint(self._said(wanted, False))
        return self.answers.get(relation.variable) is False or self._otherwise(relation) is False

    def _said(self, wanted: Subject, holds: bool) -> Iterator[str]:
        """The concepts of which the answers say that they were, or were not, so as far back as is wanted."""
        for name, given in self.answers.items():
            said = subject(name)
            if said.family == wanted.family and self._holds(said, given, wanted.reach) is holds:
                yield said.concept

    def _holds(self, said: Subject, given: Answer, reach: float) -> bool | None:
        """What an answer says of the last `reach` days: a yes holds for more of them, a no for fewer.

        That a condition was long ago does not say that it is not now: "patients with stroke" have had one.
        """
        if isinstance(given, str):
            within = was_within(given, reach, self.today)
            lasts = said.family == "condition" and reach == 0 and given != NEVER
            return within or (None if lasts else within)
        says = said.reach <= reach if given else said.reach >= reach
        return given if says and isinstance(given, bool) else None

    def _otherwise(self, relation: Relation) -> bool | None:
        return None if concerns(relation.variable, self.answers) else variable(relation.variable).otherwise


def _measured(relation: Relation, answer: Answer) -> Truth:
    """Compare a number with what the text states. A whole number of years is an age until the birthday."""
    if answer is None or isinstance(answer, bool | str):
        return Truth.UNKNOWN
    if relation.values:
        return _among(relation, float(answer))
    least = float(answer)
    return _within(relation, least, least + 1 if relation.kind is Kind.AGE and least.is_integer() else least)


def _within(relation: Relation, least: float, most: float) -> Truth:
    """Compare a number known to within its ends, in the variable's own unit, with a text in whatever unit."""
    lower, upper = (_converted(relation, bound) for bound in (relation.lower, relation.upper))
    if (lower is None, upper is None) != (relation.lower is None, relation.upper is None):
        return Truth.UNKNOWN
    years = relation.kind is Kind.AGE
    ends = (_above(lower, least, most), _below(upper, least, most, years=years))
    if Truth.NOT_MET in ends:
        return Truth.NOT_MET
    return Truth.UNKNOWN if Truth.UNKNOWN in ends else Truth.MET


def _converted(relation: Relation, bound: Bound | None) -> Bound | None:
    """A bound in the variable's own unit; None where there is none or it cannot be told."""
    if bound is None:
        return None
    value = canonical(variable(relation.variable), bound.value, relation.unit)
    return None if value is None else replace(bound, value=value)


def _among(relation: Relation, answer: float) -> Truth:
    """Whether a grade is one of those listed; letters («Child-Pugh A») cannot be compared with a number."""
    if not all(value.replace(".", "", 1).isdigit() for value in relation.values):
        return Truth.UNKNOWN
    return _known(answer in {float(value) for value in relation.values})


def _above(bound: Bound | None, least: float, most: float) -> Truth:
    """«Over 18» says nothing certain of somebody who is 18: some studies mean it, some mean 19."""
    if bound is None or least > bound.value or (bound.inclusive and least == bound.value):
        return Truth.MET
    return Truth.NOT_MET if most <= bound.value else Truth.UNKNOWN


def _below(bound: Bound | None, least: float, most: float, *, years: bool) -> Truth:
    """«Til og med 75 år» lasts until the 76th birthday."""
    if bound is None:
        return Truth.MET
    birthday = years and bound.inclusive and bound.value % 1 == 0
    limit = bound.value + 1 if birthday else bound.value
    closed = bound.inclusive and not birthday
    if most < limit or (most == limit and (closed or most > least)):
        return Truth.MET
    return Truth.NOT_MET if least > limit or (least == limit and not closed) else Truth.UNKNOWN


def _known(holds: bool) -> Truth:
    return Truth.MET if holds else Truth.NOT_MET


def _finding(criterion: Criterion, person: Person) -> Finding:
    needed = [relation.variable for relation in relations(criterion.rule)]
    names = dict.fromkeys(name for each in needed for name in (each, subject(each).last))
    given = tuple((name, person.answers[name]) for name in names if name in person.answers)
    holds = Truth.UNKNOWN if criterion.rule is None else truth(criterion.rule, person.fits)
    return Finding(criterion, holds, given)


def _outcome(findings: tuple[Finding, ...], person: Person) -> Outcome:
    if any(finding.truth is Truth.NOT_MET for finding in findings):
        return Outcome.PROBABLY_NOT
    asked = [f.criterion for f in findings if f.criterion.answerable_by is Answerer.PATIENT]
    if not all(_speaks_for(criterion.rule, person) for criterion in asked):
        return Outcome.UNCLEAR
    return Outcome.MAY_FIT if _subject_understood(findings) else Outcome.UNCLEAR


def _speaks_for(rule: Rule | None, person: Person) -> bool:
    """Whether the understood part of a rule is met; a rule without one says nothing against."""
    understood = None if rule is None else read_part(rule)
    return understood is None or truth(understood, person.fits) is Truth.MET


def _subject_understood(findings: tuple[Finding, ...]) -> bool:
    """Age and sex alone do not make a fit: an inclusion condition was read, or all inclusion was."""
    inclusion = [f.criterion for f in findings if f.criterion.section is Section.INCLUSION]
    about = {relation.kind for criterion in inclusion for relation in _demanded(criterion.rule)}
    everything = bool(inclusion) and all(criterion.parsed is Parsed.FULL for criterion in inclusion)
    return everything or bool(about & {Kind.CONDITION, Kind.PREGNANCY})


def _demanded(rule: Rule | None) -> Iterator[Relation]:
    """The relations of a rule that are not denied: not those that only tell for whom it holds."""
    match rule:
        case Relation():
            yield rule
        case And(parts) | Or(parts) | AtLeast(_, parts):
            for part in parts:
                yield from _demanded(part)
