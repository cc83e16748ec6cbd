"""The beginning of a question in, what it may become out: words for concepts, and titles of studies."""

import heapq
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from nlp.language import words
from ontology.concept import FormKind, Ontology
from ontology.concept import Kind as ConceptKind
from ontology.spelling import Speller
from ontology.words import plain

SHORTEST = 2
"""Letters before anything is suggested."""
SHORTEST_MISSPELT = 4
LONGEST = 60
"""Characters of a question that are completed, counted from its end."""
MOST_TITLES = 3
"""Titles among the suggestions; words for concepts come first."""

_TREATMENTS = (ConceptKind.DRUG, ConceptKind.PROCEDURE)
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789 "
_KEY = 40
_MOST_MISSPELT = 20


class Kind(StrEnum):
    """What a suggestion leads to: a search for a concept, or the page of a study."""

    CONCEPT = "concept"
    STUDY = "study"


@dataclass(frozen=True, slots=True)
class Completion:
    """`text` is what the question becomes, in `language`; `id` is of the concept or the study."""

    text: str
    kind: Kind
    id: str
    language: str


@dataclass(frozen=True, slots=True)
class Title:
    """A study to suggest."""

    id: str
    text: str
    language: str


Look = Callable[["Forms", str, str, int], list[Completion]]
"""A way to look a prefix up, for a reader of a language, with how many to give."""


class Forms:
    """Texts that are looked up by how they begin, whatever their capitals and marks; the best rank first."""

    def __init__(self, entries: Sequence[tuple[str, Completion, tuple[int, ...]]]) -> None:
        """`entries` holds (text to look up, what it gives, rank: the lowest first)."""
        spelt = plain("\n".join(text for text, _, _ in entries)).split("\n") if entries else []
        ordered = sorted(
            zip(
                (each[:_KEY] for each in spelt),
                (rank for _, _, rank in entries),
                range(len(spelt)),
                strict=True,
            )
        )
        self._keys = [key for key, _, _ in ordered]
        self._ranks = [rank for _, rank, _ in ordered]
        self._completions = [entries[i][1] for _, _, i in ordered]

    @cached_property
    def words(self) -> frozenset[str]:
        """Every word that can be looked up."""
        return frozenset(word for key in self._keys for word in key.split())

    @cached_property
    def _speller(self) -> Speller:
        return Speller(self.words)

    def meant(self, spelt: str) -> str:
        """The word that may have been meant by another, in plain letters; "" for none."""
        return next((guess.word for guess in self._speller.near(spelt, 1)), "")

    def beginning(self, prefix: str, language: str, limit: int) -> list[Completion]:
        """The `limit` best entries that begin with a plain prefix, for a reader of `language`."""
        start = bisect_left(self._keys, prefix)
        end = bisect_left(self._keys, prefix + "\U0010ffff", start)
        own = _read_by(language)

        def order(i: int) -> tuple[bool, tuple[int, ...], int]:
            return self._completions[i].language not in own, self._ranks[i], i

        return [self._completions[i] for i in heapq.nsmallest(limit, range(start, end), key=order)]

    def misspelt(self, prefix: str, language: str, limit: int) -> list[Completion]:
        """The best entries that begin with a prefix one letter away: left out, added, swapped or another."""
        starts = {variant for variant in _one_away(prefix) if self._has(variant)}
        found = (each for variant in sorted(starts) for each in self.beginning(variant, language, limit))
        return list(dict.fromkeys(found))[:limit]

    def _has(self, prefix: str) -> bool:
        at = bisect_left(self._keys, prefix)
        return at < len(self._keys) and self._keys[at].startswith(prefix)


