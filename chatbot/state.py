"""Where a conversation stands. Nothing in it is kept but by the face, and there sealed (`sessions.py`)."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, TypeVar

from chatbot.facts import Condition, Drug, Facts, Measurement, Subject, Use, When
from chatbot.safety import Label
from nlp.eligibility.units import canonical
from nlp.eligibility.variables import Answer, subject, variable, variables
from ontology.errors import BadInput

Fact = TypeVar("Fact")


class Stage(StrEnum):
    """What the chat is waiting for."""

    SEARCH = "search"
    CHOOSE = "choose"
    ASK = "ask"
    RESULT = "result"
    OFFER = "offer"
    SEND = "send"


@dataclass(frozen=True, slots=True)
class Told:
    """What was told of the person beside the answers to questions; each concept and test once."""

    conditions: tuple[Condition, ...] = ()
    drugs: tuple[Drug, ...] = ()
    measurements: tuple[Measurement, ...] = ()

    def learn(self, facts: Facts) -> "Told":
        """With what a message says in place of what was said of the same before."""
        new = [each for each in facts.conditions if each.when is not When.MENTIONED]
        used = [each for each in facts.drugs if each.use is not Use.MENTIONED]
        return Told(
            _merged(self.conditions, new, lambda each: (each.concept, each.when is When.FAMILY)),
            _merged(self.drugs, used, lambda each: each.concept),
            _merged(self.measurements, facts.measurements, lambda each: each.name),
        )

    @property
    def answers(self) -> dict[str, Answer]:
        """What it answers of what studies ask, by variable. What is only suspected is not known."""
        conditions = (answer for each in self.conditions for answer in _of_condition(each))
        drugs = ((f"drug:{each.concept}", each.use is Use.CURRENT) for each in self.drugs)
        measured = (answer for each in self.measurements for answer in _of_measurement(each))
        return {**dict(conditions), **dict(drugs), **dict(measured)}

    @property
    def doubtful(self) -> Measurement | None:
        """The first measurement whose unit is to be asked for."""
        return next((each for each in self.measurements if each.doubtful), None)


@dataclass(frozen=True, slots=True)
class State:
    """A conversation.

    `found` are the studies that are screened together, `study` the one that was chosen from them, "" for
    all. `answers` are (variable, answer) pairs; `asked` the variables that were asked about, in order;
    `most` is how many may be asked before the results are shown. `halted` names the danger that stopped
    the screening. Contact details are never part of it: they are given where an interest is sent.
    """

    language: str = "nb"
    language_chosen: bool = False
    stage: Stage = Stage.SEARCH
    halted: Label | None = None
    query: str = ""
    page: int = 0
    shown: tuple[str, ...] = ()
    found: tuple[str, ...] = ()
    study: str = ""
    subject: Subject = Subject.SELF
    subject_told: bool = False
    told: Told = field(default_factory=Told)
    answers: tuple[tuple[str, Answer], ...] = ()
    asked: tuple[str, ...] = ()
    most: int = 10

    @property
    def given(self) -> dict[str, Answer]:
        """What is known, by variable: answers before what was told in passing."""
        return self.told.answers | dict(self.answers)

    @property
    def screened(self) -> tuple[str, ...]:
        """The studies that the questions are about."""
        return (self.study,) if self.study else self.found

    @property
    def is_blank(self) -> bool:
        """Whether nothing has been said yet, or all has been forgotten."""
        return self == self.forget()

    def answer(self, variable: str, answer: Answer) -> "State":
        """The state with one answer more, or another answer than before."""
        return replace(self, answers=tuple((dict(self.answers) | {variable: answer}).items()))

    def learn(self, facts: Facts) -> "State":
        """The state with what a message tells, which replaces earlier answers to the same."""
        told, before = self.told.learn(facts), self.told.answers
        changed = {name for name, answer in told.answers.items() if before.get(name, ...) != answer}
        kept = tuple((name, answer) for name, answer in self.answers if name not in changed)
        state = replace(self, told=told, answers=kept)
        for name, answer in (("age", facts.age), ("sex", facts.sex)):
            state = state if answer is None else state.answer(name, answer)
        return state

    def without(self, name: str) -> "State":
        """The state without what is known under one variable: "age", "condition:asthma", "hba1c"."""
        concept = name.partition(":")[2]
        told = Told(
            tuple(each for each in self.told.conditions if each.concept != concept),
            tuple(each for each in self.told.drugs if each.concept != concept),
            tuple(each for each in self.told.measurements if each.name != name),
        )
        answers = tuple(pair for pair in self.answers if pair[0] != name)
        return replace(self, told=told, answers=answers, asked=tuple(n for n in self.asked if n != name))

    def forget(self) -> "State":
        """A new conversation in the same language."""
        return State(language=self.language, language_chosen=self.language_chosen)

    def to_json(self) -> str:
        """The state as one line of JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "State":
        """The state that `to_json` wrote.

        Raises:
            BadInput: not such a line.
        """
        try:
            return cls(**_read(json.loads(text)))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise BadInput("This is not a conversation that Studievei wrote. Start a new one.") from error


def _read(document: Mapping[str, Any]) -> dict[str, Any]:
    if set(document) != {field.name for field in fields(State)}:
        raise KeyError(*document)
    return {
        **document,
        "stage": Stage(document["stage"]),
        "halted": document["halted"] and Label(document["halted"]),
        "subject": Subject(document["subject"]),
        "told": _told(document["told"]),
        "shown": tuple(document["shown"]),
        "found": tuple(document["found"]),
        "asked": tuple(document["asked"]),
        "answers": tuple((variable, answer) for variable, answer in document["answers"]),
    }


def _told(document: Mapping[str, Any]) -> Told:
    return Told(
        tuple(Condition(**{**each, "when": When(each["when"])}) for each in document["conditions"]),
        tuple(Drug(**{**each, "use": Use(each["use"])}) for each in document["drugs"]),
        tuple(Measurement(**each) for each in document["measurements"]),
    )


def _of_condition(condition: Condition) -> tuple[tuple[str, Answer], ...]:
    now, ever = f"condition:{condition.concept}", f"history:{condition.concept}"
    match condition.when:
        case When.PRESENT:
            return ((now, True),)
        case When.ABSENT:
            return ((now, False),)
        case When.PAST:
            last = ((subject(ever).last, condition.last),) if condition.last else ()
            return ((ever, True), *last)
        case When.SUSPECTED:
            return ((now, None),)
        case When.FAMILY | When.MENTIONED:
            return ()


def _of_measurement(measurement: Measurement) -> tuple[tuple[str, Answer], ...]:
    """The value in the unit that criteria are weighed in; none while the unit is in doubt."""
    if measurement.doubtful or measurement.name not in variables():
        return ()
    value = canonical(variable(measurement.name), measurement.value, measurement.unit)
    return () if value is None else ((measurement.name, value),)


def _merged(old: tuple[Fact, ...], new: Sequence[Fact], key: Callable[[Fact], object]) -> tuple[Fact, ...]:
    return tuple(({key(each): each for each in old} | {key(each): each for each in new}).values())
