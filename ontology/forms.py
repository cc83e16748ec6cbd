"""Every form of every concept, found by the stems of its words."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ontology.concept import Form, FormKind, Ontology
from ontology.found import How, Reading
from ontology.words import spellings, stem

NO_CONCEPT = ""
SHORTEST_PART = 5
_SURELY_LONG = 7
_NAMES = (FormKind.NAME, FormKind.SYNONYM)
_COMPOUNDING = ("nb", "nn", "sv_da")
_NEXT_READING = 0.75


class Entry(NamedTuple):
    """A form of a concept; `plain` is its words without the marks that people leave out."""

    concept: str
    form: Form
    plain: str


class FormIndex:
    """What a run of words may stand for.

    `runs` maps stems joined by spaces to entries, `longest` the first stem of a run to the most words
    such a run has. `parts` holds the stem, and `solid` the plain spelling, of each name in one word that a
    compound may contain; `vocabulary` every stem in any name and `spellings` its plain spellings.
    """

    def __init__(self, ontology: Ontology, hides: Iterable[str]) -> None:
        self.runs: dict[str, list[Entry]] = {}
        self.longest: dict[str, int] = {}
        self.parts: set[str] = set()
        self.solid: dict[str, str] = {}
        self.vocabulary: set[str] = set()
        self.spellings: set[str] = set()
        self._ambiguous = ontology.ambiguous
        for concept in ontology.concepts.values():
            for form in concept.forms:
                self._add(concept.id, form)
        for text in hides:
            self._add(NO_CONCEPT, Form(text, "any", FormKind.NAME))

    def _add(self, concept_id: str, form: Form) -> None:
        spelt = spellings(form.text)
        if not spelt:
            return
        stems = list(map(stem, spelt))
        self.runs.setdefault(" ".join(stems), []).append(Entry(concept_id, form, " ".join(spelt)))
        if len(stems) > self.longest.get(stems[0], 0):
            self.longest[stems[0]] = len(stems)
        if form.kind in _NAMES:
            self.vocabulary.update(stems)
            self.spellings.update(spelt)
            if len(stems) == 1 and len(spelt[0]) >= SHORTEST_PART and concept_id:
                long = len(stems[0]) >= SHORTEST_PART or len(spelt[0]) >= _SURELY_LONG
                if long and form.language in _COMPOUNDING:
                    self.parts.add(stems[0])
                self.solid[spelt[0]] = stems[0]

    def named(self, key: str, how: How, score: float, language: str | None) -> tuple[Reading, ...]:
        """The readings of stems that name a concept, all found in the same way."""
        entries = [entry for entry in self.runs.get(key, ()) if entry.form.kind in _NAMES]
        return self.settle([(each, Reading(each.concept, how, score)) for each in entries], language)

    def settle(self, judged: Sequence[tuple[Entry, Reading]], language: str | None) -> tuple[Reading, ...]:
        """The best readings: the surest, of those the ones in `language`, in their declared order."""
        if not judged:
            return ()
        best = max(reading.score for _, reading in judged)
        kept = [(entry, reading) for entry, reading in judged if reading.score == best]
        kept = [pair for pair in kept if pair[0].form.language in spoken(language)] or kept
        readings = {reading.concept: reading for _, reading in kept}
        if len(readings) > 1:
            declared = [i for entry, _ in kept for i in self._ambiguous.get(entry.form.text.casefold(), ())]
            order = [each for each in dict.fromkeys([*declared, *readings]) if each in readings]
            return tuple(
                readings[each]._replace(score=best * _NEXT_READING**rank) for rank, each in enumerate(order)
            )
        return tuple(readings.values())


def spoken(language: str | None) -> tuple[str, ...]:
    """The form languages that a text in `language` shares; () where the language is not known."""
    if language in ("nb", "nn"):
        return ("nb", "nn", "any")
    if language in ("sv", "da"):
        return ("sv_da", "any")
    return (language, "any") if language else ()
