"""What a message speaks of, in small senses that combine into a danger: a chest, a pressure, cold sweat.

senses.tsv says which words have a sense, dangers.tsv which senses together are a danger. Words are compared
as they sound, so that one row hears bokmål, nynorsk, dialects, neighbours and misspellings.

word     that word            word*   a word that begins so      *word   a word that ends so
two_words  in a row           a_~3_b  up to three words between  @sense  any single word of that sense
#        a number
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from chatbot.phrases import rows

SILENT = frozenset({"past", "topic", "denied"})
"""Senses that make their whole clause say nothing of today."""

_CLAUSE = re.compile(r"(?<= )(?:[.,]|men|but|mens|while|fordi|because)(?= )")
_SOUNDS = (
    (re.compile("[äæé]"), "e"),
    (re.compile("ö"), "ø"),
    (re.compile("aa"), "å"),
    (re.compile("ei"), "e"),
    (re.compile("øy"), "ø"),
    (re.compile("(?<=[kgs])j"), ""),
    (re.compile("h(?=[jv])"), ""),
    (re.compile("c(?=k)|(?<=s)c(?=h)"), ""),
    (re.compile("d(?=t)"), ""),
    (re.compile(r"([^\W\d])\1+"), r"\1"),
)


@dataclass(frozen=True, slots=True)
class _Word:
    """Spellings that stand for one word: whole, or only how they begin, end or go on."""

    whole: frozenset[str]
    beginnings: tuple[str, ...]
    ends: tuple[str, ...]

    def fits(self, word: str) -> bool:
        return (
            word in self.whole
            or (word.isdigit() and "#" in self.whole)
            or word.startswith(self.beginnings)
            or word.endswith(self.ends)
        )


@dataclass(frozen=True, slots=True)
class _Saying:
    """Words in order, each with how many others may stand before it."""

    sense: str
    words: tuple[tuple[int, _Word], ...]

    def begins_at(self, at: int, text: Sequence[str]) -> bool:
        return self._goes_on(1, at + 1, text)

    def _goes_on(self, number: int, at: int, text: Sequence[str]) -> bool:
        if number == len(self.words):
            return True
        gap, word = self.words[number]
        return any(
            word.fits(text[i]) and self._goes_on(number + 1, i + 1, text)
            for i in range(at, min(at + gap + 1, len(text)))
        )


@cache
def sound(word: str) -> str:
    """`word` as its neighbours, dialects and misspellings sound alike: skeiv, skjev and skev are skev."""
    for letters, heard in _SOUNDS:
        word = letters.sub(heard, word)
    return word


def senses(text: str) -> tuple[frozenset[str], frozenset[str]]:
    """The senses of `plain` text that speak of today, and all of them.

    A clause that speaks of the past, of studies or denies says nothing of today.
    """
    clauses = [_of_clause(clause) for clause in _CLAUSE.split(text)]
    today = frozenset(sense for found in clauses if not found & SILENT for sense in found)
    return today, today.union(*clauses)


def told(text: str, unless: frozenset[str]) -> str:
    """`plain` text without the clauses that hold any of the senses `unless`."""
    clauses = _CLAUSE.split(text)
    kept = [clause.strip() for clause in clauses if not unless & _of_clause(clause)]
    return text if len(kept) == len(clauses) else f" {' . '.join(kept)} "


@lru_cache(maxsize=64)
def _of_clause(clause: str) -> frozenset[str]:
    words = [sound(word) for word in clause.split()]
    return frozenset(
        saying.sense
        for at, word in enumerate(words)
        for saying in _beginning_with(word)
        if saying.begins_at(at, words)
    )


def _beginning_with(word: str) -> Iterator[_Saying]:
    by_word, by_beginning, by_end = _sayings()
    for each in (word, "#") if word.isdigit() else (word,):
        yield from by_word.get(each, ())
    for length in range(1, len(word) + 1):
        yield from by_beginning.get(word[:length], ())
    yield from (saying for end, saying in by_end if word.endswith(end))


_Sayings = dict[str, list[_Saying]]


@cache
def _sayings() -> tuple[_Sayings, _Sayings, tuple[tuple[str, _Saying], ...]]:
    """The sayings of senses.tsv by their first word: whole, by how it begins, by how it ends."""
    by_word: _Sayings = defaultdict(list)
    by_beginning: _Sayings = defaultdict(list)
    by_end: list[tuple[str, _Saying]] = []
    for sense, words in _table().items():
        for saying in (_Saying(sense, tuple(_parts(each))) for each in words):
            first = saying.words[0][1]
            for word in first.whole:
                by_word[word].append(saying)
            for beginning in first.beginnings:
                by_beginning[beginning].append(saying)
            by_end += ((end, saying) for end in first.ends)
    return dict(by_word), dict(by_beginning), tuple(by_end)


def _parts(saying: str) -> Iterator[tuple[int, _Word]]:
    gap = 0
    for part in saying.split("_"):
        if part.startswith("~"):
            gap = int(part[1:])
        else:
            yield gap, _word(part)
            gap = 0


@cache
def _word(part: str) -> _Word:
    names = [word for word in _table()[part[1:]] if "_" not in word] if part.startswith("@") else [part]
    return _Word(
        frozenset(sound(name) for name in names if "*" not in name),
        tuple(sound(name[:-1]) for name in names if name.endswith("*")),
        tuple(sound(name[1:]) for name in names if name.startswith("*")),
    )


@cache
def _table() -> dict[str, tuple[str, ...]]:
    table: dict[str, tuple[str, ...]] = {}
    for row in rows("senses.tsv"):
        table[row["sense"]] = (*table.get(row["sense"], ()), *row["words"].split())
    return table
