"""Loose phrases: «hendene mine skjelver» is meant by «skjelver på hendene»."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from typing import NamedTuple

from ontology.concept import Form, FormKind, Kind, Ontology
from ontology.found import Found, How, Reading, Scan
from ontology.words import keys, stem

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
        meaningless = frozenset(stem(word) for word in filler)
        phrases = list(dict.fromkeys(_phrases(ontology, meaningless)))
        carriers = Counter(key for phrase in phrases for key in phrase.stems)
        self._common = frozenset(key for key, count in carriers.items() if count >= _COMMON)
        self._by_rarest: dict[str, list[Phrase]] = {}
        for phrase in phrases:
            rarest = min(phrase.stems, key=lambda key: (carriers[key], key))
            self._by_rarest.setdefault(rarest, []).append(phrase)

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
        for phrase in (phrase for key in places for phrase in self._by_rarest.get(key, ())):
            missing = phrase.stems - places.keys()
            if missing and not self._may_miss(phrase, missing):
                continue
            at = frozenset(places[key] for key in phrase.stems - missing)
            first, end = min(at), max(at) + 1
            if end - first <= len(phrase.stems) + _SLACK:
                score = phrase.belief - len(missing) * _MISSING
                yield at, Found(first, end, (Reading(phrase.concept, How.PHRASE, score),))

    def _may_miss(self, phrase: Phrase, missing: Set[str]) -> bool:
        """Whether a phrase is long enough to do without a word, and that word says little by itself."""
        return len(missing) == 1 and len(phrase.stems) >= _LONG and missing <= self._common


def _phrases(ontology: Ontology, meaningless: Set[str]) -> Iterator[Phrase]:
    """The phrases of the tables that have two telling words at least."""
    believed = [
        (concept.id, form.text, belief)
        for concept in ontology.concepts.values()
        for form in concept.forms
        if (belief := _belief(concept.kind, form))
    ]
    for (concept_id, _, belief), (_, all_stems) in zip(
        believed, keys(t for _, t, _ in believed), strict=True
    ):
        stems = frozenset(all_stems) - meaningless
        if len(stems) > 1:
            yield Phrase(concept_id, stems, belief + _MORE.get(len(stems), _MOST))


def _order(candidate: tuple[frozenset[int], Found]) -> tuple[int, float, int]:
    at, found = candidate
    return -len(at), -found.readings[0].score, found.end - found.first


def _words(found: Found) -> range:
    return range(found.first, found.end)


def _belief(kind: Kind, form: Form) -> float:
    """How surely a form speaks of its concept when its words stand apart; 0.0 where they must not.

    Besides phrases these are names that rather describe: «tisser på seg om natta».
    """
    if form.kind is FormKind.PHRASE or (kind is Kind.SYMPTOM and " " in form.text):
        return 0.6
    described = kind is Kind.CONDITION and form.kind is FormKind.SYNONYM and form.language in _DESCRIBING
    return 0.58 if described and " " in form.text else 0.0
