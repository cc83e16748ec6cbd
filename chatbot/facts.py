"""What one message says about a person: words in, typed facts out. What is not said stays None."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

from chatbot.phrases import phrase, plain, rows
from nlp.language import detect
from nlp.numbers import in_digits
from nlp.people import Subject, person_in
from nlp.query import clean, stated_age

if TYPE_CHECKING:
    from ontology.linker import Mention

__all__ = [
    "Condition",
    "Facts",
    "Said",
    "Subject",
    "When",
    "intents",
    "read_age",
    "read_answer",
    "read_facts",
    "read_number",
    "words_after",
]


class Said(StrEnum):
    """An answer to a yes-no question. UNKNOWN is an answer: the person does not know, or will not say."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class When(StrEnum):
    """How a condition stands to the person."""

    PRESENT = "present"
    PAST = "past"
    ABSENT = "absent"
    SUSPECTED = "suspected"
    FAMILY = "family"
    MENTIONED = "mentioned"


@dataclass(frozen=True, slots=True)
class Condition:
    """A concept in the message, the words that named it, and what was said of it."""

    concept: str
    text: str
    when: When


@dataclass(frozen=True, slots=True)
class Facts:
    """What a message says. `age` is in years, `sex` is female or male, `number` is any other number."""

    subject: Subject | None = None
    age: float | None = None
    sex: str | None = None
    conditions: tuple[Condition, ...] = ()
    answer: Said | None = None
    number: float | None = None
    corrects: bool = False


def read_facts(message: str, link: Callable[[str], tuple["Mention", ...]], year: int) -> Facts:
    """What `message` says; `link` finds the concepts in it, `year` is this year (for years of birth)."""
    person = person_in(message, detect(message))
    return Facts(
        subject=person.subject,
        age=read_age(message, year),
        sex=person.sex,
        conditions=_conditions(message, link(message)),
        answer=read_answer(message),
        number=read_number(message),
        corrects="correct" in intents(message),
    )


def read_answer(message: str) -> Said | None:
    """yes, no or unknown; of «nei, eller jo litt» the last. None when it is no answer at all."""
    text = plain(message)
    if _found(Said.UNKNOWN, text):
        return Said.UNKNOWN
    places = [
        (found.end(), -found.start(), said) for said in (Said.YES, Said.NO) for found in _found(said, text)
    ]
    return max(places)[2] if places else None


def read_number(message: str) -> float | None:
    """The only number of a message, in digits or in words; None when there is none or several («60-70»)."""
    found = re.findall(r"(?<![\w.,-])\d+(?:[.,]\d+)?(?![\w-])", in_digits(plain(message)))
    if len(found) != 1 or re.search(r"\d\s*[-–]\s*\d", message):
        return None
    return float(found[0].replace(",", "."))


def read_age(message: str, year: int) -> float | None:
    """An age in years that is stated as one. A lone number («tja 67») is not: see `read_number`."""
    return stated_age(clean(message), year)


def intents(message: str) -> frozenset[str]:
    """What a message wants or says, by the rows of listen.tsv: yes, back, forget, explain, search..."""
    text = plain(message)
    return frozenset(intent for intent, words in _listen() if words.search(text))


def words_after(intent: str, message: str) -> str:
    """The words that follow an intent: «kols» of «søk kols»; "" when the intent is not there."""
    text = plain(message)
    ends = [found.end() for found in _found(intent, text)]
    return text[min(ends) :].strip(" .,") if ends else ""


def _found(intent: str, text: str) -> list[re.Match[str]]:
    return [found for name, words in _listen() if name == intent for found in words.finditer(text)]


def _conditions(message: str, mentions: tuple["Mention", ...]) -> tuple[Condition, ...]:
    return tuple(Condition(m.concept, m.matched, _when(m, message)) for m in mentions)


def _when(mention: "Mention", message: str) -> When:
    """A disease that is only named («diabetes») is a topic, and says nothing about the person."""
    if mention.family:
        return When.FAMILY
    if mention.negated:
        return When.ABSENT
    before = intents(message[: mention.start])
    if "suspect" in before:
        return When.SUSPECTED
    if "past" in before:
        return When.PAST
    return When.PRESENT if "claim" in before else When.MENTIONED


@cache
def _listen() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((row["intent"], phrase(row["phrase"])) for row in rows("listen.tsv"))
