"""Everyday words -> a Query: cleaned text, language, concepts, and what it says about the person."""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args

from nlp.cues import cues
from nlp.language import detect, words
from nlp.numbers import in_digits
from nlp.people import Asker, asker_in, person_in, person_words
from nlp.places import Place, place_in
from ontology.errors import BadInput
from ontology.linker import Linker, Mention
from registry.study import Sex

LONGEST = 2_000
HEALTHY = "healthy-volunteers"
"""The concept of a volunteer without a disease."""
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
    """A question as it was understood. Spans of `mentions` lie in `text`.

    `open_stated`: the words ask for studies that recruit, and `filters.status` follows them.
    `place`, `healthy_volunteer` and `asker` are understood and narrow nothing.
    """

    text: str
    language: str
    mentions: tuple[Mention, ...] = ()
    filters: Filters = Filters()
    place: Place | None = None
    healthy_volunteer: bool = False
    open_stated: bool = False
    asker: Asker | None = None


def understand(
    text: str,
    linker: Linker,
    *,
    status: StatusFilter = "all",
    without: Collection[str] = (),
    year: int | None = None,
) -> Query:
    """Read a person's question; at most its first 2,000 characters.

    Args:
        text: the question.
        linker: finds the concepts.
        status: what the person chose beside the words; words that ask for open studies give open too.
        without: what was misunderstood and is to be left out: `concept:<id>`, `age`, `sex`, `place`,
            `healthy`, `open`. Others are ignored.
        year: the year it is, for years of birth; by default of today.

    Raises:
        BadInput: nothing is left to search for, or `status` is neither open nor all.
    """
    if status not in get_args(StatusFilter):
        raise BadInput(f"The status {status!r} is not known. Use open or all.")
    cleaned = clean(text)
    if not cleaned:
        raise BadInput("The question is empty. Write what to look for, such as «sukkersyke» or “asthma”.")
    language = detect(cleaned)
    person = person_in(cleaned, language)
    wishes = _wishes_in(cleaned)
    open_stated = "open" in wishes and "open" not in without
    filters = Filters(
        status="open" if open_stated else status,
        age=None if "age" in without else stated_age(cleaned, year),
        sex=None if "sex" in without else person.sex,
    )
    mentions = tuple(
        mention for mention in linker.link(cleaned, language) if f"concept:{mention.concept}" not in without
    )
    return Query(
        cleaned,
        language,
        mentions,
        filters,
        place=None
        if "place" in without
        else place_in(cleaned, [(mention.start, mention.end) for mention in mentions]),
        healthy_volunteer={"healthy", f"concept:{HEALTHY}"}.isdisjoint(without)
        and ("healthy" in wishes or any(m.concept == HEALTHY and not m.negated for m in mentions)),
        open_stated=open_stated,
        asker=asker_in(cleaned, person),
    )


def clean(text: str) -> str:
    """`text` in NFC, without control characters and lone surrogates, at most 2,000 characters long."""
    return unicodedata.normalize("NFC", _UNSEEN.sub(" ", text[: 2 * LONGEST])).strip()[:LONGEST].rstrip()


def stated_age(text: str, year: int | None = None) -> float | None:
    """The age in years that the text gives a person, as `nlp.ages.age_in` reads it."""
    low = in_digits(text.casefold())
    if not any(character.isdecimal() for character in low):
        return None
    from nlp.ages import age_in  # noqa: PLC0415 - brings spaCy (0.5 s), and most questions hold no number

    return age_in(low, person_words(), year or date.today().year)


def _wishes_in(text: str) -> frozenset[str]:
    """What `text` asks for beside a disease: `open` studies, studies for `healthy` people."""
    said = f" {' '.join(word.text for word in words(text.casefold()))} "
    wishes = {
        role for role in ("open", "closed", "healthy") if any(f" {each} " in said for each in cues()[role])
    }
    return frozenset(wishes - {"open"} if "closed" in wishes else wishes)
