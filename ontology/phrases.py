"""Loose phrases: «hendene mine skjelver» is meant by «skjelver på hendene»."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ontology.concept import FormKind, Kind, Ontology
from ontology.found import Found, How, Reading, Scan
from ontology.words import spellings, stem

_SLACK = 4
_LONG = 4
_WHOLE, _NEARLY = 0.6, 0.45


class Phrase(NamedTuple):
    """A concept that is suggested where these stems stand near each other, in any order."""

    concept: str
    stems: frozenset[str]


class Phrases:
    """Phrases that suggest a condition, and names of symptoms in several words."""

    def __init__(self, ontology: Ontology, filler: Iterable[str]) -> None:
        self._filler = frozenset(stem(word) for word in filler)
        self._by_stem: dict[str, list[Phrase]] = {}
        for concept in ontology.concepts.values():
            for form in concept.forms:
                if form.kind is FormKind.PHRASE or (concept.kind is Kind.SYMPTOM and " " in form.text):
                    self._add(concept.id, form.text)

    def _add(self, concept_id: str, text: str) -> None:
        stems = frozenset(stem(word) for word in spellings(text)) - self._filler
        phrase = Phrase(concept_id, stems)
        for each in stems if len(stems) > 1 else ():
            known = self._by_stem.setdefault(each, [])
            if phrase not in known:
                known.append(phrase)

    def find(self, scan: Scan) -> Iterator[Found]:
        """Phrases whose telling words all stand near each other; of four or more, one may be missing."""
        places = {key: i for i, key in reversed(list(enumerate(scan.stems)))}
        seen = Counter(phrase for key in places for phrase in self._by_stem.get(key, ()))
        for phrase, count in seen.items():
            missing = len(phrase.stems) - count
            if missing > (len(phrase.stems) >= _LONG):
                continue
            at = [places[key] for key in phrase.stems if key in places]
            first, end = min(at), max(at) + 1
            if end - first <= len(phrase.stems) + _SLACK:
                score = _NEARLY if missing else _WHOLE
                yield Found(first, end, (Reading(phrase.concept, How.PHRASE, score),))