class Completer:
    """What a question may become, from the words for concepts and the titles of studies."""

    def __init__(self, forms: Forms, titles: Forms) -> None:
        self._forms = forms
        self._titles = titles

    def complete(self, text: str, language: str, limit: int = 8) -> list[Completion]:
        """At most `limit` suggestions for a question that begins with `text`, for a reader of `language`.

        The whole text is completed, else its last words; then its last words with one letter changed, and
        then its last word as it may have been meant.
        """
        for look in (Forms.beginning, Forms.misspelt):
            shortest, most = (
                (SHORTEST, _KEY) if look is Forms.beginning else (SHORTEST_MISSPELT, _MOST_MISSPELT)
            )
            for head, tail in _tails(text):
                prefix = plain(tail)
                if shortest <= len(prefix.strip()) and len(prefix) <= most:
                    found = self._found(look, prefix, language, limit)
                    if found:
                        return [_after(head, each) for each in found if not head or each.kind is Kind.CONCEPT]
        head, word = _last_word(text)
        meant = self.meant(word)
        return (
            [_after(head, each) for each in self._found(Forms.beginning, meant, language, limit)]
            if meant
            else []
        )

    def meant(self, word: str) -> str:
        """The word that may have been meant by one that nobody knows, in plain letters; "" for none."""
        spelt = plain(word)
        if any(spelt in each.words for each in (self._forms, self._titles)):
            return ""
        return self._forms.meant(spelt) or self._titles.meant(spelt)

    def _found(self, look: Look, prefix: str, language: str, limit: int) -> list[Completion]:
        concepts = _each_once(look(self._forms, prefix, language, 4 * limit))
        titles = _each_once(look(self._titles, prefix, language, 2 * MOST_TITLES))[:MOST_TITLES]
        return [*concepts[: limit - len(titles)], *titles]


def forms_of(ontology: Ontology, studies: Mapping[str, int]) -> Forms:
    """The words for every concept; `studies` says how many are about a concept, the most come first."""
    return Forms(list(_forms(ontology, studies)))


def titles_of(titles: Iterable[Title]) -> Forms:
    """The titles of studies."""
    return Forms(list(_titles(titles)))


def _forms(
    ontology: Ontology, studies: Mapping[str, int]
) -> Iterator[tuple[str, Completion, tuple[int, ...]]]:
    """What studies are about comes first, names before phrases, and illnesses before treatments."""
    for concept in ontology.concepts.values():
        about, treats = studies.get(concept.id, 0), concept.kind in _TREATMENTS
        for place, form in enumerate(concept.forms):
            completion = Completion(form.text, Kind.CONCEPT, concept.id, form.language)
            yield (
                form.text,
                completion,
                (not about, form.kind is FormKind.PHRASE, treats, -about, place + len(form.text)),
            )


def _titles(titles: Iterable[Title]) -> Iterator[tuple[str, Completion, tuple[int, ...]]]:
    """A title can be looked up from any of its words on; those that begin it come first."""
    for title in titles:
        completion = Completion(title.text, Kind.STUDY, title.id, title.language)
        for place, word in enumerate(words(title.text)):
            yield " ".join(title.text[word.start : word.start + _KEY].split()), completion, (place,)


def _each_once(found: Iterable[Completion]) -> list[Completion]:
    """Each concept or study once, by the first of its forms, and each text once."""
    best: dict[str, Completion] = {}
    for each in found:
        best.setdefault(each.id, each)
    return list({each.text.casefold(): each for each in reversed(best.values())}.values())[::-1]


def _read_by(language: str) -> tuple[str, ...]:
    return ("en", "any") if language == "en" else ("nb", "nn", "any")


def _tails(text: str) -> Iterator[tuple[str, str]]:
    """The text whole, then from each later word on, as (what stands before, what is completed)."""
    shown = text[-LONGEST:].lstrip()
    head = text[: len(text) - len(shown)]
    starts = [0, *(word.start for word in words(shown)[1:])]
    for start in starts:
        yield head + shown[:start] if start else (head if len(text) > LONGEST else ""), shown[start:]


def _last_word(text: str) -> tuple[str, str]:
    found = words(text)
    return (text[: found[-1].start], text[found[-1].start :].strip()) if found else (text, "")


def _after(head: str, completion: Completion) -> Completion:
    return Completion(head + completion.text, completion.kind, completion.id, completion.language)


def _one_away(prefix: str) -> Iterator[str]:
    for i in range(len(prefix) + 1):
        before, after = prefix[:i], prefix[i:]
        if after:
            yield before + after[1:]
        if len(after) > 1:
            yield before + after[1] + after[0] + after[2:]
        for letter in _LETTERS:
            yield before + letter + after
            if after:
                yield before + letter + after[1:]
