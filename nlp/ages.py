"""How old somebody is, from the words around a number: spaCy token patterns over the one tokenizer."""

from collections.abc import Iterator
from functools import cache

from spacy import blank
from spacy.matcher import Matcher
from spacy.tokens import Doc
from spacy.vocab import Vocab

from nlp.language import words

OLDEST = 120
_YEARS = ("år", "year", "years", "yrs", "yo")
_MONTHS = frozenset(("måned", "måneder", "månad", "månader", "mnd", "mndr", "month", "months"))
_OLD = ("gammel", "gammal", "gamal", "gamle", "gammelt", "gamalt", "gammalt", "old")
_BETWEEN = ("min", "mi", "mitt", "vår", "på", "av", "er", "aged", "age", "is", "i", "alderen")
_IS = ("er", "blir", "fyller", "fylt", "is", "am", "på", "e", "är", "jeg", "eg")
_AGE = ("alder", "age", "aged", "ålder")
_NO_AGE_AFTER = frozenset(
    ("siden", "sidan", "ago", "uker", "uke", "veker", "weeks", "dager", "dagar", "kg", "cm", "mg", "ganger")
)


def age_in(text: str, people: frozenset[str]) -> float | None:
    """The age in years that `text` gives a person («gutt på 9», «54 år gammel»); None if none or several.

    Durations are no ages: «for 3 år siden», «hatt diabetes i 20 år».

    Args:
        text: a question.
        people: words for persons in small letters («kvinne», «gutt») that a bare age may follow.
    """
    ages = set(_ages([word.text for word in words(text.casefold())], people))
    return ages.pop() if len(ages) == 1 else None


def _ages(low: list[str], people: frozenset[str]) -> Iterator[float]:
    vocabulary, matcher = _matcher(people)
    for _, start, end in matcher(Doc(vocabulary, words=low)):
        following = low[end] if end < len(low) else ""
        number = next(int(word) for word in low[start:end] if word.isdecimal())
        if following not in _NO_AGE_AFTER and number <= OLDEST:
            yield number / 12 if _MONTHS.intersection(low[start : end + 1]) else float(number)


@cache
def _matcher(people: frozenset[str]) -> tuple[Vocab, Matcher]:
    vocabulary = blank("nb").vocab
    number = {"TEXT": {"REGEX": r"^\d{1,3}$"}}
    person, own = {"TEXT": {"IN": sorted(people)}}, {"TEXT": {"IN": _BETWEEN}, "OP": "*"}
    unit, old = {"TEXT": {"IN": [*_YEARS, *_MONTHS]}}, {"TEXT": {"IN": _OLD}}
    matcher = Matcher(vocabulary)
    matcher.add("kvinne 54, gutt på 9, jenta mi på 6 år", [[person, own, number]])
    matcher.add("54 kvinne, 54 år kvinne", [[number, person], [number, unit, person]])
    matcher.add("54 år gammel, 6 months old", [[number, unit, old]])
    matcher.add(
        "er 8 år, alder 54", [[{"TEXT": {"IN": _IS}}, number, unit], [{"TEXT": {"IN": _AGE}}, number]]
    )
    matcher.add("54-åring", [[number, {"TEXT": {"REGEX": "^år(ing|ig)"}}]])
    return vocabulary, matcher
