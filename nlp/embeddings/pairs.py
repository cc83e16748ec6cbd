"""What the encoder learns from: ontology and studies in, questions with the passage that answers each out."""

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TypeVar
from zlib import crc32

from nlp.embeddings.chunks import as_read, chunk_study
from nlp.embeddings.concepts import concepts_of
from ontology.concept import Concept, Form, FormKind, Kind, Ontology
from ontology.linker import Linker
from ontology.table import read_table
from ontology.wording import catalogue
from registry.study import Study

Item = TypeVar("Item")

FORMS_OF = 4
"""Forms of one concept that are learnt, at most, so that well-known illnesses do not drown the rest."""

STUDIES_OF = 10
"""Studies that one concept asks for, at most."""

SURE = 0.79
"""How surely a study must be about a concept to answer a question for it."""

PASSAGE = 240
"""Characters of a passage that are read in training."""

HELD_BACK = 10
"""Every tenth concept is never trained on, so that what was learnt can be told from what was memorised."""

_GENERAL = 40
"""Shortest text of the catalogue that carries a meaning of its own."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A question, the passage nearest to it, and one that only looks near.

    `topics` are the concepts of both; a batch never holds two pairs whose topics are of one family, because
    each passage counts as a wrong answer to every other question.
    """

    question: str
    passage: str
    near_miss: str
    topics: frozenset[str] = frozenset()


def held_back(concept_id: str) -> bool:
    """Whether a concept is kept out of training."""
    return crc32(concept_id.encode()) % HELD_BACK == 0


def all_pairs(
    studies: Sequence[Study], ontology: Ontology, linker: Linker, chance: random.Random
) -> dict[str, list[Pair]]:
    """Every pair that can be made, by kind: names, studies, general."""
    return {
        "names": list(name_pairs(ontology, chance)),
        "studies": list(study_pairs(studies, ontology, linker, chance)),
        "general": list(general_pairs(studies, chance)),
    }


def name_pairs(ontology: Ontology, chance: random.Random) -> Iterator[Pair]:
    """The words for a concept -> its name, mostly the English one; the near miss is the name of a sibling."""
    siblings = _siblings(ontology)
    for concept in ontology.concepts.values():
        if held_back(concept.id) or concept.kind is Kind.PROCEDURE:
            continue
        for form in _sample(_asked_as(concept), FORMS_OF, chance):
            name = concept.nb if chance.random() < 0.2 else concept.en
            near = ontology.get(chance.choice(siblings[_family(concept)]))
            if form.text.casefold() != name.casefold():
                miss = "" if near is concept else near.en
                yield Pair(_asking(form, chance), name, miss, frozenset((concept.id,)))


def study_pairs(
    studies: Iterable[Study], ontology: Ontology, linker: Linker, chance: random.Random
) -> Iterator[Pair]:
    """Everyday questions made from the ontology -> studies; the near miss is one of the same category."""
    about = {study: _about(study, ontology, linker) for study in studies}
    by_concept: defaultdict[str, list[Study]] = defaultdict(list)
    by_category: defaultdict[str, list[Study]] = defaultdict(list)
    for study, concepts in about.items():
        for each in concepts:
            by_concept[each].append(study)
            by_category[_family(ontology.get(each))].append(study)
    for concept_id, found in by_concept.items():
        concept = ontology.get(concept_id)
        forms = _asked_as(concept)
        if held_back(concept_id) or not forms:
            continue
        others = by_category[_family(concept)]
        for study in _sample(found, STUDIES_OF, chance):
            miss = next((s for s in _sample(others, 9, chance) if concept_id not in about[s]), None)
            question = _asking(chance.choice(forms), chance)
            if study.interventions and chance.random() < 0.25:
                question = f"{study.interventions[0].name[:60]} {question}"
            yield Pair(
                question, _passage(study, chance), _passage(miss, chance) if miss else "", about[study]
            )


def general_pairs(studies: Iterable[Study], chance: random.Random) -> Iterator[Pair]:
    """What must not be forgotten: a title and its summary, one text in two languages."""
    for study in studies:
        if study.summary and study.language == "en":
            yield Pair(study.title, study.summary[:PASSAGE], "")
    for texts in catalogue().values():
        if len(texts["en"]) >= _GENERAL and "{" not in texts["en"]:
            one, other = chance.sample(("nb", "nn", "en"), 2)
            yield Pair(texts[one][:PASSAGE], texts[other][:PASSAGE], "")


def batches(
    pairs: Sequence[Pair], size: int, ontology: Ontology, chance: random.Random
) -> Iterator[list[Pair]]:
    """All pairs once, in `size`s, in chance order; pairs of a batch are of different families of concepts."""
    waiting = chance.sample(pairs, len(pairs))
    family = cache(lambda each: {each, *ontology.ancestors(each), *ontology.descendants(each)})
    while len(waiting) >= size:
        batch: list[Pair] = []
        blocked: set[str] = set()
        later: list[Pair] = []
        for at, pair in enumerate(waiting):
            if len(batch) == size:
                later.extend(waiting[at:])
                break
            if blocked.isdisjoint(pair.topics):
                batch.append(pair)
                blocked.update(*(family(each) for each in pair.topics))
            else:
                later.append(pair)
        if len(batch) < size:
            return
        yield batch
        waiting = later


def _asked_as(concept: Concept) -> list[Form]:
    return [form for form in concept.forms if form.kind is not FormKind.ABBREVIATION]


def _asking(form: Form, chance: random.Random) -> str:
    """A form as people write it: a phrase says all by itself, a name often stands in a sentence."""
    if form.kind is FormKind.PHRASE:
        return form.text
    return chance.choice(_templates().get(form.language, ("{}",))).format(form.text)


@cache
def _templates() -> Mapping[str, tuple[str, ...]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for row in read_table(files("nlp.embeddings") / "asking.tsv", "language template"):
        found[row.cells["language"]].append(row.cells["template"])
    return {language: tuple(texts) for language, texts in found.items()}


def _siblings(ontology: Ontology) -> Mapping[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for concept in ontology.concepts.values():
        found[_family(concept)].append(concept.id)
    return found


def _family(concept: Concept) -> str:
    """What near misses share: kind and HRCS category, of drugs the first letters of the ATC code."""
    return f"{concept.kind} {concept.hrcs[0] if concept.hrcs else ''.join(concept.atc[:1])[:3]}"


def _about(study: Study, ontology: Ontology, linker: Linker) -> frozenset[str]:
    return frozenset(each for each, weight in concepts_of(study, ontology, linker).items() if weight >= SURE)


def _passage(study: Study, chance: random.Random) -> str:
    """A passage as the index reads it: the title and one chunk of the text."""
    chunk = chance.choice(chunk_study(study)[:3])
    return as_read(study, chunk)[:PASSAGE]


def _sample(items: Sequence[Item], most: int, chance: random.Random) -> list[Item]:
    return chance.sample(items, min(most, len(items)))
