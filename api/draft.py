"""The form of an interest -> what somebody is about to send, and what is wrong with it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice

from api.chat import open_desk
from api.library import Library
from api.pages.render import number
from api.settings import Settings
from chatbot.dates import read_when
from chatbot.desk import Desk
from chatbot.facts import Said, Subject
from chatbot.intents import read_answer
from chatbot.safety import MASK, mask
from chatbot.screening import bearing, screening_of
from chatbot.state import State
from chatbot.summary import shown_answer
from nlp.eligibility.dates import NEVER
from nlp.eligibility.questions import Question, question_of, questions_for, wording
from nlp.eligibility.variables import Answer, QuestionKind, subject, variables
from ontology.concept import Ontology
from ontology.errors import BadInput
from ontology.wording import say
from recruitment.interest import NOTE_LIMIT
from recruitment.person import Person, Sender, checked
from recruitment.screening import Screening
from registry.study import Study

MOST_QUESTIONS = 40
ANSWER = "answer."
"""A field of this name and a variable holds an answer: yes, no, unknown, a number, a choice, when, or ""."""
_WORDS: dict[str, Answer] = {"yes": True, "no": False, "unknown": None}
_OF_A_TIME = frozenset({"history", "drug", "procedure"})
_OF_A_CONCEPT = _OF_A_TIME | {"condition", "allergy", "last_condition", "last_drug", "last_procedure"}
_MOST_DIGITS = 5
_CARRIED = frozenset({"email", "phone", "name", "note", "sender", "agreed"})


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of the study as the page shows it; `given` is what was written, "" for nothing."""

    field: str
    text: str
    help: str
    kind: QuestionKind
    choices: tuple[str, ...]
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


def fields_of(state: State, study: Study, desk: Desk, language: str) -> dict[str, str]:
    """A pre-screening as fields of the form: what bears on this study, and who writes for another."""
    if study.id not in state.screened:
        return {}
    known = bearing(state, study.id, desk)
    fields = {ANSWER + name: _written(answer, language) for name, answer in known.items()}
    if state.subject is not Subject.SELF:
        fields["sender"] = Sender.CLINICIAN if state.subject is Subject.PATIENT else Sender.RELATIVE
    return fields


def read_draft(library: Library, study: Study, fields: dict[str, str], language: str, today: date) -> Draft:
    """What the fields of the form say, right or wrong, as of `today`."""
    answers: dict[str, Answer] = {}
    questions = tuple(_asked(study, library, fields, answers, language=language, today=today))
    wrong = {each.field: each.wrong for each in questions if each.wrong}
    person, wrongs = _person(fields, language)
    return Draft(study, language, fields, questions, answers, person, wrong | wrongs)


def _asked(
    study: Study,
    library: Library,
    fields: dict[str, str],
    answers: dict[str, Answer],
    *,
    language: str,
    today: date,
) -> Iterator[Asked]:
    """The study's questions, and what else was answered; fills `answers` with what can be used."""
    dated = {name.removeprefix(ANSWER) for name, value in fields.items() if value.strip()}
    asked = (
        each for each in questions_for(library.criteria_of(study)) if subject(each.variable).last not in dated
    )
    own = tuple(islice(asked, MOST_QUESTIONS))
    further = islice(_further(fields, own, library.ontology), MOST_QUESTIONS)
    for each in (*own, *further):
        name, given = ANSWER + each.variable, fields.get(ANSWER + each.variable, "").strip()
        text, help_text = wording(each, language, library.ontology)
        wrong = ""
        try:
            if given:
                answers[each.variable] = _answer(each, given, language, today)
        except BadInput as problem:
            wrong = str(problem)
        if each.kind is QuestionKind.DATE and each.variable in answers:
            given = shown_answer(each.variable, answers[each.variable], language)
        yield Asked(name, text, help_text, each.kind, each.choices, given, wrong)


def _further(fields: dict[str, str], own: tuple[Question, ...], ontology: Ontology) -> Iterator[Question]:
    """What a pre-screening knew that bears on the study by another name: stroke, where it asks for any."""
    asked = {each.variable for each in own}
    for field in fields:
        name = field.removeprefix(ANSWER)
        if name != field and name not in asked and _is_fact(name, ontology):
            yield question_of(name)


def _is_fact(name: str, ontology: Ontology) -> bool:
    """Whether a name that somebody sent us is that of a fact: "hba1c", "drug:insulin", "drug:insulin@90"."""
    row, _, rest = name.partition(":")
    _, at, days = rest.partition("@")
    if row not in variables() or (row in _OF_A_CONCEPT) != bool(rest):
        return False
    if at and not (row in _OF_A_TIME and days.isdecimal() and len(days) <= _MOST_DIGITS):
        return False
    return not rest or subject(name).concept in ontology.concepts


def _answer(question: Question, given: str, language: str, today: date) -> Answer:
    """The answer that a field of the form holds.

    Raises:
        BadInput: it holds none; the message says so to whoever wrote it.
    """
    if given in _WORDS and (given == "unknown" or question.kind is QuestionKind.YES_NO):
        return _WORDS[given]
    if question.kind is QuestionKind.NUMBER:
        return _number(question, given, language)
    if question.kind is QuestionKind.DATE:
        return _when(question, given, language, today)
    if question.kind is QuestionKind.CHOICE and given in question.choices:
        return given
    raise BadInput(say("send.wrong_answer", language))


def _when(question: Question, given: str, language: str, today: date) -> str | None:
    heard = read_when(given, today, language)
    if heard.trouble:
        raise BadInput(say(f"chat.date_{heard.trouble}", language))
    if heard.when and (heard.when != NEVER or subject(question.variable).concept):
        return heard.when
    if read_answer(given) is Said.UNKNOWN:
        return None
    raise BadInput(say("chat.not_understood_date", language))


def _written(answer: Answer, language: str) -> str:
    """An answer as the form holds it."""
    for word, meant in _WORDS.items():
        if answer is meant:
            return word
    return answer if isinstance(answer, str) else number(float(answer or 0), language)


def _number(question: Question, given: str, language: str) -> float:
    try:
        value = float(given.replace(",", ".").replace(" ", ""))
    except ValueError:
        raise BadInput(_say_bounds(question, language)) from None
    low = question.lower if question.lower is not None else value
    high = question.upper if question.upper is not None else value
    if not low <= value <= high:
        raise BadInput(_say_bounds(question, language))
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
