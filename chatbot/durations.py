"""For how long something has been so («i 20 år», «siden 2010»): words in, years out; durations.tsv."""

import re
from functools import cache

from chatbot.phrases import rows
from nlp.numbers import in_digits

_NUMBER = r"(\d+(?:[.,]\d+)?)"
_YEAR = r"((?:19|20)\d\d)"
_PERSON = r"(?:jeg|eg|æ|i|han|hun|ho|hu|she|he)"
_WAS = r"(?:var|va|vart|ble|blei|blev|was)"
_SPAN = r"(?=(?:år|years?|måned|månad|months?|uke|veke|weeks?)\w*\b)"
_SMALL = (
    (re.compile(r"\b(?:halvannet|halvtanna|halvanna) (?=år)"), "1.5 "),
    (re.compile(r"\b(?:(?:et|eit|ett|a) )?(?:halvt|half)(?: a)? (?=år|year)"), "0.5 "),
    (re.compile(rf"\b(?:(?:et|eit|ett|a) (?:par|couple(?: of)?)|to|two) {_SPAN}"), "2 "),
    (re.compile(rf"\b(?:et|eit|ett|a|one|ein|ei|en) {_SPAN}"), "1 "),
)


def years_since(text: str, year: int, age: float | None) -> float | None:
    """Years that the words give («i 20 år», «for to år siden», «i 2015»); None when they give none.

    Args:
        text: the words around what is spoken of.
        year: the year it is.
        age: of the person, for «siden jeg var 12».
    """
    low = numbered(text)
    for pattern in (_ago(), _during()):
        if found := pattern.search(low):
            return round(float(found[1].replace(",", ".")) * years()[found[2]], 2)
    if found := _since().search(low) or _in_year().search(low):
        since = year - int(next(filter(None, found.groups())))
        return float(since) if 0 <= since <= 120 else None
    if (found := _since_age().search(low)) and age is not None and float(found[1]) <= age:
        return age - float(found[1])
    if found := _named().search(low):
        return years()[found[1]]
    return None


def goes_on(text: str) -> bool:
    """Whether the words say that something lasts until now: «i 20 år», «siden 2010»."""
    low = numbered(text)
    return any(pattern.search(low) for pattern in (_since(), _since_age())) or (
        _during().search(low) is not None and _ago().search(low) is None
    )


def numbered(text: str) -> str:
    """`text` in small letters, its numbers in digits: «for halvannet år siden» is for 1.5 år siden."""
    low = " ".join(text.casefold().split())
    for pattern, number in _SMALL:
        low = pattern.sub(number, low)
    return in_digits(low)


def words(role: str) -> str:
    """The words of durations.tsv with a role, as the alternatives of a pattern."""
    found = (row["word"] for row in rows("durations.tsv") if row["role"] == role)
    return "|".join(sorted(found, key=len, reverse=True))


@cache
def years() -> dict[str, float]:
    """How many years each unit of time is, by every word for it."""
    return {row["word"]: float(row["years"]) for row in rows("durations.tsv") if row["years"] != "-"}


@cache
def _ago() -> re.Pattern[str]:
    return re.compile(rf"{_NUMBER} ?({words('unit')}) (?:{words('ago')})\b")


@cache
def _during() -> re.Pattern[str]:
    about = r"(?:ca\.? |rundt |omtrent |over |about |nesten )?"
    return re.compile(rf"\b(?:{words('during')}) {about}{_NUMBER} ?({words('unit')})\b")


@cache
def _since() -> re.Pattern[str]:
    return re.compile(rf"\b(?:{words('since')}) (?:\w+ )?{_YEAR}\b")


@cache
def _in_year() -> re.Pattern[str]:
    return re.compile(rf"\b(?:{words('in_year')}) (?:\w+ )?{_YEAR}\b|^{_YEAR}\b|\({_YEAR}\)")


@cache
def _since_age() -> re.Pattern[str]:
    return re.compile(rf"\b(?:{words('since')}|da|when) {_PERSON} {_WAS} {_NUMBER}")


@cache
def _named() -> re.Pattern[str]:
    return re.compile(rf"\b({words('named')})\b")
