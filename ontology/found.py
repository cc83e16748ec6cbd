"""A text while it is linked, and what is found in it before a mention is made of it."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from ontology.words import Word, plain, stem, words

_FEW_WORDS = 3


class How(StrEnum):
    """How a mention was found."""

    EXACT = "exact"
    INFLECTED = "inflected"
    COMPOUND = "compound"
    SPLIT = "split"
    SHARED = "shared"
    MISSPELT = "misspelt"
    ABBREVIATION = "abbreviation"
    PHRASE = "phrase"
    DESCRIBED = "described"


class Reading(NamedTuple):
    """One concept that a run of words may mean."""

    concept: str
    how: How
    score: float


class Found(NamedTuple):
    """Words `first` to `end` (exclusive) and what they may mean, the likeliest reading first."""

    first: int
    end: int
    readings: tuple[Reading, ...]

    def found_by(self, how: How) -> "Found":
        """The same words, found in another way."""
        return self._replace(readings=tuple(reading._replace(how=how) for reading in self.readings))

    def rescored(self, how: How, factor: float) -> "Found":
        """The same words, found in another way and believed `factor` times as much."""
        return self._replace(readings=tuple(Reading(r.concept, how, r.score * factor) for r in self.readings))


class Scan(NamedTuple):
    """A text with its words in three spellings: as written, plain, and as stems."""

    text: str
    words: list[Word]
    spelt: list[str]
    stems: list[str]
    language: str | None
    forgiving: bool
    cased: bool
    """Whether capitals tell an abbreviation from a word (not where everything is capitals)."""


def scan(text: str, language: str | None, forgiving: bool) -> Scan:
    """Read `text` once; see `Linker.link` for the arguments."""
    found = words(text)
    spelt = [plain(word.text) for word in found]
    cased = len(found) <= _FEW_WORDS or not text.isupper()
    return Scan(text, found, spelt, [stem(word) for word in spelt], language, forgiving, cased)


def longest(candidates: Iterable[Found], taken: Sequence[Found] = ()) -> list[Found]:
    """`taken` and the candidates that overlap nothing longer; of equally long ones the most believed."""
    kept = list(taken)
    covered = {i for found in kept for i in range(found.first, found.end)}
    ranked = sorted(candidates, key=lambda f: (f.first - f.end, -f.readings[0].score, f.first))
    for found in ranked:
        span = range(found.first, found.end)
        if covered.isdisjoint(span):
            covered.update(span)
            kept.append(found)
    return kept
