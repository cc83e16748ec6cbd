"""What words mean: tables beside this module -> concepts, their forms and their hierarchy.

Cheap structural checks run at every load; ontology/check.py runs the thorough ones.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache, cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import NamedTuple

from ontology.errors import BadInput
from ontology.garbage import uncollected
from ontology.hrcs import LABELS, TABLE_LABELS
from ontology.icd10 import covers, written
from ontology.table import Row, read_table


class Kind(StrEnum):
    """What sort of thing a concept is."""

    CONDITION = "condition"
    SYMPTOM = "symptom"
    DRUG = "drug"
    PROCEDURE = "procedure"


class FormKind(StrEnum):
    """How a form stands for its concept: it names it, or a phrase merely suggests it."""

    NAME = "name"
    SYNONYM = "synonym"
    ABBREVIATION = "abbreviation"
    PHRASE = "phrase"


class Form(NamedTuple):
    """Words that stand for a concept.

    `language` is nb, nn, en, sv_da (Swedish and Danish share a column) or any (abbreviations, phrases
    and drug brands belong to no one language).
    """

    text: str
    language: str
    kind: FormKind


@dataclass(frozen=True, slots=True)
class Concept:
    """One thing people ask about. An empty string or tuple means that the table states none.

    `icd10` holds WHO codes of 3 or 4 characters; `suggests` the conditions that a symptom points to or
    that a drug mainly treats; `parents` ids of broader concepts (of a drug: its classes).
    """

    id: str
    kind: Kind
    nb: str
    nn: str
    en: str
    forms: tuple[Form, ...] = field(repr=False)
    parents: tuple[str, ...] = ()
    icd10: tuple[str, ...] = ()
    icpc2: tuple[str, ...] = ()
    hrcs: tuple[str, ...] = ()
    mesh: str = ""
    atc: tuple[str, ...] = ()
    suggests: tuple[str, ...] = ()

    def label(self, language: str) -> str:
        """The preferred name in nb, nn or en; other languages read bokmål."""
        return {"nn": self.nn, "en": self.en}.get(language, self.nb)


class Ontology:
    """All concepts, by id, by form and by ICD-10 code. Never changed after it is built."""

    def __init__(self, concepts: Iterable[Concept], ambiguous: Mapping[str, tuple[str, ...]]) -> None:
        self.concepts: Mapping[str, Concept] = {concept.id: concept for concept in concepts}
        self.ambiguous = ambiguous
        """Declared ambiguous forms, in lower case: their concept ids, the likeliest first."""
        self._above: dict[str, tuple[str, ...]] = {}
        self._below: dict[str, tuple[str, ...]] = {}

    @cached_property
    def fingerprint(self) -> str:
        """Changes with anything that decides which concepts a text mentions and how they hang together."""
        content = repr((sorted(self.ambiguous.items()), list(self.concepts.items())))
        forms = [form for concept in self.concepts.values() for form in concept.forms]
        return hashlib.sha256(f"{content}{forms}".encode()).hexdigest()[:16]

    def get(self, concept_id: str) -> Concept:
        """The concept of an id.

        Raises:
            BadInput: no concept has this id.
        """
        try:
            return self.concepts[concept_id]
        except KeyError:
            raise BadInput(
                f"No concept {concept_id!r}. Ids are in the first column of ontology/concepts/*.tsv."
            ) from None

    def readings(self, form: str) -> tuple[str, ...]:
        """Ids of the concepts that a form stands for, the likeliest first; () for an unknown form."""
        text = form.casefold()
        found = self._by_form.get(text, ())
        return tuple(i for i in self.ambiguous.get(text, ()) if i in found) or found

    def parents(self, concept_id: str) -> tuple[str, ...]:
        """The next broader concepts: those its row names, else those whose ICD-10 codes cover its own."""
        return self._parents(concept_id)

    def ancestors(self, concept_id: str) -> tuple[str, ...]:
        """Every broader concept, nearest first, each once."""
        if concept_id not in self._above:
            self._above[concept_id] = _reach(concept_id, self.parents)
        return self._above[concept_id]

    def descendants(self, concept_id: str) -> tuple[str, ...]:
        """Every narrower concept, nearest first, each once."""
        if concept_id not in self._below:
            self._below[concept_id] = _reach(concept_id, lambda each: self._children.get(each, ()))
        return self._below[concept_id]

    def codes(self, concept_id: str) -> tuple[str, ...]:
        """ICD-10 codes that a mention of this concept speaks of: its own, else those of what it suggests."""
        concept = self.get(concept_id)
        if concept.icd10:
            return concept.icd10
        return _unique(code for each in concept.suggests for code in self.concepts[each].icd10)

    def categories(self, concept_id: str) -> tuple[str, ...]:
        """HRCS labels that a mention of this concept speaks of: its own, else those of what it suggests."""
        concept = self.get(concept_id)
        if concept.hrcs:
            return concept.hrcs
        return _unique(label for each in concept.suggests for label in self.concepts[each].hrcs)

    def related(self, codes: Iterable[str]) -> tuple[str, ...]:
        """Ids of the concepts that carry one of `codes`, a code above it or a code below it."""
        wanted = tuple(codes)
        if not wanted:
            return ()
        return _unique(
            concept_id
            for code, holders in self._by_code.items()
            if any(covers(code, each) or covers(each, code) for each in wanted)
            for concept_id in holders
        )

    def expand(self, codes: Iterable[str]) -> frozenset[str]:
        """`codes` and every narrower code that some concept carries: E11 brings E110 to E119."""
        wanted = frozenset(codes)
        return wanted | {code for code in self._by_code if code[:3] in wanted}

    def _parents(self, concept_id: str) -> tuple[str, ...]:
        concept = self.get(concept_id)
        if concept.parents or not concept.icd10 or concept.kind is not Kind.CONDITION:
            return concept.parents
        broader = [
            each
            for each in self._holders(concept.icd10[0])
            if each != concept_id and self._broader(each, concept)
        ]
        return tuple(
            each
            for each in broader
            if not any(self._broader(each, self.concepts[other]) for other in broader if other != each)
        )

    def _holders(self, code: str) -> tuple[str, ...]:
        return _unique((*self._by_code.get(code, ()), *self._by_code.get(code[:3], ())))

    def _broader(self, concept_id: str, than: Concept) -> bool:
        above = self.concepts[concept_id]
        return (
            above.kind is Kind.CONDITION
            and _covered(than.icd10, above.icd10)
            and not _covered(above.icd10, than.icd10)
        )

    @cached_property
    def _by_form(self) -> Mapping[str, tuple[str, ...]]:
        return _grouped((form.text.casefold(), c.id) for c in self.concepts.values() for form in c.forms)

    @cached_property
    def _by_code(self) -> Mapping[str, tuple[str, ...]]:
        return _grouped((code, c.id) for c in self.concepts.values() for code in c.icd10)

    @cached_property
    def _children(self) -> Mapping[str, tuple[str, ...]]:
        return _grouped((parent, each) for each in self.concepts for parent in self.parents(each))


def _covered(codes: Iterable[str], by: tuple[str, ...]) -> bool:
    return all(any(covers(broad, code) for broad in by) for code in codes)


def _reach(start: str, step: Callable[[str], tuple[str, ...]]) -> tuple[str, ...]:
    seen = {start: None}
    queue = [start]
    for each in queue:
        for following in step(each):
            if following not in seen:
                seen[following] = None
                queue.append(following)
    return tuple(seen)[1:]


def _unique(items: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(items))


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    groups: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for key, value in pairs:
        groups[key][value] = None
    return {key: tuple(values) for key, values in groups.items()}


CONDITION_COLUMNS = "id parents nb nn en nb_also nn_also en_also sv_da abbr phrases icd10 icpc2 hrcs mesh"
OTHER_TABLES: Mapping[str, tuple[Kind, str]] = {
    "drugs.tsv": (Kind.DRUG, "id nb nn en also brands class atc treats"),
    "procedures.tsv": (Kind.PROCEDURE, "id parents nb nn en nb_also nn_also en_also abbr hrcs treats"),
    "symptoms.tsv": (Kind.SYMPTOM, "id nb nn en nb_also nn_also en_also phrases icd10 icpc2 hrcs suggests"),
}
LANGUAGES = ("nb", "nn", "en", "sv_da", "any")
AMBIGUOUS = "ambiguous.tsv"
WORD_LISTS = (AMBIGUOUS, "cues.tsv", "ordinary.tsv", "parts.tsv", "spoken.tsv")
FORM_COLUMNS = (
    ("nb_also", "nb", FormKind.SYNONYM),
    ("nn_also", "nn", FormKind.SYNONYM),
    ("en_also", "en", FormKind.SYNONYM),
    ("sv_da", "sv_da", FormKind.SYNONYM),
    ("also", "any", FormKind.SYNONYM),
    ("brands", "any", FormKind.SYNONYM),
    ("abbr", "any", FormKind.ABBREVIATION),
    ("phrases", "any", FormKind.PHRASE),
)


@cache
@uncollected()
def load_ontology(extra: Path | None = None) -> Ontology:
    """The project's own tables and, when given, those of a hospital's folder with the same file names.

    Raises:
        BadInput: a line breaks the format; the message names file, line and remedy.
    """
    folder = files("ontology")
    tables = [*_tables(folder / "concepts"), *_tables(folder), *(_tables(extra) if extra else ())]
    rows = [(kind, row) for source, kind, columns in tables for row in read_table(source, columns)]
    concepts: dict[str, Concept] = {}
    for kind, row in rows:
        concept = read_concept(kind, row)
        if concept.id in concepts:
            raise row.wrong(f"the id {concept.id!r} stands in another row already", "Merge the two rows")
        concepts[concept.id] = concept
    for _, row in rows:
        _check_references(row, concepts)
    ambiguous = _ambiguous(folder, concepts) | (_ambiguous(extra, concepts) if extra else {})
    return Ontology(concepts.values(), ambiguous)


def _tables(folder: Traversable | Path) -> Iterator[tuple[Traversable | Path, Kind, str]]:
    if not folder.is_dir():
        raise BadInput(f"{folder} is not a folder with concept tables. Name one that is, or none.")
    for item in sorted(folder.iterdir(), key=lambda item: item.name):
        if item.name.removesuffix(".tsv") in TABLE_LABELS:
            yield item, Kind.CONDITION, CONDITION_COLUMNS
        elif item.name in OTHER_TABLES:
            yield item, *OTHER_TABLES[item.name]
        elif item.name.endswith(".tsv") and item.name not in WORD_LISTS:
            known = ", ".join([*(f"{table}.tsv" for table in TABLE_LABELS), *OTHER_TABLES, *WORD_LISTS])
            raise BadInput(f"{item.name} is no table of the ontology. Rename it to one of: {known}.")


def read_concept(kind: Kind, row: Row) -> Concept:
    """The concept of one row of a table for concepts of this kind.

    Raises:
        BadInput: a code or an HRCS label cannot be one, or the row stands in the wrong table.
    """
    cells = row.cells
    return Concept(
        id=cells["id"],
        kind=kind,
        nb=cells["nb"],
        nn=cells["nn"],
        en=cells["en"],
        forms=_forms(row),
        parents=row.words("parents", "class"),
        icd10=_codes(row),
        icpc2=row.words("icpc2"),
        hrcs=_hrcs(kind, row),
        mesh="".join(row.texts("mesh")),
        atc=row.words("atc"),
        suggests=row.words("suggests", "treats"),
    )


def _forms(row: Row) -> tuple[Form, ...]:
    forms = [Form(row.cells[language], language, FormKind.NAME) for language in ("nb", "nn", "en")]
    for column, language, kind in FORM_COLUMNS:
        if row.cells.get(column, "-") != "-":
            forms.extend(_form(text, language, kind) for text in row.texts(column))
    return tuple(dict.fromkeys(forms))


def _form(text: str, language: str, kind: FormKind) -> Form:
    """A synonym in capitals is an abbreviation, wherever it stands: «STI» is not the path «sti»."""
    if kind is FormKind.SYNONYM and text.isupper():
        return Form(text, "any", FormKind.ABBREVIATION)
    return Form(text, language, kind)


def _codes(row: Row) -> tuple[str, ...]:
    codes = []
    for text in row.words("icd10"):
        code = written(text)
        if code is None:
            raise row.wrong(f"{text!r} is no ICD-10 code", "Write 3 or 4 characters: E11 or E11.9")
        codes.append(code)
    return tuple(codes)


def _hrcs(kind: Kind, row: Row) -> tuple[str, ...]:
    labels = row.texts("hrcs")
    for label in labels:
        if label not in LABELS:
            raise row.wrong(f"{label!r} is no HRCS label", "Labels are listed in ontology/hrcs.py")
    own = TABLE_LABELS.get(row.table.removesuffix(".tsv"))
    if kind is Kind.CONDITION and labels[:1] != (own,):
        raise row.wrong(
            f"the first HRCS label is not {own!r}", "Move the row to the table of its first label"
        )
    return labels


def _check_references(row: Row, concepts: Mapping[str, Concept]) -> None:
    concept = concepts[row.cells["id"]]
    for other in (*concept.parents, *concept.suggests):
        if other not in concepts or other == concept.id:
            raise row.wrong(f"{other!r} is no other concept", "Add its row or correct the id")


def _ambiguous(folder: Traversable | Path, concepts: Mapping[str, Concept]) -> dict[str, tuple[str, ...]]:
    table = folder / AMBIGUOUS
    readings: dict[str, tuple[str, ...]] = {}
    for row in read_table(table, "form language readings") if table.is_file() else ():
        form, ids = row.cells["form"].casefold(), row.words("readings")
        if row.cells["language"] not in LANGUAGES:
            raise row.wrong(f"{row.cells['language']!r} is no language", f"Write {', '.join(LANGUAGES)}")
        for each in ids:
            if each not in concepts:
                raise row.wrong(f"{each!r} is no concept", "Add its row or correct the id")
        readings[form] = _unique((*readings.get(form, ()), *ids))
    return readings
