"""One person and one study: what is left to ask, what can be said, what would be sent."""

from chatbot.desk import Desk
from chatbot.state import State
from nlp.eligibility.logic import Truth
from nlp.eligibility.questions import Question, questions_for, wording
from nlp.eligibility.variables import concerns
from nlp.eligibility.verdict import Finding, Outcome, Verdict, judge
from recruitment.screening import CriterionResult, Screening

MOST_QUESTIONS = 10
"""Questions about one study. What they leave open is for the study to ask."""


def weigh(state: State, desk: Desk) -> Verdict:
    """What the answers so far say about the chosen study."""
    return judge(state.study, desk.criteria_of(desk.study(state.study)), state.given, desk.ontology)


def open_questions(state: State, desk: Desk) -> tuple[Question, ...]:
    """The questions still worth asking, in order: those that can settle a criterion not settled yet.

    None when a criterion is clearly not met: more answers would not change the verdict.
    """
    verdict = weigh(state, desk)
    if verdict.outcome is Outcome.PROBABLY_NOT:
        return ()
    unsettled = {f.criterion.id for f in verdict.findings if f.truth is Truth.UNKNOWN}
    given = state.given
    left = tuple(
        question
        for question in _questions(state, desk)
        if question.variable not in given
        and concerns(question.variable, given)
        and unsettled.intersection(question.criteria)
    )
    return left[: max(0, MOST_QUESTIONS - len(state.asked))]


def screening_of(state: State, desk: Desk) -> Screening:
    """What the study would get: each criterion with its finding, and the answers that it asked for."""
    verdict = weigh(state, desk)
    given = state.given
    return Screening(
        outcome=verdict.outcome.value,
        criteria=tuple(_result(finding) for finding in verdict.findings),
        answers=tuple(
            (wording(question, state.language, desk.ontology)[0], given[question.variable])
            for question in _questions(state, desk)
            if question.variable in given
        ),
    )


def _questions(state: State, desk: Desk) -> tuple[Question, ...]:
    return questions_for(desk.criteria_of(desk.study(state.study)))


def _result(finding: Finding) -> CriterionResult:
    answer = finding.answers[0][1] if finding.answers else None
    return CriterionResult(finding.criterion.text, finding.criterion.section, finding.truth, answer)
