"""Misspelt words -> the words that were meant, by sound and by the Norwegian keyboard."""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ontology.words import sound

SHORTEST = 5
_KEYBOARD = ("qwertyuiopå", "asdfghjkløæ", "zxcvbnm")
_CONFUSED = ("ei", "ea", "ai", "ou", "ao", "iy", "bp", "dt", "gk", "kc", "sc", "vf", "mn", "Sk", "ui")


class Guess(NamedTuple):
    """A word that may have been meant, and how far the misspelling is from it (0 sounds the same)."""

    word: str
    cost: float


class Speller:
    """Words that can be misspelt, indexed by the hashes of their sound with at most one letter left out.

    After Garbe's symmetric delete (SymSpell); one deletion on either side reaches every single error and
    most double ones. Two sorted arrays take 12 bytes an entry where a dictionary takes 200.
    """

    def __init__(self, spellings: Iterable[str]) -> None:
        self._words = sorted(word for word in spellings if len(word) >= SHORTEST - 1 and word.isalpha())
        self._sounds = [sound(word) for word in self._words]
        pairs = [(hash(key), i) for i, heard in enumerate(self._sounds) for key in _shortened(heard)]
        hashes = np.fromiter((each for each, _ in pairs), np.int64, len(pairs))
        owners = np.fromiter((i for _, i in pairs), np.int32, len(pairs))
        order = np.argsort(hashes)
        self._hashes: NDArray[np.int64] = hashes[order]
        self._owners: NDArray[np.int32] = owners[order]

    def near(self, word: str, limit: int = 3) -> list[Guess]:
        """The likeliest words meant by `word`, nearest first; [] for a word too short to judge."""
        heard = sound(word)
        if len(word) < SHORTEST:
            return []
        bound = _bound(len(heard))
        guesses = []
        for i in self._candidates(heard):
            cost = distance(heard, self._sounds[i], bound)
            if cost <= bound:
                guesses.append(Guess(self._words[i], cost))
        return sorted(guesses, key=lambda guess: (guess.cost, guess.word))[:limit]

    def _candidates(self, heard: str) -> set[int]:
        wanted = np.fromiter((hash(key) for key in _shortened(heard)), np.int64)
        starts = np.searchsorted(self._hashes, wanted, "left")
        ends = np.searchsorted(self._hashes, wanted, "right")
        return {
            int(i)
            for start, end in zip(starts, ends, strict=True)
            for i in self._owners[start:end]
            if end > start
        }


def distance(heard: str, meant: str, bound: float) -> float:
    """Weighted Damerau-Levenshtein distance of two sounds; above `bound` it may stop early.

    A letter for its neighbour on the keyboard, for one that sounds alike, two letters swapped: half an
    error or a little more. The first letter is seldom wrong: an error there counts half more.
    """
    before: list[float] = []
    row = [0.8 * j for j in range(len(meant) + 1)]
    for i, letter in enumerate(heard, start=1):
        older, before, row = before, row, [0.8 * i]
        for j, other in enumerate(meant, start=1):
            weight = 1.5 if i == j == 1 else 1.0
            best = min(before[j] + 0.8, row[j - 1] + 0.8, before[j - 1] + weight * _swap(letter, other))
            if i > 1 and j > 1 and letter == meant[j - 2] and heard[i - 2] == other:
                best = min(best, older[j - 2] + 0.6)
            row.append(best)
        if min(row) > bound:
            return bound + 1
    return row[-1]


def _bound(length: int) -> float:
    return 0.8 if length < 6 else 1.2 if length < 9 else 1.8


def _swap(one: str, other: str) -> float:
    return 0.0 if one == other else _SWAPS.get(one + other, 1.0)


def _shortened(word: str) -> Iterator[str]:
    yield word
    for i in range(len(word)):
        yield word[:i] + word[i + 1 :]


def _swaps() -> dict[str, float]:
    costs: dict[str, float] = {}
    for letters in _KEYBOARD:
        for one, other in pairwise(letters):
            costs[one + other] = costs[other + one] = 0.7
    for pair in _CONFUSED:
        costs[pair] = costs[pair[::-1]] = 0.5
    return costs


_SWAPS = _swaps()
