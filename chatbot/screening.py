"""One person and the studies found: what is best asked next, what can be said, what would be sent."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache, lru_cache
from itertools import pairwise
from math import inf, log2

from chatbot.desk import Desk
from chatbot.facts import Subject
from chatbot.phrases import rows
from chatbot.state import State
from nlp.eligibility.criteria import Criterion
from nlp.eligibility.dates import NEVER
from nlp.eligibility.logic import Truth, relations, truth
from nlp.eligibility.questions import Question, asked_as, facts_in, question_of, questions_for, wording
from nlp.eligibility.sections import Section
from nlp.eligibility.units import canonical
from nlp.eligibility.variables import (
    Answer,
    Answerer,
    Answers,
    QuestionKind,
    concerns,
    subject,
    tells,
    variable,
)
from nlp.eligibility.verdict import Finding, Outcome, Person, Verdict, judge
from recruitment.screening import CriterionResult, Screening

MOST_QUESTIONS = 10
"""Questions in a row. What they leave open can be asked on request, or is for the study to ask."""

_AGES = {5: 0.06, 12: 0.05, 16: 0.04, 25: 0.08, 35: 0.1, 45: 0.12, 55: 0.15, 65: 0.17, 75: 0.14, 85: 0.09}
"""Of a hundred people who ask, about how old they are."""
_WANTED, _FEARED = 0.5, 0.1
"""How often somebody has what inclusion asks for, and what excludes."""


@dataclass(frozen=True, slots=True)
class _Open:
    """A question, and for each study that needs its answer the criteria that it would settle."""

    question: Question
    criteria: tuple[tuple[str, tuple[Criterion, ...]], ...]


def weigh(state: State, desk: Desk, study_id: str = "") -> Verdict:
    """What the answers so far say about one study, by default the chosen one."""
    study = desk.study(study_id or state.study)
    return judge(study.id, desk.criteria_of(study), state.given, desk.ontology, today=desk.today())


def verdicts(state: State, desk: Desk) -> tuple[Verdict, ...]:
    """What the answers so far say about each study that is screened, in the order they were found."""
    return tuple(weigh(state, desk, each) for each in state.screened)


def unknown_in(verdict: Verdict) -> int:
    """How many criteria of a study are neither met nor not met."""
    return sum(finding.truth is Truth.UNKNOWN for finding in verdict.findings)


def open_questions(state: State, desk: Desk) -> tuple[Question, ...]:
    """The questions still worth asking, the one that separates the studies best first.

    None about a study of which a criterion is clearly not met, and none whose answer is known or would
    settle nothing. First those that anybody can answer, last those that are sensitive; among equals the
    one with the most expected information: the sum over the studies of the entropy (in bits) of whether
    the answer rules the study out. At most as many as `state.most` leaves.
    """
    left = max(0, state.most - len(state.asked))
    if not left:
        return ()
    person = Person(state.given, desk.ontology, desk.today())
    ranked = sorted(_open(state, desk, person), key=lambda each: _order(each, desk, person))
    return tuple(each.question for each in ranked[:left])


def is_sensitive(name: str, desk: Desk) -> bool:
    """Whether a question is asked last, and with its reason: HIV, abuse, mental illness, pregnancy..."""
    row, concept = subject(name).row, subject(name).concept
    return not _sensitive().isdisjoint({row, concept, *(desk.ontology.ancestors(concept) if concept else ())})


def screening_of(state: State, desk: Desk) -> Screening:
    """What the chosen study would get: each criterion with its finding, and every answer that is given."""
    verdict = weigh(state, desk)
    answers = state.given.items()
    return Screening(
        outcome=verdict.outcome.value,
        criteria=tuple(_result(finding) for finding in verdict.findings),
        answers=tuple(
            (wording(question_of(name), state.language, desk.ontology)[0], answer) for name, answer in answers
        ),
    )


def bearing(state: State, study_id: str, desk: Desk) -> dict[str, Answer]:
    """Of what is known, what one study asks for, and what else its verdict would not be the same without."""
    criteria = desk.criteria_of(desk.study(study_id))
    asked = {each.variable for each in questions_for(criteria)}
    verdict, kept = weigh(state, desk, study_id), state.given
    for name in state.given.keys() - asked:
        fewer = {other: answer for other, answer in kept.items() if other != name}
        if judge(study_id, criteria, fewer, desk.ontology, today=desk.today()) == verdict:
            kept = fewer
    return kept


def _open(state: State, desk: Desk, person: Person) -> Iterator[_Open]:
    needed: dict[str, dict[str, tuple[Criterion, ...]]] = {}
    for verdict in verdicts(state, desk):
        if verdict.outcome is Outcome.PROBABLY_NOT:
            continue
        unsettled = {f.criterion.id for f in verdict.findings if f.truth is Truth.UNKNOWN}
        criteria = desk.criteria_of(desk.study(verdict.study_id))
        for name, those in _facts(criteria, clinician=state.subject is Subject.PATIENT).items():
            left = tuple(each for each in those if each.id in unsettled)
            if _is_open(name, person.answers) and _would_settle(name, left, person):
                needed.setdefault(name, {})[verdict.study_id] = left
    merged: dict[str, dict[str, tuple[Criterion, ...]]] = {}
    for name, question in asked_as(needed).items():
        studies = merged.setdefault(question, {})
        for study_id, left in needed[name].items():
            studies[study_id] = (*studies.get(study_id, ()), *left)
    return (_Open(question_of(name), tuple(studies.items())) for name, studies in merged.items())


@lru_cache(512)
def _facts(criteria: tuple[Criterion, ...], *, clinician: bool) -> Mapping[str, tuple[Criterion, ...]]:
    answerers = (Answerer.PATIENT, Answerer.CLINICIAN) if clinician else (Answerer.PATIENT,)
    return facts_in(criteria, answerers)


def _is_open(name: str, answers: Answers) -> bool:
    """Whether it can concern the person, and neither it nor when it last was so has been asked."""
    return name not in answers and subject(name).last not in answers and concerns(name, answers)


def _would_settle(name: str, criteria: Iterable[Criterion], person: Person) -> bool:
    """Whether something that is still unknown of a criterion depends on the answer."""
    return any(
        relation.variable == name and person.fits(relation) is Truth.UNKNOWN
        for criterion in criteria
        for relation in relations(criterion.rule)
    )


def _order(each: _Open, desk: Desk, person: Person) -> tuple[bool, bool, float, int]:
    row = variable(each.question.variable)
    return (
        is_sensitive(each.question.variable, desk),
        row.answerable_by is not Answerer.PATIENT,
        -_information(each, person) / _effort(each.question),
        row.rank,
    )


def _effort(question: Question) -> float:
    """Age and sex are told without thinking; a date must be remembered."""
    return 1 if question.variable in ("age", "sex") else 3 if question.kind is QuestionKind.DATE else 2


def _information(each: _Open, person: Person) -> float:
    chances = tuple(_chances(each, person.today))
    bits = 0.0
    for _, criteria in each.criteria:
        ruled_out = sum(chance for answer, chance in chances if _rules_out(each, criteria, answer, person))
        bits += _entropy(ruled_out)
    return round(bits, 9)


def _rules_out(each: _Open, criteria: tuple[Criterion, ...], answer: Answer, person: Person) -> bool:
    told = replace(person, answers={**person.answers, each.question.variable: answer})
    return any(c.rule is not None and truth(c.rule, told.fits) is Truth.NOT_MET for c in criteria)


def _chances(each: _Open, today: date) -> Iterator[tuple[Answer, float]]:
    """Answers that people give to a question, and how often."""
    question = each.question
    criteria = [criterion for _, of_study in each.criteria for criterion in of_study]
    match question.kind:
        case QuestionKind.YES_NO:
            wanted = any(criterion.section is not Section.EXCLUSION for criterion in criteria)
            yes = _WANTED if wanted else _FEARED
            yield from ((True, yes), (False, 1 - yes))
        case QuestionKind.CHOICE:
            yield from ((choice, 1 / len(question.choices)) for choice in question.choices)
        case QuestionKind.DATE:
            yield from _times(each, today)
        case QuestionKind.NUMBER if question.variable == "age":
            yield from _AGES.items()
        case QuestionKind.NUMBER:
            limits = _limits(question.variable, criteria)
            steps = [low - 1 for low in limits[:1]] + [(a + b) / 2 for a, b in pairwise(limits)]
            steps += [high + 1 for high in limits[-1:]]
            yield from ((step, 1 / len(steps)) for step in steps)


def _times(each: _Open, today: date) -> Iterator[tuple[Answer, float]]:
    """Never, and days between those at which something changes."""
    name = each.question.variable
    criteria = [criterion for _, of_study in each.criteria for criterion in of_study]
    needed = {relation.variable for criterion in criteria for relation in relations(criterion.rule)}
    reaches = {subject(other).reach for other in needed if other != name and tells(name, other)}
    limits = sorted(reaches - {inf}) or _limits(name, criteria)
    days = [low / 2 for low in limits[:1]] + [(a + b) / 2 for a, b in pairwise(limits)]
    days += [high * 2 for high in limits[-1:]]
    never = 1 - _FEARED if reaches else 0.0
    yield NEVER, never
    for back in days:
        yield (today - timedelta(back)).isoformat(), (1 - never) / len(days)


def _limits(name: str, criteria: Iterable[Criterion]) -> list[float]:
    """The numbers at which something changes, in the variable's own unit and in order."""
    bounds = (
        canonical(variable(name), bound.value, relation.unit)
        for criterion in criteria
        for relation in relations(criterion.rule)
        if relation.variable == name
        for bound in (relation.lower, relation.upper)
        if bound is not None
    )
    return sorted({bound for bound in bounds if bound is not None})


def _entropy(chance: float) -> float:
    return sum(-p * log2(p) for p in (chance, 1 - chance) if p > 0)


@cache
def _sensitive() -> frozenset[str]:
    return frozenset(row["variable"] for row in rows("sensitive.tsv"))


def _result(finding: Finding) -> CriterionResult:
    answer = finding.answers[0][1] if finding.answers else None
    return CriterionResult(finding.criterion.text, finding.criterion.section, finding.truth, answer)
