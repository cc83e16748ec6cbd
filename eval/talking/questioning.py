"""How many questions the pre-screening saves: invented answers in, questions asked against all out."""

import random
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from chatbot.desk import Desk
from chatbot.screening import open_questions
from chatbot.state import State
from nlp.eligibility.dates import NEVER
from nlp.eligibility.questions import Question, questions_for
from nlp.eligibility.variables import Answer, QuestionKind, concerns

STUDIES = 10
_SOME = 100
_YES = 0.2
_UNKNOWN = 0.1
_LONGEST_AGO = 3650.0
"""Days."""


@dataclass(frozen=True, slots=True)
class Questioning:
    """One person and the studies of one search: their criteria, all their questions, and those asked."""

    criteria: int
    questions: int
    asked: int


@dataclass(frozen=True, slots=True)
class Saved:
    """Medians over all people."""

    people: int
    criteria: float
    questions: float
    asked: float


def median(questionings: Sequence[Questioning]) -> Saved:
    """What a person in the middle meets."""
    middle = statistics.median
    return Saved(
        len(questionings),
        middle(each.criteria for each in questionings),
        middle(each.questions for each in questionings),
        middle(each.asked for each in questionings),
    )


def ask_people(desk: Desk, searches: Sequence[str], seed: int = 1) -> Iterator[Questioning]:
    """One person a search, whose answers are drawn by chance, until nothing worth asking is left.

    Only searches that find ten studies count. A person says yes to one yes-no question in five, remembers a
    month of the last ten years where the question is when, and does not know one answer in ten. All
    questions are those that concern the person.
    """
    chance = random.Random(seed)  # noqa: S311 - nothing here is secret
    for words in searches:
        found = tuple(hit.study_id for hit in desk.find(words, "nb"))[:STUDIES]
        if len(found) == STUDIES:
            yield _ask(desk, found, chance)


def _ask(desk: Desk, found: tuple[str, ...], chance: random.Random) -> Questioning:
    criteria = [criterion for each in found for criterion in desk.criteria_of(desk.study(each))]
    everything = questions_for(criteria)
    answers = {each.variable: _answer(each, chance, desk.today()) for each in everything}
    state = State(found=found, most=len(everything))
    while asked := open_questions(state, desk):
        name = asked[0].variable
        if name not in answers:  # one of two windows is settled, and yes or no settles the other
            answers[name] = _answer(asked[0], chance, desk.today())
        state = replace(state.answer(name, answers[name]), asked=(*state.asked, name))
    concerning = sum(concerns(each.variable, answers) for each in everything)
    return Questioning(len(criteria), concerning, len(state.asked))


def _answer(question: Question, chance: random.Random, today: date) -> Answer:
    if question.variable not in ("age", "sex") and chance.random() < _UNKNOWN:
        return None
    match question.kind:
        case QuestionKind.YES_NO:
            return chance.random() < _YES
        case QuestionKind.CHOICE:
            return chance.choice(question.choices)
        case QuestionKind.DATE:
            back = timedelta(chance.uniform(0, _LONGEST_AGO))
            return (today - back).isoformat()[:7] if chance.random() < _YES else NEVER
        case QuestionKind.NUMBER:
            least = question.lower or 0.0
            return round(chance.uniform(least, question.upper or least + _SOME))
