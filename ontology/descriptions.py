"""Which condition a text describes without naming it: «skjell på albuene» is how people tell of psoriasis."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ontology.concept import FormKind, Kind, Ontology
from ontology.found import Found, How, Reading, Scan
from ontology.garbage import uncollected
from ontology.words import keys, stem

_KINDS = (Kind.CONDITION, Kind.SYMPTOM)
_SATURATION, _LENGTH = 1.2, 0.75
_SHORTEST_PART = 4
_LEAST_WORDS = 2
_LEAST_COVERED = 0.5
_LEAST_FIT = 0.65
_BELIEF = 0.6

Numbers: TypeAlias = NDArray[np.int32]
Weights: TypeAlias = NDArray[np.float32]


class Descriptions:
    """All the words that are used of each condition and symptom, weighed as BM25 weighs a document's words.

    Source: Robertson, Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009.
    """

    @uncollected()
    def __init__(self, ontology: Ontology, filler: Iterable[str], common: Iterable[str]) -> None:
        """`filler` words tell nothing; `common` ones tell nothing by themselves."""
        self._filler, self._common = frozenset(map(stem, filler)), frozenset(map(stem, common))
        bags = _bags(ontology, self._filler)
        self._concepts = list(bags)
        sizes = [sum(bag.values()) for bag in bags.values()]
        average = sum(sizes) / max(1, len(sizes))
        carriers: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
        for number, (bag, size) in enumerate(zip(bags.values(), sizes, strict=True)):
            damping = _SATURATION * (1 - _LENGTH + _LENGTH * size / average)
            for key, count in bag.items():
                carriers[key].append((number, count * (1 + _SATURATION) / (count + damping)))
        self._rarest = math.log(1 + len(bags))
        self._worths = {key: math.log(1 + len(bags) / (1 + len(each))) for key, each in carriers.items()}
        self._carriers = {key: _arrays(each, self._worths[key]) for key, each in carriers.items()}

    def find(self, scan: Scan) -> Iterator[tuple[frozenset[int], Found]]:
        """The concepts that fit at least two words and half of what is told, the best first.

        Each comes with the places of its words.
        """
        told = self._told(scan)
        worth = {place: self._worth(parts) for place, parts in told.items()}
        total = sum(worth.values())
        scores = np.zeros(len(self._concepts), np.float32)
        covered = np.zeros((len(told), len(self._concepts)), np.bool_)
        for row, parts in enumerate(told.values()):
            for part in parts:
                numbers, weights = self._carriers.get(part, _NONE)
                scores[numbers] += weights
                covered[row, numbers] = True
        fitting = (scores >= _LEAST_FIT * total) & (covered.sum(axis=0) >= _LEAST_WORDS)
        for number in sorted(np.flatnonzero(fitting), key=lambda each: (-scores[each], each)):
            at = frozenset(place for place, told_of in zip(told, covered[:, number], strict=True) if told_of)
            share = sum(worth[place] for place in at) / total
            if share >= _LEAST_COVERED and not all(scan.stems[place] in self._common for place in at):
                reading = Reading(self._concepts[number], How.DESCRIBED, _BELIEF * share)
                yield at, Found(min(at), max(at) + 1, (reading,))

    def _told(self, scan: Scan) -> Mapping[int, tuple[str, ...]]:
        """The telling words by place, each once; an unknown compound as the two known words it is made of."""
        first = {key: place for place, key in reversed(list(enumerate(scan.stems)))}
        return {place: self._parts(key) for key, place in first.items() if key not in self._filler}

    def _parts(self, key: str) -> tuple[str, ...]:
        if key not in self._worths:
            for cut in range(len(key) - _SHORTEST_PART, _SHORTEST_PART - 1, -1):
                parts = key[:cut], stem(key[cut:])
                if all(part in self._worths for part in parts):
                    return parts
        return (key,)

    def _worth(self, parts: tuple[str, ...]) -> float:
        return max(self._worths.get(part, self._rarest) for part in parts)


_NONE: tuple[Numbers, Weights] = np.zeros(0, np.int32), np.zeros(0, np.float32)


def _arrays(carriers: list[tuple[int, float]], worth: float) -> tuple[Numbers, Weights]:
    numbers, shares = zip(*carriers, strict=True)
    return np.array(numbers, np.int32), np.array(shares, np.float32) * np.float32(worth)


def _bags(ontology: Ontology, filler: frozenset[str]) -> Mapping[str, Counter[str]]:
    """How many forms of each concept that has codes hold each word."""
    forms = [
        (concept.id, form.text)
        for concept in ontology.concepts.values()
        if concept.kind in _KINDS and ontology.codes(concept.id)
        for form in concept.forms
        if form.kind is not FormKind.ABBREVIATION
    ]
    bags: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for (concept_id, _), (_, stems) in zip(forms, keys(text for _, text in forms), strict=True):
        bags[concept_id].update(set(stems) - filler)
    return bags
