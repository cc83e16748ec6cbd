"""A small notation for phrases, so that what the chat listens for stands in tables and not in code.

word        that word              word*    a word that begins so       a|b    either
two_words   those words in a row   *word    a word that ends so         #      a number
term?       may be missing         ~3       up to three words between   ^ $    start and end of text
@group      the words of one row of words.tsv                           a & b  both, near, in any order
%sign       any phrase of that sign in signs.tsv
"""

import csv
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from itertools import permutations

from ontology.errors import BadInput

_SENTENCE_END = re.compile(r"[.!?;:]+(?=\s|$)|[\n\r]+")
_DROPPED = re.compile(r"['’`´\"«»“”()\[\]*_]")
_WORD = r"[^ ,.]\S*"
_NEAR = r"(?: \S+){0,14}?"


def plain(text: str) -> str:
    """`text` as the phrases see it: lower case, one space around words, " , " and " . " as only marks."""
    text = unicodedata.normalize("NFKC", text)
    text = "".join(letter for letter in text if unicodedata.category(letter) != "Cf")
    text = _DROPPED.sub("", text.casefold())
    text = _SENTENCE_END.sub(" . ", text)
    text = re.sub(r",(?!\d)|\s[-–—]+\s|/(?!\d)", " , ", text)
    return f" {' '.join(text.split())} "


@cache
def phrase(pattern: str) -> re.Pattern[str]:
    """The regular expression of a phrase, to be searched in `plain` text.

    Raises:
        BadInput: an unknown @group or %sign.
    """
    parts = [_sequence(part) for part in pattern.split(" & ")]
    return re.compile("|".join(_NEAR.join(order) for order in permutations(parts)))


def says(pattern: str, text: str) -> bool:
    """Whether `text` (as somebody wrote it) contains the phrase."""
    return phrase(pattern).search(plain(text)) is not None


class PhraseIndex:
    """Phrases by words that they cannot do without, so that only those that may be in a text are searched."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self._by_word: defaultdict[str, set[int]] = defaultdict(set)
        self._by_beginning: defaultdict[str, set[int]] = defaultdict(set)
        self._by_piece: defaultdict[str, set[int]] = defaultdict(set)
        for number, pattern in enumerate(patterns):
            for word in _needed(pattern):
                piece = _longest_piece(word)
                if word == piece:
                    self._by_word[word].add(number)
                elif word.startswith(piece) and piece:
                    self._by_beginning[piece].add(number)
                else:
                    self._by_piece[piece].add(number)

    def possible(self, text: str) -> list[int]:
        """The numbers of the phrases that `plain` text may hold, in order; every phrase it holds is there."""
        found: set[int] = set()
        for word in set(text.split()):
            found |= self._by_word.get(word, set())
            for end in range(1, len(word) + 1):
                found |= self._by_beginning.get(word[:end], set())
        found.update(*(numbers for piece, numbers in self._by_piece.items() if piece in text))
        return sorted(found)


def rows(table: str) -> Iterator[dict[str, str]]:
    """The rows of a tab-separated table of this folder, by column name.

    Raises:
        BadInput: a row has more or fewer cells than the heading.
    """
    with files("chatbot").joinpath(table).open(encoding="utf-8") as lines:
        for number, row in enumerate(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE), start=2):
            if None in row or None in row.values():
                raise BadInput(f"chatbot/{table}, line {number}: give every column exactly one value.")
            yield row


def _needed(pattern: str) -> frozenset[str]:
    """Words of which every text with the phrase holds one: those of its most telling term."""
    terms = [_one_of(term) for term in pattern.split() if not _may_be_missing(term)]
    return max(terms, key=lambda words: (min(map(_weight, words)), -len(words)), default=frozenset("*"))


def _may_be_missing(term: str) -> bool:
    return term in "^$&" or term.startswith("~") or term.endswith("?")


def _one_of(term: str) -> frozenset[str]:
    """The words, one of each run of them, that stand for a term."""
    found: set[str] = set()
    for name in term.split("|"):
        if name.startswith("%"):
            found.update(*map(_needed, sign(name[1:])))
        else:
            found.update(max(each.split("_"), key=_weight) for each in _words(name))
    return frozenset(found)


def _weight(word: str) -> int:
    return 0 if "#" in word else len(_longest_piece(word))


def _longest_piece(word: str) -> str:
    return max(word.replace("#", "*").split("*"), key=len)


def _sequence(pattern: str) -> str:
    return "".join(_term(term) for term in pattern.split())


def _term(term: str) -> str:
    if term == "^":
        return r"\A(?: [.,])*(?= )"
    if term == "$":
        return r"(?=(?: [.,])* \Z)"
    if term.startswith("~"):
        return rf"(?: (?:, )?{_WORD}){{0,{int(term[1:])}}}?"
    optional = "?" if term.endswith("?") else ""
    return rf"(?:{'|'.join(_choices(term.rstrip('?')))}){optional}"


def _choices(term: str) -> Iterator[str]:
    names = term.split("|")
    words = [word for name in names if not name.startswith("%") for word in _words(name)]
    if words:
        yield rf" (?:, )?(?:{'|'.join(map(_word, words))})(?= )"
    for name in names:
        if name.startswith("%"):
            yield from map(_sequence, sign(name[1:]))


def _words(name: str) -> tuple[str, ...]:
    return group(name[1:]) if name.startswith("@") else (name,)


def _word(word: str) -> str:
    return " ".join(map(_spelling, word.split("_")))


def _spelling(word: str) -> str:
    if word == "#":
        return r"\d+(?:[.,]\d+)?"
    return r"\S*".join(map(re.escape, word.split("*")))


@cache
def group(name: str) -> tuple[str, ...]:
    """The words of one row of words.tsv.

    Raises:
        BadInput: no such row.
    """
    groups = {row["group"]: tuple(row["words"].split()) for row in rows("words.tsv")}
    if name not in groups:
        raise BadInput(f"No group @{name}. Add it to chatbot/words.tsv or use one of {', '.join(groups)}.")
    return groups[name]


@cache
def sign(name: str) -> tuple[str, ...]:
    """The phrases of one sign of signs.tsv.

    Raises:
        BadInput: no such sign.
    """
    phrases = tuple(row["phrase"] for row in rows("signs.tsv") if row["sign"] == name)
    if not phrases:
        raise BadInput(f"No sign %{name}. Add it to chatbot/signs.tsv.")
    return phrases
