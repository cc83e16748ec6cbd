"""Loose phrases: «hendene mine skjelver» is meant by «skjelver på hendene»."""

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from typing import NamedTuple

from ontology.concept import Form, FormKind, Kind, Ontology
from ontology.found import Found, How, Reading, Scan
from ontology.words import spellings, stem

_SLACK = 4
_LONG = 4
_COMMON = 30
_DESCRIBING = ("nb", "nn", "sv_da")
_MISSING = 0.15
_MORE, _MOST = {2: 0.0, 3: 0.15}, 0.25


class Phrase(NamedTuple):
    """A concept that is suggested where these stems stand near each other, in any order."""

    concept: str
    stems: frozenset[str]
    belief: float


class Phrases:
    """Phrases that suggest a condition, and names of symptoms in several words."""

    def __init__(self, ontology: Ontology, filler: Iterable[str]) -> None:
        self._filler = frozenset(stem(word) for word in filler)
        self._by_stem: dict[str, list[Phrase]] = {}
        for concept in ontology.concepts.values():
            for form in concept.forms:
                if belief := _belief(concept.kind, form):
                    self._add(concept.id, form.text, belief)

    def _add(self, concept_id: str, text: str, belief: float) -> None:
        stems = frozenset(stem(word) for word in spellings(text)) - self._filler
        phrase = Phrase(concept_id, stems, belief + _MORE.get(len(stems), _MOST))
        for each in stems if len(stems) > 1 else ():
            known = self._by_stem.setdefault(each, [])
            if phrase not in known:
                known.append(phrase)

    def join(self, scan: Scan, taken: Sequence[Found]) -> list[Found]:
        """`taken` and the phrases of which all telling words stand near each other, the longest first.

        A phrase takes the place of a name that is a part of it; other names it leaves alone. Of four or
        more words a common one may be missing.
        """
        kept = list(taken)
        for at, found in sorted(self._candidates(scan), key=_order):
            met = [each for each in kept if each.first < found.end and found.first < each.end]
            if all(len(at) > each.end - each.first and at.issuperset(_words(each)) for each in met):
                kept = [each for each in kept if each not in met]
                kept.append(found)
        return kept

    def _candidates(self, scan: Scan) -> Iterator[tuple[frozenset[int], Found]]:
        places = {key: i for i, key in reversed(list(enumerate(scan.stems)))}
        seen = Counter(phrase for key in places for phrase in self._by_stem.get(key, ()))
        for phrase, count in seen.items():
            missing = len(phrase.stems) - count
            if missing and not self._may_miss(phrase, missing, places):
                continue
            at = frozenset(places[key] for key in phrase.stems if key in places)
            first, end = min(at), max(at) + 1
            if end - first <= len(phrase.stems) + _SLACK:
                score = phrase.belief - missing * _MISSING
                yield at, Found(first, end, (Reading(phrase.concept, How.PHRASE, score),))

    def _may_miss(self, phrase: Phrase, missing: int, places: Container[str]) -> bool:
        """Whether a phrase is long enough to do without a word, and that word says little by itself."""
        if missing > 1 or len(phrase.stems) < _LONG:
            return False
        return all(key in places or len(self._by_stem[key]) >= _COMMON for key in phrase.stems)


def _order(candidate: tuple[frozenset[int], Found]) -> tuple[int, float, int]:
    at, found = candidate
    return -len(at), -found.readings[0].score, found.end - found.first


def _words(found: Found) -> range:
    return range(found.first, found.end)


def _belief(kind: Kind, form: Form) -> float:
    """How surely a form speaks of its concept when its words stand apart; 0.0 for a form that must stand whole.

    Besides phrases these are names that rather describe: «tisser på seg om natta».
    """
    if form.kind is FormKind.PHRASE or (kind is Kind.SYMPTOM and " " in form.text):
        return 0.6
    described = kind is Kind.CONDITION and form.kind is FormKind.SYNONYM and form.language in _DESCRIBING
    return 0.58 if described and " " in form.text else 0.0
