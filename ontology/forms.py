"""Every form of every concept, found by the stems of its words."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ontology.concept import Form, FormKind, Ontology
from ontology.found import How, Reading
from ontology.garbage import uncollected
from ontology.words import keys

NO_CONCEPT = ""
SHORTEST_PART = 5
_SURELY_LONG = 7
_NAMES = (FormKind.NAME, FormKind.SYNONYM)
_COMPOUNDING = ("nb", "nn", "sv_da")
_NEXT_READING = 0.75


class Entry(NamedTuple):
    """A form of a concept."""

    concept: str
    form: Form

    @property
    def plain(self) -> str:
        """The words of the form without the marks that people leave out."""
        spelt, _ = next(keys([self.form.text]))
        return " ".join(spelt)


class FormIndex:
    """What a run of words may stand for.

    `runs` gives the entries of stems joined by spaces; `begun` holds every beginning of such a run, with the
    numbers of the forms that end there. `parts` holds the stem, and `solid` the plain spelling, of each name
    in one word that a compound may contain; `vocabulary` every stem in any name and `spellings` its plain
    spellings.
    """

    @uncollected()
    def __init__(self, ontology: Ontology, hides: Iterable[str]) -> None:
        self.begun: dict[str, tuple[int, ...]] = {}
        self.parts: set[str] = set()
        self.solid: dict[str, str] = {}
        self.vocabulary: set[str] = set()
        self.spellings: set[str] = set()
        self._ambiguous = ontology.ambiguous
        forms = [(each.id, form) for each in ontology.concepts.values() for form in each.forms]
        forms += [(NO_CONCEPT, Form(text, "any", FormKind.NAME)) for text in hides]
        self._concepts = [concept for concept, _ in forms]
        self._forms = [form for _, form in forms]
        for number, (spelt, stems) in enumerate(keys(form.text for form in self._forms)):
            if spelt:
                self._add(number, spelt, stems)

    def _add(self, number: int, spelt: list[str], stems: list[str]) -> None:
        run = stems[0]
        for key in stems[1:]:
            self.begun.setdefault(run, ())
            run = f"{run} {key}"
        self.begun[run] = (*self.begun.get(run, ()), number)
        form = self._forms[number]
        if form.kind in _NAMES:
            self.vocabulary.update(stems)
            self.spellings.update(spelt)
            if len(stems) == 1 and self._concepts[number]:
                self._add_part(spelt[0], stems[0], form.language)

    def _add_part(self, spelt: str, key: str, language: str) -> None:
        if len(spelt) >= SHORTEST_PART:
            self.solid[spelt] = key
            if language in _COMPOUNDING and (len(key) >= SHORTEST_PART or len(spelt) >= _SURELY_LONG):
                self.parts.add(key)

    def runs(self, key: str) -> list[Entry]:
        """The forms whose stems, joined by spaces, are `key`."""
        return [Entry(self._concepts[number], self._forms[number]) for number in self.begun.get(key, ())]

    def named(self, key: str, how: How, score: float, language: str | None) -> tuple[Reading, ...]:
        """The readings of stems that name a concept, all found in the same way."""
        entries = [entry for entry in self.runs(key) if entry.form.kind in _NAMES]
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
