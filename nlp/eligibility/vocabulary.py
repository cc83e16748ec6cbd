"""The words that criteria are built from: text -> tokens, each with the symbol that the grammar reads.

vocabulary.tsv gives the symbols of words and phrases in bokmål, nynorsk and English, units.tsv those of
units of time. NUMBER is a number, WORD what the tables do not know.
"""

import re
from collections.abc import Iterator, Mapping
from csv import DictReader
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

_WORD = re.compile(
    r"\d+(?:[.,]\d+)?|[^\W\d_]+(?:[.](?=[^\W\d_][.]?(?:\W|$))[^\W\d_])*(?:['’-][^\W\d_]+)*|[<>=]=?|\S"
)


@dataclass(frozen=True, slots=True)
class Token:
    """text[start:end], a word or a phrase of the tables. `value`: a number, or a unit in years."""

    symbol: str
    start: int
    end: int
    value: float = 0.0


def tokens(text: str, start: int = 0, end: int | None = None) -> list[Token]:
    """The tokens of text[start:end], longest phrases first; together they cover all but white space."""
    found = list(_WORD.finditer(text, start, len(text) if end is None else end))
    words = [each[0].casefold() for each in found]
    read: list[Token] = []
    position = 0
    while position < len(words):
        length, symbol, value = _longest(words, position)
        read.append(Token(symbol, found[position].start(), found[position + length - 1].end(), value))
        position += length
    return read


def _longest(words: list[str], position: int) -> tuple[int, str, float]:
    """(number of words, symbol, value) of the longest phrase here, of a number or of an unknown word."""
    word = words[position]
    known = vocabulary()
    for length in known.lengths.get(word, ()):
        phrase = tuple(words[position : position + length])
        if phrase in known.phrases:
            return len(phrase), *known.phrases[phrase]
    return (1, "NUMBER", float(word.replace(",", "."))) if word[0].isdecimal() else (1, "WORD", 0.0)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """(symbol, value) of each phrase, and how long phrases with a first word are, longest first."""

    phrases: Mapping[tuple[str, ...], tuple[str, float]]
    lengths: Mapping[str, tuple[int, ...]]


@cache
def vocabulary() -> Vocabulary:
    """The two tables, in the words that `tokens` finds."""
    phrases: dict[tuple[str, ...], tuple[str, float]] = {}
    lengths: dict[str, set[int]] = {}
    for symbol, phrase, value in entries():
        words = tuple(_WORD.findall(phrase.casefold()))
        phrases[words] = (symbol, value)
        lengths.setdefault(words[0], set()).add(len(words))
    return Vocabulary(phrases, {first: tuple(sorted(each, reverse=True)) for first, each in lengths.items()})


def entries() -> Iterator[tuple[str, str, float]]:
    """Every (symbol, phrase, value) of the two tables."""
    folder = files("nlp.eligibility")
    with (folder / "vocabulary.tsv").open(encoding="utf-8") as lines:
        for row in DictReader(lines, delimiter="\t"):
            yield from ((row["symbol"], phrase, 0.0) for phrase in row["phrases"].split(" | "))
    with (folder / "units.tsv").open(encoding="utf-8") as lines:
        for row in DictReader(lines, delimiter="\t"):
            yield from (("UNIT", phrase, float(row["years"])) for phrase in row["phrases"].split(" | "))
