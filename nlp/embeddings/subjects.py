"""What every study is about, in memory: studies by concept, and how much studies have in common."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Answering:
    """Studies that are about one of `concepts`, by number, ascending.

    `best` says of each which of the concepts it is about, the one worth most, and `worth` how much.
    """

    concepts: tuple[str, ...]
    numbers: Numbers
    best: Numbers
    worth: NDArray[np.float64]

    def of(self, number: int) -> tuple[str, float] | None:
        """The concept that the study with this number is about, and what it is worth."""
        row = int(np.searchsorted(self.numbers, number))
        if row == len(self.numbers) or self.numbers[row] != number:
            return None
        return self.concepts[self.best[row]], float(self.worth[row])

    def about(self, wanted: Callable[[str], bool]) -> list[int]:
        """Numbers of the studies whose concept is `wanted`."""
        kept = np.array([wanted(concept) for concept in self.concepts], dtype=np.bool_)
        return [int(number) for number in self.numbers[kept[self.best]]]


class Subjects:
    """Which studies are about which concepts, and how surely (0 to 1).

    A concept tells by how few studies are about it: log(1 + studies / studies about it).
    """

    def __init__(self, rows: Sequence[tuple[str, int, float]]) -> None:
        """`rows` are (concept, study number, weight), those of a concept together."""
        counted = [(concept, sum(1 for _ in own)) for concept, own in groupby(rows, itemgetter(0))]
        self._concepts = [concept for concept, _ in counted]
        counts = np.array([count for _, count in counted], dtype=np.int64)
        ends = np.cumsum(counts).tolist()
        self._places = {
            concept: slice(end - count, end) for (concept, count), end in zip(counted, ends, strict=True)
        }
        self._studies = np.array([study for _, study, _ in rows], dtype=np.int64)
        self._weights = np.array([weight for _, _, weight in rows], dtype=np.float64)
        self._numbers, self._rows = np.unique(self._studies, return_inverse=True)
        told = np.log1p(len(self._numbers) / counts)
        self._telling = dict(zip(self._concepts, told.tolist(), strict=True))
        self._lengths = np.sqrt(np.bincount(self._rows, (self._weights * np.repeat(told, counts)) ** 2))
        self._concept_of = np.repeat(np.arange(len(counts)), counts)
        self._by_study = np.argsort(self._rows, kind="stable")
        self._ends = np.cumsum(np.bincount(self._rows))

    def answering(self, worth: Mapping[str, float]) -> Answering:
        """The studies about one of the concepts that are worth something, each with the best of them."""
        concepts = tuple(concept for concept in worth if concept in self._places)
        best = np.full(len(self._numbers), -1, dtype=np.int64)
        values = np.zeros(len(self._numbers))
        for index, concept in enumerate(concepts):
            place = self._places[concept]
            rows, own = self._rows[place], worth[concept] * self._weights[place]
            better = own > values[rows]
            best[rows[better]], values[rows[better]] = index, own[better]
        found = np.flatnonzero(best >= 0)
        return Answering(concepts, self._numbers[found], best[found], values[found])

    def of(self, study: int) -> dict[str, float]:
        """The concepts that the study with this number is about; {} for one that names nothing known."""
        row = int(np.searchsorted(self._numbers, study))
        if row == len(self._numbers) or self._numbers[row] != study:
            return {}
        entries = self._by_study[self._ends[row - 1] if row else 0 : self._ends[row]]
        found = zip(self._concept_of[entries].tolist(), self._weights[entries].tolist(), strict=True)
        return {self._concepts[concept]: weight for concept, weight in found}

    def popularity(self) -> dict[str, int]:
        """How many studies are about each concept."""
        return {concept: place.stop - place.start for concept, place in self._places.items()}

    def shared(self, some: Collection[int], among: Iterable[int]) -> dict[int, float]:
        """How much each study of `among` is about what `some` studies are about; 0 is nothing of it.

        It is the cosine, but for the length of what is shared with: the scores order `among` and no more.
        What several of `some` are about weighs more.
        """
        wanted: dict[str, float] = {}
        for study in some:
            for concept, weight in self.of(study).items():
                wanted[concept] = wanted.get(concept, 0.0) + weight
        scores = np.zeros(len(self._numbers) + 1)
        for concept, weight in wanted.items():
            place = self._places[concept]
            scores[self._rows[place]] += weight * self._telling[concept] ** 2 * self._weights[place]
        scores[:-1] /= self._lengths
        numbers = np.fromiter(among, dtype=np.int64)
        rows = np.searchsorted(self._numbers, numbers)
        rows[np.append(self._numbers, -1)[rows] != numbers] = len(self._numbers)
        return dict(zip(numbers.tolist(), scores[rows].tolist(), strict=True))
