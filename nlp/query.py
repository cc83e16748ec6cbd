"""Everyday words -> a Query: cleaned text, language, concepts, and what it says about the person."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, get_args

from nlp.language import detect, words
from ontology.errors import BadInput
from ontology.linker import Linker, Mention
from ontology.table import read_roles
from registry.study import Sex

LONGEST = 2_000
StatusFilter = Literal["open", "all"]

_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\u200b\u2060\ufeff]")


@dataclass(frozen=True, slots=True)
class Filters:
    """What narrows a search. Age in years; None means that nothing was said."""

    status: StatusFilter = "all"
    age: float | None = None
    sex: Sex | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """A question as it was understood. Spans of `mentions` lie in `text`."""

    text: str
    language: str
    mentions: tuple[Mention, ...] = ()
    filters: Filters = Filters()


def understand(text: str, linker: Linker, *, status: StatusFilter = "all") -> Query:
    """Read a person's question; at most its first 2,000 characters.

    Raises:
        BadInput: nothing is left to search for, or `status` is neither open nor all.
    """
    if status not in get_args(StatusFilter):
        raise BadInput(f"The status {status!r} is not known. Use open or all.")
    cleaned = clean(text)
    if not cleaned:
        raise BadInput("The question is empty. Write what to look for, such as «sukkersyke» or “asthma”.")
    language = detect(cleaned)
    filters = Filters(status=status, age=stated_age(cleaned), sex=stated_sex(cleaned, language))
    return Query(cleaned, language, linker.link(cleaned, language), filters)


def clean(text: str) -> str:
    """`text` in NFC, without control characters and lone surrogates, at most 2,000 characters long."""
    return unicodedata.normalize("NFC", _UNSEEN.sub(" ", text[: 2 * LONGEST])).strip()[:LONGEST].rstrip()


def stated_sex(text: str, language: str) -> Sex | None:
    """The sex of the person asked about («kvinne», «mannen min»); None if unsaid or both are named."""
    people = _people()
    named = [word.text.casefold() for word in words(text)]
    if language != "en":
        named = [word for word in named if word != "man"]
    said = {sex for sex in (Sex.FEMALE, Sex.MALE) if not people[sex].isdisjoint(named)}
    return said.pop() if len(said) == 1 else None


def stated_age(text: str) -> float | None:
    """The age in years that the text gives a person, as `nlp.ages.age_in` reads it."""
    if not any(character.isdecimal() for character in text):
        return None
    from nlp.ages import age_in  # noqa: PLC0415 - brings spaCy (0.5 s), and most questions hold no number

    return age_in(text, frozenset().union(*_people().values()))


@cache
def _people() -> Mapping[str, frozenset[str]]:
    return read_roles(files("nlp") / "people.tsv")
