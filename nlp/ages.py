"""How old somebody is, from the words around a number: spaCy token patterns over the one tokenizer."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files

from spacy import blank
from spacy.matcher import Matcher
from spacy.tokens import Doc
from spacy.vocab import Vocab

from nlp.language import words
from ontology.table import read_roles

OLDEST = 120
PAUSE = ","
"""The token for a comma, a full stop, or the beginning of the text."""

_ANY, _MAYBE = {"OP": "*"}, {"OP": "?"}
_ALONE = "67 år"
_NUMBER = re.compile(r"\d{1,3}(?:[.,]5)?")
_YEAR = re.compile(r"(?:\d{1,2}[.]\d{1,2}[.])?((?:19|20)?\d\d)")


def age_in(text: str, people: frozenset[str], year: int) -> float | None:
    """The age in years that `text` gives a person («gutt på 9», «54 år gammel»); None if none or several.

    Durations are no ages («for 3 år siden», «hatt diabetes i 20 år»), nor is a number alone («tja 67»). A
    year of birth gives the age reached in `year`, unless the age is stated too.

    Args:
        text: a question in small letters, its numbers in digits (`nlp.numbers.in_digits`).
        people: words for persons («kvinne», «gutt») that a bare age may follow.
        year: the year it is.
    """
    tokens = _tokens(text)
    ages = set(_stated(tokens, people)) or set(_since_birth(tokens, year))
    return ages.pop() if len(ages) == 1 else None


def _tokens(text: str) -> list[str]:
    tokens: list[str] = []
    before = 0
    for word in words(text):
        if before == 0 or any(mark in text[before : word.start] for mark in ",.;:!?\n"):
            tokens.append(PAUSE)
        tokens.append(word.text)
        before = word.end
    return tokens


def _stated(tokens: list[str], people: frozenset[str]) -> Iterator[float]:
    vocabulary, matcher = _matcher(people)
    for match, start, end in matcher(Doc(vocabulary, words=tokens)):
        at = next(each for each in range(start, end) if _NUMBER.fullmatch(tokens[each]))
        after = tokens[at + 1 : at + 3]
        alone = vocabulary.strings[match] == _ALONE
        if _is_age(after) and not (alone and _words()["lasting"].intersection(after)):
            age = float(tokens[at].replace(",", "."))
            if age <= OLDEST:
                yield round(age / 12, 2) if _words()["month"].intersection(after[:1]) else age


def _is_age(after: Sequence[str]) -> bool:
    """Whether the words after a number leave it an age: no «kg», no «år siden»."""
    unit = (_words()["month"] | _words()["year"]).intersection(after[:1])
    return _words()["no_age_after"].isdisjoint(after if unit else after[:1])


def _since_birth(tokens: list[str], year: int) -> Iterator[float]:
    for at, token in enumerate(tokens):
        if token in _words()["born"]:
            born = _birth_year([word for word in tokens[at + 1 : at + 6] if word != PAUSE], year)
            if born is not None and 0 <= year - born <= OLDEST:
                yield float(year - born)


def _birth_year(following: Sequence[str], year: int) -> int | None:
    """The year in the words after «født»: 1958, i 58, 12.03.1990, den 3. mai 1958."""
    while following and following[0] in _words()["on"]:
        following = following[1:]
    full = next((word for word in following if re.fullmatch(r"(?:19|20)\d\d", word)), None)
    found = _YEAR.fullmatch(full or (following[0] if following else ""))
    if found is None or (not full and not _words()["no_age_after"].isdisjoint(following[1:2])):
        return None
    born = int(found[1])
    if born >= 100:
        return born
    century = year // 100 * 100
    return born + (century if born <= year % 100 else century - 100)


@cache
def _words() -> Mapping[str, frozenset[str]]:
    return read_roles(files("nlp") / "ages.tsv")


@cache
def _matcher(people: frozenset[str]) -> tuple[Vocab, Matcher]:
    vocabulary = blank("nb").vocab
    number = {"TEXT": {"REGEX": rf"^{_NUMBER.pattern}$"}}
    said = {role: _one_of(each) for role, each in _words().items()}
    unit = _one_of(_words()["year"] | _words()["month"])
    person, grown = _one_of(people), _one_of(people - _words()["no_age_after"])
    between = _one_of({PAUSE, *_words()["between"]}) | _ANY
    about, pause = said["about"] | _ANY, _one_of({PAUSE})
    matcher = Matcher(vocabulary)
    matcher.add("kvinne 54, gutt på 9, jenta mi på 6 år", [[person, between, about, number]])
    matcher.add("54 kvinne, 54 år kvinne", [[number, grown], [number, unit, said["old"] | _MAYBE, person]])
    matcher.add("54 år gammel, 6 months old", [[number, unit, said["old"]]])
    matcher.add("er 8 år", [[said["is"], about, number, unit]])
    matcher.add("jeg er 54", [[said["who"], said["are"], about, number], [said["i_am"], about, number]])
    matcher.add("er 54", [[pause, said["are"], about, number]])
    matcher.add("alder: 54", [[said["age"], between, number]])
    matcher.add(_ALONE, [[pause, number, said["year"]]])
    matcher.add("54-åring", [[number, {"TEXT": {"REGEX": "^år(ing|ig)"}}]])
    return vocabulary, matcher


def _one_of(texts: Iterable[str]) -> dict[str, object]:
    return {"TEXT": {"IN": sorted(texts)}}
