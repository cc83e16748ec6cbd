"""Names that somebody spelt wrong: «psioriasis», «multipel sklerrose», «prostatta kreft»."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache, cached_property
from importlib import import_module
from itertools import accumulate

from ontology.found import Found, How, Scan
from ontology.names import Names
from ontology.spelling import Guess, Speller
from ontology.words import Word, stem

_BEFORE = 4
_COST = 0.15
_BELIEF = 0.92
_SHORTEST_PART = 3
_NEIGHBOURS = ("sv", "da")
_NEIGHBOURS_BOUND = 0.5


class Misspelt:
    """Corrects unknown words one at a time and looks for names around them."""

    def __init__(self, names: Names) -> None:
        self._names = names

    @cached_property
    def _speller(self) -> Speller:
        return Speller(self._names.index.spellings)

    def warm(self) -> None:
        """Load what the first misspelt word would otherwise wait for (0.5 s; 60 MB of dictionary)."""
        self._speller.near("sykdom")
        is_real_word("sykdom", None)

    def find(self, scan: Scan, taken: Sequence[Found]) -> Iterator[Found]:
        """Names with a misspelt word that `taken` does not hold, or only holds as a compound's part.

        A real word is never a misspelling.
        """
        sure = [found for found in taken if found.readings[0].how is not How.COMPOUND]
        covered = {i for found in sure for i in range(found.first, found.end)}
        bound = _NEIGHBOURS_BOUND if scan.language in _NEIGHBOURS else 2.0
        meant = {
            i: [guess for guess in self._guesses(scan.spelt[i]) if guess.cost <= bound]
            for i, word in enumerate(scan.words)
            if i not in covered and word.text.casefold() not in self._names.everyday
        }
        for at, guesses in meant.items():
            for guess in guesses:
                found = list(self._around(_corrected(scan, meant, at, guess), at))
                if found and not is_real_word(scan.words[at].text, scan.language):
                    yield from (each.rescored(How.MISSPELT, _BELIEF - _COST * guess.cost) for each in found)
            for first in (at - 1, at):
                yield from self._joined(scan, first)

    def _guesses(self, spelt: str) -> list[Guess]:
        known = stem(spelt) in self._names.index.vocabulary or stem(spelt) in self._names.heads
        if known or not spelt.isalpha():
            return []
        return self._speller.near(spelt)

    def _around(self, scan: Scan, at: int) -> Iterator[Found]:
        for first in range(max(0, at - _BEFORE), at + 1):
            for found in (self._names.run_at(scan, first), *self._names.split_at(scan, first)):
                if found and found.end > at:
                    yield found

    def _joined(self, scan: Scan, first: int) -> Iterator[Found]:
        """A name in one word that stands misspelt as two: «makkula degenerasjon»."""
        pair = scan.spelt[max(first, 0) : first + 2]
        if len(pair) < 2 or scan.words[first + 1].opens or any(self._is_little(word) for word in pair):
            return
        for guess in self._guesses("".join(pair)):
            key = stem(guess.word)
            if key in self._names.index.parts and not self._are_real(scan, first):
                score = _BELIEF - _COST * guess.cost
                yield Found(
                    first, first + 2, self._names.index.named(key, How.MISSPELT, score, scan.language)
                )

    def _are_real(self, scan: Scan, first: int) -> bool:
        return all(is_real_word(word.text, scan.language) for word in scan.words[first : first + 2])

    def _is_little(self, spelt: str) -> bool:
        return len(spelt) < _SHORTEST_PART or spelt in self._names.everyday


def _corrected(scan: Scan, meant: Mapping[int, list[Guess]], at: int, guess: Guess) -> Scan:
    """The text as it may have been meant: its words by number are the same, their places are not."""
    spelt = [meant[i][0].word if meant.get(i) else word for i, word in enumerate(scan.spelt)]
    spelt[at] = guess.word
    ends = list(accumulate(len(word) + 1 for word in spelt))
    placed = [
        Word(word, end - len(word) - 1, end - 1, old.opens)
        for word, end, old in zip(spelt, ends, scan.words, strict=True)
    ]
    stems = [stem(word) for word in spelt]
    return scan._replace(text=" ".join(spelt), words=placed, spelt=spelt, stems=stems)


@cache
def is_real_word(word: str, language: str | None) -> bool:
    """Whether the dictionaries of simplemma know `word` in English or else in bokmål or nynorsk.

    They (75 MB) are loaded when the first word is asked about, not before. Those of Swedish and Danish
    would take 200 MB more.
    """
    simplemma = import_module("simplemma")
    known: bool = simplemma.is_known(word, lang="en" if language == "en" else ("nb", "nn"))
    return known
