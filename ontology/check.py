"""The thorough look at the tables: codes, forms, hierarchy and what they cover."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.resources import files

from ontology.concept import Concept, Form, FormKind, Kind, Ontology
from ontology.hrcs import CATEGORIES
from ontology.icd10 import Block, blocks, exists
from ontology.table import read_roles

_SHORTEST_NAME = 3
_SHORTEST_ABBREVIATION = 2


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many concepts carry an HRCS label, and how many forms those have."""

    label: str
    concepts: int
    forms: int


@dataclass(frozen=True, slots=True)
class Report:
    """What is wrong in the tables (empty when all is well), and what they hold."""

    problems: tuple[str, ...]
    kinds: tuple[tuple[str, int], ...]
    forms: int
    coverage: tuple[Coverage, ...]
    blocks_without_concept: tuple[Block, ...]

    @property
    def concepts(self) -> int:
        """How many concepts there are, of all kinds."""
        return sum(count for _, count in self.kinds)


def check(ontology: Ontology) -> Report:
    """Everything that loading does not check, and coverage by HRCS category and ICD-10 block."""
    concepts = tuple(ontology.concepts.values())
    problems = (*_wrong_concepts(ontology), *_undeclared(ontology), *_untrue_declarations(ontology))
    kinds = Counter(concept.kind.value for concept in concepts)
    return Report(
        problems=problems,
        kinds=tuple(sorted(kinds.items())),
        forms=sum(len(_texts(concept)) for concept in concepts),
        coverage=tuple(_coverage(category.label, concepts) for category in CATEGORIES),
        blocks_without_concept=tuple(_uncovered(concepts)),
    )


def _wrong_concepts(ontology: Ontology) -> Iterator[str]:
    everyday = read_roles(files("ontology") / "ordinary.tsv")["everyday"]
    for concept in ontology.concepts.values():
        for code in concept.icd10:
            if not exists(code):
                yield f"{concept.id}: ICD-10 has no code {code}."
        if concept.id in ontology.ancestors(concept.id):
            yield f"{concept.id} is its own ancestor: take one parent away."
        for form in concept.forms:
            yield from _wrong_form(concept, form, everyday)
        yield from _repeated(concept)


def _wrong_form(concept: Concept, form: Form, everyday: frozenset[str]) -> Iterator[str]:
    short = _SHORTEST_ABBREVIATION if form.kind is FormKind.ABBREVIATION else _SHORTEST_NAME
    if len(form.text) < short:
        yield f"{concept.id}: the form {form.text!r} is too short; {short} characters at least."
    if form.kind is not FormKind.ABBREVIATION and form.text.casefold() in everyday:
        yield f"{concept.id}: {form.text!r} is an ordinary word (ontology/ordinary.tsv); remove it from one."


def _repeated(concept: Concept) -> Iterator[str]:
    for language in ("nb", "en", "any"):
        texts = Counter(f.text for f in concept.forms if f.language == language)
        for text, count in texts.items():
            if count > 1:
                yield f"{concept.id}: {text!r} stands {count} times in {language}; keep one."


def _undeclared(ontology: Ontology) -> Iterator[str]:
    """Forms that two concepts claim in one language though ambiguous.tsv does not say so."""
    claims: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for concept in ontology.concepts.values():
        for form in concept.forms:
            if form.kind is not FormKind.PHRASE:
                claims[_group(form), form.text.casefold()].add(concept.id)
    for (group, text), owners in sorted(claims.items()):
        missing = owners - set(ontology.ambiguous.get(text, ()))
        if len(owners) > 1 and missing:
            names = " ".join(sorted(owners))
            yield f"{text!r} ({group}) names {names}: declare it in ontology/ambiguous.tsv or keep one."


def _untrue_declarations(ontology: Ontology) -> Iterator[str]:
    for text, declared in ontology.ambiguous.items():
        for each in declared:
            if text not in {form.text.casefold() for form in ontology.get(each).forms}:
                yield f"ambiguous.tsv: {each} has no form {text!r}; add the form or drop the reading."


def _group(form: Form) -> str:
    return "nb" if form.language == "nn" else form.language


def _texts(concept: Concept) -> frozenset[str]:
    return frozenset(form.text.casefold() for form in concept.forms)


def _coverage(label: str, concepts: Iterable[Concept]) -> Coverage:
    carriers = [concept for concept in concepts if label in concept.hrcs]
    return Coverage(label, len(carriers), sum(len(_texts(each)) for each in carriers))


def _uncovered(concepts: Iterable[Concept]) -> Iterator[Block]:
    kinds = (Kind.CONDITION, Kind.SYMPTOM)
    covered = {code[:3] for concept in concepts if concept.kind in kinds for code in concept.icd10}
    yield from (block for block in blocks() if covered.isdisjoint(block.categories))
