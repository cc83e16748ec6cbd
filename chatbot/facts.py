"""What one message says about a person: words in, typed facts out. What is not said stays None."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

from chatbot.phrases import phrase, plain, rows

if TYPE_CHECKING:
    from ontology.linker import Mention

OLDEST = 120


class Subject(StrEnum):
    """Whose facts these are."""

    SELF = "self"
    CHILD = "child"
    PARENT = "parent"
    PARTNER = "partner"
    PATIENT = "patient"
    OTHER = "other"


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
    text = plain(message)
    subject, sex = _person(text)
    age = read_age(message, year)
    return Facts(
        subject=subject,
        age=age,
        sex=sex,
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
    found = re.findall(r"(?<![\w.,-])\d+(?:[.,]\d+)?(?![\w-])", _in_digits(plain(message)))
    if len(found) != 1 or re.search(r"\d\s*[-–]\s*\d", message):
        return None
    return float(found[0].replace(",", "."))


def read_age(message: str, year: int) -> float | None:
    """An age in years that is stated as one. A lone number («tja 67») is not: see `read_number`."""
    text = _in_digits(plain(message))
    if born := _BORN.search(text):
        return _years_since(int(born["year"]), year)
    for pattern, a_year in _AGES:
        if found := pattern.search(text):
            age = float(found["age"]) / a_year
            return round(age, 2) if age <= OLDEST else None
    return None


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


def _person(text: str) -> tuple[Subject | None, str | None]:
    """Who is spoken of, and their sex. «Jeg er mor til en gutt på 9» speaks of the boy."""
    text = _SELF_AS_PARENT.sub(" ", text)
    for subject, words, sex in _people():
        if words.search(text):
            return subject, sex or _own_sex(text)
    return (Subject.SELF if _SELF.search(text) else None), _own_sex(text)


def _own_sex(text: str) -> str | None:
    """The sex that the words «mann», «kvinne» and the like give, when they give just one."""
    given = {sex for sex, words in _SEXES.items() if words.search(text)}
    return given.pop() if len(given) == 1 else None


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


def _years_since(born: int, year: int) -> float | None:
    """The age reached this year; of two digits the century that gives somebody born already."""
    if born < 100:
        born += year // 100 * 100 if born <= year % 100 else year // 100 * 100 - 100
    return float(year - born) if 0 <= year - born <= OLDEST else None


def _in_digits(text: str) -> str:
    """« sekstisju », « seksti sju » and « fem og seksti » as 67, 67 and 65."""
    values = _numbers()
    return _number_words().sub(lambda found: str(sum(values[each] for each in found.groups() if each)), text)


@cache
def _numbers() -> dict[str, int]:
    return {row["word"]: int(row["value"]) for row in rows("numbers.tsv")}


@cache
def _number_words() -> re.Pattern[str]:
    """One and two are also articles and prepositions: alone they count only as somebody's years."""
    units, tens, alone, small = (
        "|".join(word for word, value in _numbers().items() if value in values)
        for values in (range(1, 10), range(20, 100, 10), (*range(3, 21), *range(30, 101, 10)), range(1, 3))
    )
    compound = rf"({units}) ?og ?({tens})|({tens})[ -]?({units})"
    return re.compile(rf"(?<= )(?:{compound}|({alone})|({small})(?= (?:år|åring|years?) ))(?=\s|år)")


@cache
def _listen() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((row["intent"], phrase(row["phrase"])) for row in rows("listen.tsv"))


@cache
def _people() -> tuple[tuple[Subject, re.Pattern[str], str], ...]:
    return tuple((Subject(row["subject"]), phrase(row["words"]), row["sex"]) for row in rows("people.tsv"))


_SELF = phrase("jeg|eg|æ|e|æg|i|im|ive|min|mitt|mine|my|meg|me|mæ")
_SELF_AS_PARENT = phrase("er|am|e @parent til|åt|to|of|for")
_SEXES = {"female": phrase("@female"), "male": phrase("@male")}

_AGE = r"(?P<age>\d{1,3}(?:[.,]5)?)"
_MONTH = r" ?(?:måneder|månader|mnd|months?)"
_DURATION = "".join(rf"(?<! {word} )" for word in ("i", "for", "in", "siste", "over", "etter", "hatt"))
_LATER = r"(?! (?:siden|sidan|sia|ago|etter|med))"
_OTHER_UNIT = (
    r"(?! ?(?:kg|kilo|%|prosent|cm|mg|uke|vek|week|måned|månad|mnd|month|dag|day|time|hour|barn|av|of)|\S*\d)"
)
_PERSON = (
    r"(?:mann|kvinne|gutt|jente|dame|kar|man|woman|boy|girl|male|female|min|mi|mitt|sønn|datter|mor|far|pasient"
    r"|kone|barn)"
)
_ABOUT = r"(?: ein?| en| snart| ca| nå| no| rundt| bare)*"
_BORN = re.compile(
    r" (?:født|fødd|fødde|born|f)(?: i| in| den)?(?: \d{1,2}\.? \D\S*)? (?:\d{1,2}\.\d{1,2}\.)?"
    r"(?P<year>(?:19|20)?\d\d)(?=\s)"
)
_AGES = (
    (re.compile(rf" (?:på|er|is) {_AGE}{_MONTH}(?=\s)"), 12),
    (re.compile(rf" {_AGE}{_MONTH} (?:gammel|gamal|gammal|old)(?=\s)"), 12),
    (re.compile(rf" {_DURATION}{_AGE} ?-?(?:år|åring\S*|årig|years?|yrs?|yo|y/o)(?=\s){_LATER}"), 1),
    (re.compile(rf" (?:er|e|am|im|is|fyller|blir){_ABOUT} {_AGE}{_OTHER_UNIT}(?=\s)"), 1),
    (re.compile(rf" {_PERSON}(?: ,)?(?: på| er| of| aged| min| mi)? {_AGE}{_OTHER_UNIT}(?=\s)"), 1),
    (re.compile(rf" {_AGE} ?(?:årig |år gammel |år gamal )?{_PERSON}(?=\s)"), 1),
)
