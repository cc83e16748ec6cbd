"""Who a text speaks of, what sex they have, and who is asking. What is not said stays None."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

from nlp.cues import cues
from nlp.language import words
from ontology.table import read_table
from registry.study import Sex


class Subject(StrEnum):
    """Who somebody is to the person that writes."""

    SELF = "self"
    CHILD = "child"
    PARENT = "parent"
    PARTNER = "partner"
    PATIENT = "patient"
    OTHER = "other"


class Asker(StrEnum):
    """Who writes: for themselves, for somebody near to them, or at work."""

    SELF = "self"
    RELATIVE = "relative"
    HEALTH_PERSONNEL = "health_personnel"


@dataclass(frozen=True, slots=True)
class Person:
    """The person that a text speaks of; None for what it does not say, or says of several people."""

    subject: Subject | None = None
    sex: Sex | None = None


_NEAREST = (Subject.PATIENT, Subject.CHILD, Subject.PARENT, Subject.PARTNER, Subject.OTHER)
_ONLY_ENGLISH, _NEVER_ENGLISH = frozenset(("man",)), frozenset(("far", "gut"))
"""«Kan man delta» and "my gut, so far" speak of nobody."""
_HUSBAND = re.compile(r"\bmin (?:mann?|mand)\b")
_I_AM = r"\b(?:jeg|eg|æ|i) (?:er|e|am|var|was) (?:(?:en|ein|ei|an?|the) )?"


def person_in(text: str, language: str) -> Person:
    """The person that `text` (in `language`) speaks of: «jeg er mor til en gutt på 9» speaks of the boy.

    The sex is None when words of both sexes are there.
    """
    low = _as_patient().sub(" jeg ", _as_parent().sub(" ", _HUSBAND.sub("mannen", text.casefold())))
    said = [word.text for word in words(low)]
    return Person(_subject(said, language), _sex(said, language))


def asker_in(text: str, person: Person) -> Asker | None:
    """Who asks, when `text` speaks of `person`: «mor har fått slag» is asked by a relative."""
    if person.subject is Subject.PATIENT or _at_work().search(text.casefold()):
        return Asker.HEALTH_PERSONNEL
    if person.subject is None:
        return None
    return Asker.SELF if person.subject is Subject.SELF else Asker.RELATIVE


@cache
def person_words() -> frozenset[str]:
    """Every word for a person, in small letters."""
    return frozenset(_people())


def _subject(said: Sequence[str], language: str) -> Subject | None:
    named = {who for who, _ in _named(said, language)}
    near = next((subject for subject in _NEAREST if subject in named), None)
    own = cues()["me"] | (cues()["me_in_english"] if language == "en" else frozenset())
    return near or (None if own.isdisjoint(said) else Subject.SELF)


def _sex(said: Sequence[str], language: str) -> Sex | None:
    told = {sex for _, sex in _named(said, language) if sex}
    return told.pop() if len(told) == 1 else None


def _named(said: Sequence[str], language: str) -> set[tuple[Subject, Sex | None]]:
    foreign = _NEVER_ENGLISH if language == "en" else _ONLY_ENGLISH
    return {_people()[word] for word in said if word in _people() and word not in foreign}


@cache
def _as_parent() -> re.Pattern[str]:
    parents = "|".join(sorted(cues()["parent"]))
    return re.compile(rf"(?:{_I_AM}|\b(?:som|as|i['’]?m) (?:an? )?)?\b(?:{parents}) (?:til|åt|to|of|for)\b")


@cache
def _as_patient() -> re.Pattern[str]:
    return re.compile(rf"{_I_AM}pasient\b|{_I_AM}patient\b|\bsom pasient\b|\bas a patient\b")


@cache
def _at_work() -> re.Pattern[str]:
    profession = "|".join(sorted(cues()["profession"]))
    return re.compile(
        rf"(?:{_I_AM}|\bi['’]?m an? |\bsom |\bas an? )(?:{profession})\b|\b(?:henvise|tilvise|my patients)\b"
    )


@cache
def _people() -> dict[str, tuple[Subject, Sex | None]]:
    table = read_table(files("nlp") / "people.tsv", "word who sex")
    return {
        cells["word"]: (Subject(cells["who"]), None if cells["sex"] == "-" else Sex(cells["sex"]))
        for cells in (row.cells for row in table)
    }
