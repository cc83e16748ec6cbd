"""Everyday words -> a Query: cleaned text, language, concepts, and what it says about the person."""

import re
import unicodedata
from dataclasses import dataclass, replace
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
StatusFilter = Literal["all", "open", "awaiting", "closed"]
Sort = Literal["best", "nearest", "open"]
"""Best match first; nearest place that recruits first; open studies first."""
Choice = tuple[str, str]
"""A facet and one of its values: ("phase", "3")."""

_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\u200b\u2060\ufeff]")


@dataclass(frozen=True, slots=True)
class Filters:
    """What narrows a search. Age in years; None means that nothing was said.

    `within` is km from the place of the query, and narrows nothing without one. `only` holds chosen values of
    facets: those of one facet widen, those of several narrow. What a study does not state keeps nobody out.
    """

    status: StatusFilter = "all"
    age: float | None = None
    sex: Sex | None = None
    within: float | None = None
    only: frozenset[Choice] = frozenset()


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a person chose beside the words; it goes before what the words say.

    `without` names what was misunderstood and is to be left out: `concept:<id>`, `age`, `sex`, `place`,
    `healthy`, `open`. Others are ignored.
    """

    filters: Filters = Filters()
    near: Place | None = None
    sort: Sort | None = None
    without: frozenset[str] = frozenset()


NOTHING_CHOSEN = Chosen()


@dataclass(frozen=True, slots=True)
class Query:
    """A question as it was understood. Spans of `mentions` lie in `text`.

    `open_stated`: the words ask for studies that recruit, and `filters.status` follows them.
    `healthy_volunteer` and `asker` are understood and narrow nothing; nor does `place` without
    `filters.within`, but where it is known the nearest studies come first.
    """

    text: str
    language: str
    mentions: tuple[Mention, ...] = ()
    filters: Filters = Filters()
    place: Place | None = None
    healthy_volunteer: bool = False
    open_stated: bool = False
    asker: Asker | None = None
    sort: Sort = "best"


def understand(
    text: str, linker: Linker, chosen: Chosen = NOTHING_CHOSEN, *, year: int | None = None
) -> Query:
    """Read a person's question; at most its first 2,000 characters.

    Args:
        text: the question.
        linker: finds the concepts.
        chosen: what the person chose beside the words; words that ask for open studies give open too.
        year: the year it is, for years of birth; by default of today.

    Raises:
        BadInput: nothing is left to search for, or the status or the order is not known.
    """
    _check(chosen)
    cleaned = clean(text)
    if not cleaned:
        raise BadInput("The question is empty. Write what to look for, such as «sukkersyke» or “asthma”.")
    without, wanted = chosen.without, chosen.filters
    language = detect(cleaned)
    person = person_in(cleaned, language)
    wishes = _wishes_in(cleaned)
    open_stated = "open" in wishes and "open" not in without
    mentions = tuple(
        mention
        for mention in linker.link(cleaned, language, describing=True)
        if f"concept:{mention.concept}" not in without
    )
    place = chosen.near
    if place is None and "place" not in without:
        place = place_in(cleaned, [(mention.start, mention.end) for mention in mentions])
    return Query(
        cleaned,
        language,
        mentions,
        replace(
            wanted,
            status="open" if open_stated else wanted.status,
            age=stated_age(cleaned, year) if wanted.age is None and "age" not in without else wanted.age,
            sex=person.sex if wanted.sex is None and "sex" not in without else wanted.sex,
            within=wanted.within if place else None,
        ),
        place=place,
        healthy_volunteer={"healthy", f"concept:{HEALTHY}"}.isdisjoint(without)
        and ("healthy" in wishes or any(m.concept == HEALTHY and not m.negated for m in mentions)),
        open_stated=open_stated,
        asker=asker_in(cleaned, person),
        sort=_order(chosen.sort, place),
    )


def _check(chosen: Chosen) -> None:
    status, sort = chosen.filters.status, chosen.sort
    if status not in get_args(StatusFilter):
        raise BadInput(f"The status {status!r} is not known. Use {', '.join(get_args(StatusFilter))}.")
    if sort is not None and sort not in get_args(Sort):
        raise BadInput(f"The order {sort!r} is not known. Use {', '.join(get_args(Sort))}.")


def _order(sort: Sort | None, place: Place | None) -> Sort:
    """Whoever names a place wants what is near; without one, nothing is nearest."""
    if place is None:
        return "best" if sort == "nearest" else sort or "best"
    return sort or "nearest"


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
