"""The form of an interest -> what somebody is about to send, and what is wrong with it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from api.chat import open_desk
from api.library import Library
from api.pages.render import number
from api.settings import Settings
from chatbot.safety import MASK, mask
from chatbot.screening import screening_of
from chatbot.state import State
from nlp.eligibility.questions import Question, questions_for, wording
from nlp.eligibility.variables import Answer, QuestionKind
from ontology.errors import BadInput
from ontology.wording import say
from recruitment.interest import NOTE_LIMIT
from recruitment.person import Person, Sender, checked
from recruitment.screening import Screening
from registry.study import Study

MOST_QUESTIONS = 40
ANSWER = "answer."
"""A field of this name and a variable holds an answer: yes, no, unknown, a number or a choice; "" is none."""
_WORDS: dict[str, Answer] = {"yes": True, "no": False, "unknown": None}
_CARRIED = frozenset({"email", "phone", "name", "note", "sender", "agreed"})


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of the study as the page shows it; `given` is what was written, "" for nothing."""

    field: str
    text: str
    help: str
    kind: QuestionKind
    choices: tuple[str, ...]
    unit: str
    given: str
    wrong: str


@dataclass(frozen=True, slots=True, repr=False)
class Draft:
    """What somebody is about to send. `wrong` says what must be mended, by field."""

    study: Study
    language: str
    fields: dict[str, str]
    questions: tuple[Asked, ...]
    answers: dict[str, Answer]
    person: Person
    wrong: dict[str, str]

    @property
    def carried(self) -> dict[str, str]:
        """The fields that go along to the next page."""
        return {
            name: value for name, value in self.fields.items() if name.startswith(ANSWER) or name in _CARRIED
        }

    def screening(self, library: Library, settings: Settings) -> Screening:
        """What the study would get besides the contact details."""
        state = State(study=self.study.id, language=self.language, answers=tuple(self.answers.items()))
        note = self.fields.get("note", "").replace("\r\n", "\n").strip()
        return replace(screening_of(state, open_desk(library, settings)), note=note)


def read_draft(library: Library, study: Study, fields: dict[str, str], language: str) -> Draft:
    """What the fields of the form say, right or wrong."""
    answers: dict[str, Answer] = {}
    questions = tuple(_asked(study, library, fields, answers, language))
    wrong = {each.field: each.wrong for each in questions if each.wrong}
    person, wrongs = _person(fields, language)
    return Draft(study, language, fields, questions, answers, person, wrong | wrongs)


def _asked(
    study: Study, library: Library, fields: dict[str, str], answers: dict[str, Answer], language: str
) -> Iterator[Asked]:
    """The study's questions; fills `answers` with what can be used."""
    for question in islice(questions_for(library.criteria_of(study)), MOST_QUESTIONS):
        name, given = ANSWER + question.variable, fields.get(ANSWER + question.variable, "").strip()
        text, help_text = wording(question, language, library.ontology)
        wrong = ""
        try:
            if given:
                answers[question.variable] = _answer(question, given)
        except BadInput:
            wrong = _say_bounds(question, language)
        yield Asked(name, text, help_text, question.kind, question.choices, question.unit, given, wrong)


def _answer(question: Question, given: str) -> Answer:
    """The answer that a field of the form holds.

    Raises:
        BadInput: it holds none.
    """
    if question.kind is QuestionKind.NUMBER:
        return _number(question, given)
    if question.kind is QuestionKind.CHOICE and given in question.choices:
        return given
    if given in _WORDS and (given == "unknown" or question.kind is QuestionKind.YES_NO):
        return _WORDS[given]
    raise BadInput("not an answer")


def _number(question: Question, given: str) -> float:
    try:
        value = float(given.replace(",", ".").replace(" ", ""))
    except ValueError:
        raise BadInput("not a number") from None
    low = question.lower if question.lower is not None else value
    high = question.upper if question.upper is not None else value
    if not low <= value <= high:
        raise BadInput("not a plausible number")
    return value


def _say_bounds(question: Question, language: str) -> str:
    if question.lower is None or question.upper is None:
        return say("send.wrong_answer", language)
    low, high = (number(bound, language) for bound in (question.lower, question.upper))
    return say("send.wrong_number", language, low=low, high=high)


def _person(fields: dict[str, str], language: str) -> tuple[Person, dict[str, str]]:
    """Who sends, and what is wrong with how they said it."""
    wrong: dict[str, str] = {}
    typed = Person(fields.get("email", ""), fields.get("phone", ""), fields.get("name", ""))
    alone = {
        "email": Person(email=typed.email, phone="40000000"),
        "phone": Person(email="a@example.org", phone=typed.phone),
        "name": Person(email="a@example.org", name=typed.name),
    }
    for name, person in alone.items():
        try:
            checked(person, language)
        except BadInput as problem:
            wrong[name] = str(problem)
    if not (typed.email.strip() or typed.phone.strip()):
        wrong["email"] = say("interest.no_contact", language)
    sender = fields.get("sender", "")
    if sender not in set(Sender):
        return typed, wrong | {"sender": say("send.wrong_sender", language)}
    if sender != Sender.SELF and fields.get("agreed") != "yes":
        wrong["agreed"] = say("send.wrong_agreed", language)
    if len(fields.get("note", "")) > NOTE_LIMIT:
        wrong["note"] = say("interest.too_long", language, limit=NOTE_LIMIT)
    elif MASK in mask(fields.get("note", ""), keep_contact=True):
        wrong["note"] = say("gp.identity_number", language)
    return replace(typed, sender=Sender(sender)), wrong
