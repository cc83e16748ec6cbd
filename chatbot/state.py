"""Where a conversation stands. Lives in the memory of the session and nowhere else."""

import json
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from typing import Any

from chatbot.facts import Subject
from chatbot.safety import Label
from nlp.eligibility.variables import Answer
from ontology.errors import BadInput


class Stage(StrEnum):
    """What the chat is waiting for."""

    SEARCH = "search"
    CHOOSE = "choose"
    ASK = "ask"
    OFFER = "offer"
    CONSENT = "consent"
    CONTACT = "contact"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class State:
    """A conversation. `key` is random text from the face; it ties together what is sent from here.

    `answers` are (variable, answer) pairs; `asked` the variables that were asked about this study, in
    order. `halted` names the danger that stopped the screening. Contact details are never part of it.
    """

    key: str = ""
    language: str = "nb"
    language_chosen: bool = False
    stage: Stage = Stage.SEARCH
    halted: Label | None = None
    query: str = ""
    page: int = 0
    shown: tuple[str, ...] = ()
    study: str = ""
    subject: Subject = Subject.SELF
    answers: tuple[tuple[str, Answer], ...] = ()
    asked: tuple[str, ...] = ()
    consent: str = ""
    link: str = ""

    @property
    def given(self) -> dict[str, Answer]:
        """The answers by variable."""
        return dict(self.answers)

    def answer(self, variable: str, answer: Answer) -> "State":
        """The state with one answer more, or another answer than before."""
        return replace(self, answers=tuple((self.given | {variable: answer}).items()))

    def forget(self) -> "State":
        """A new conversation in the same language."""
        return State(key=self.key, language=self.language, language_chosen=self.language_chosen)

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


def _read(document: dict[str, Any]) -> dict[str, Any]:
    if set(document) != {field.name for field in fields(State)}:
        raise KeyError(*document)
    return document | {
        "stage": Stage(document["stage"]),
        "halted": document["halted"] and Label(document["halted"]),
        "subject": Subject(document["subject"]),
        "shown": tuple(document["shown"]),
        "asked": tuple(document["asked"]),
        "answers": tuple((variable, answer) for variable, answer in document["answers"]),
    }
