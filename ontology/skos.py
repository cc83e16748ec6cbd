"""The tables as SKOS in Turtle, for others to use; and SKOS of others as tables of our format.

A form becomes skos:prefLabel, altLabel, hiddenLabel (a phrase) or urn:studievei:abbreviation (a kind of
altLabel); a code becomes a skos:notation typed urn:studievei:icd10, icpc2 or atc. What SKOS has no word for
stands beside it: urn:studievei:kind, hrcs, mesh, suggests, and main (the code and category that come first).
Importing this module raises Unavailable where pyoxigraph, the extra `skos`, is not installed. rdflib takes a
minute to write and read our tables, pyoxigraph three seconds.
"""

import re
import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias
from urllib.parse import unquote

from ontology.concept import (
    AMBIGUOUS,
    CONDITION_COLUMNS,
    FORM_COLUMNS,
    OTHER_TABLES,
    Concept,
    Form,
    FormKind,
    Kind,
    load_ontology,
    read_concept,
)
from ontology.errors import BadInput, Unavailable
from ontology.hrcs import TABLE_LABELS
from ontology.table import Row, read_table

try:
    from pyoxigraph import BlankNode, Literal, NamedNode, RdfFormat, Triple, parse, serialize
except ImportError as error:
    raise Unavailable("SKOS needs pyoxigraph. Install it: pip install 'studievei[skos]'.") from error

SKOS = "http://www.w3.org/2004/02/skos/core#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
OWN = "urn:studievei:"
CONCEPT = f"{OWN}concept:"
GENERAL = TABLE_LABELS["generic"]
SCANDINAVIAN = "gmq"
"""The ISO 639-5 tag of our one column of Swedish and Danish words; it also takes words tagged sv or da."""

Table: TypeAlias = dict[str, Row]
"""The rows of one table by id."""

Node: TypeAlias = NamedNode | BlankNode | Literal | Triple

Facts: TypeAlias = dict[str, list[Node]]
"""What is said of one subject: values by the address of the property."""

_CODES = ("icd10", "icpc2", "atc")
_TAGS = {"nb": "nb", "nn": "nn", "en": "en", "sv_da": SCANDINAVIAN, "any": None}
_LANGUAGES = {
    None: "any", "nb": "nb", "no": "nb", "nn": "nn", "en": "en",
    SCANDINAVIAN: "sv_da", "sv": "sv_da", "da": "sv_da",
}  # fmt: skip
_LABELS = (
    ("altLabel", FormKind.SYNONYM), ("hiddenLabel", FormKind.PHRASE), ("abbreviation", FormKind.ABBREVIATION)
)  # fmt: skip


def export_skos(concepts: Iterable[Concept], file: Path) -> None:
    """Write the concepts as one skos:ConceptScheme, in Turtle.

    Raises:
        OSError: the file cannot be written.
    """
    prefixes = {"skos": SKOS, "studievei": OWN}
    serialize(_triples(concepts), file, format=RdfFormat.TURTLE, prefixes=prefixes)


def _triples(concepts: Iterable[Concept]) -> Iterator[Triple]:
    scheme, kind_of = NamedNode(f"{OWN}ontology"), NamedNode(f"{RDF}type")
    yield Triple(scheme, kind_of, NamedNode(f"{SKOS}ConceptScheme"))
    sub_property = NamedNode(f"{RDFS}subPropertyOf")
    yield Triple(NamedNode(f"{OWN}abbreviation"), sub_property, NamedNode(f"{SKOS}altLabel"))
    for concept in concepts:
        subject = NamedNode(CONCEPT + concept.id)
        yield Triple(subject, kind_of, NamedNode(f"{SKOS}Concept"))
        yield Triple(subject, NamedNode(f"{SKOS}inScheme"), scheme)
        for name, value in (*_labels(concept), *_facts(concept)):
            yield Triple(subject, NamedNode(_address(name)), value)


def _address(name: str) -> str:
    """The address of a property, ours or SKOS's."""
    return (OWN if name in _OURS else SKOS) + name


_OURS = frozenset(("abbreviation", "kind", "hrcs", "mesh", "suggests", "main"))


def _labels(concept: Concept) -> Iterator[tuple[str, Literal]]:
    properties = {kind: name for name, kind in _LABELS} | {FormKind.NAME: "prefLabel"}
    for form in concept.forms:
        yield properties[form.kind], Literal(form.text, language=_TAGS[form.language])


def _facts(concept: Concept) -> Iterator[tuple[str, Literal | NamedNode]]:
    yield "kind", Literal(concept.kind.value)
    yield from (("broader", NamedNode(CONCEPT + each)) for each in concept.parents)
    yield from (("suggests", NamedNode(CONCEPT + each)) for each in concept.suggests)
    yield from (("hrcs", Literal(each)) for each in concept.hrcs)
    yield from (("main", Literal(each)) for each in concept.hrcs[:1])
    if concept.mesh:
        yield "mesh", Literal(concept.mesh)
    for system in _CODES:
        codes = [Literal(code, datatype=NamedNode(OWN + system)) for code in getattr(concept, system)]
        yield from (("notation", code) for code in codes)
        yield from (("main", code) for code in codes[:1])


def read_skos(file: Path) -> tuple[Concept, ...]:
    """The concepts of a Turtle file, by id, which is the last part of a concept's address.

    A concept without a kind is a condition, one without HRCS belongs to the general category; a name that
    is missing in nynorsk or English is the name in bokmål. Labels in languages that we do not know are left.

    Raises:
        BadInput: the file cannot be read, is no Turtle, or a concept cannot stand in our tables.
    """
    concept = NamedNode(f"{SKOS}Concept")
    said = _parsed(file)
    found = [_read(subject, facts) for subject, facts in said.items() if concept in facts[f"{RDF}type"]]
    if not found:
        raise BadInput(f"{file.name} holds no skos:Concept. Name a file with a SKOS vocabulary.")
    return tuple(sorted(found, key=lambda concept: concept.id))


def import_skos(file: Path, folder: Path) -> tuple[int, int]:
    """Put the concepts of a Turtle file into a hospital's tables; they replace its own of the same id.

    Nothing is written when the tables would not load.

    Returns:
        How many concepts were put there, and how many were left out because Studievei has their ids already.

    Raises:
        BadInput: as `read_skos`, or the concepts do not fit those that are there.
    """
    read = read_skos(file)
    shipped = load_ontology().concepts
    new = [concept for concept in read if concept.id not in shipped]
    with TemporaryDirectory() as name:
        building = Path(name)
        write_tables(new, building, beside=folder)
        if (folder / AMBIGUOUS).is_file():
            shutil.copy(folder / AMBIGUOUS, building)
        load_ontology.__wrapped__(building)
        shutil.copytree(building, folder, dirs_exist_ok=True)
    return len(new), len(read) - len(new)


def write_tables(concepts: Iterable[Concept], folder: Path, *, beside: Path | None = None) -> None:
    """Write concepts as tables of our format into `folder`, together with the rows of the folder `beside`.

    Raises:
        BadInput: a concept says something for which the table of its kind has no column.
    """
    concepts = tuple(concepts)
    replaced = {concept.id for concept in concepts}
    tables = {
        name: {row.cells["id"]: row for row in rows if row.cells["id"] not in replaced}
        for name in _table_names()
        if beside and (beside / name).is_file() and (rows := tuple(read_table(beside / name, _columns(name))))
    }
    for concept in concepts:
        name = _table_of(concept)
        tables.setdefault(name, {})[concept.id] = _row(concept, name)
    for name, table in tables.items():
        lines = [_columns(name).split(), *(table[each].cells.values() for each in sorted(table))]
        (folder / name).write_text("".join("\t".join(line) + "\n" for line in lines), "utf-8")


def _parsed(file: Path) -> dict[str, Facts]:
    """What a Turtle file says of each of its subjects."""
    said: defaultdict[str, Facts] = defaultdict(lambda: defaultdict(list))
    try:
        for quad in dict.fromkeys(parse(file.read_bytes(), format=RdfFormat.TURTLE)):
            said[_value(quad.subject)][quad.predicate.value].append(quad.object)
    except OSError as error:
        raise BadInput(f"{file} cannot be read ({error.strerror}). Name a Turtle file.") from error
    except (SyntaxError, ValueError) as error:
        raise BadInput(f"{file.name} is no Turtle file. Export the vocabulary as Turtle in UTF-8.") from error
    return said


def _value(node: Node) -> str:
    return str(node) if isinstance(node, Triple) else node.value


def _read(subject: str, facts: Facts) -> Concept:
    concept_id, kind = _id(subject), _kind(subject, facts)
    names = {_language(each): _text(each) for each in _literals(facts, "prefLabel")}
    name = names.get("nb") or names.get("nn") or names.get("en")
    if not name:
        raise BadInput(f"The concept {concept_id!r} has no skos:prefLabel in nb, nn or en. Give it one.")
    named = {language: names.get(language) or name for language in ("nb", "nn", "en")}
    hrcs = _main_first(facts, _values(facts, "hrcs"))
    return Concept(
        id=concept_id,
        kind=kind,
        nb=named["nb"],
        nn=named["nn"],
        en=named["en"],
        forms=(
            *(Form(text, language, FormKind.NAME) for language, text in named.items()),
            *_forms(facts),
        ),
        parents=_ids(facts, "broader"),
        icd10=_notations(facts, "icd10"),
        icpc2=_notations(facts, "icpc2"),
        atc=_notations(facts, "atc"),
        hrcs=hrcs or ((GENERAL,) if kind is Kind.CONDITION else ()),
        mesh="".join(_values(facts, "mesh")[:1]),
        suggests=_ids(facts, "suggests"),
    )


def _kind(subject: str, facts: Facts) -> Kind:
    kinds = _values(facts, "kind") or [Kind.CONDITION]
    if len(kinds) != 1 or kinds[0] not in {kind.value for kind in Kind}:
        raise BadInput(f"{_id(subject)!r} has the kind {', '.join(kinds)}. Write one of {', '.join(Kind)}.")
    return Kind(kinds[0])


def _values(facts: Facts, name: str) -> list[str]:
    return [_value(each) for each in facts[_address(name)]]


def _forms(facts: Facts) -> Iterator[Form]:
    for name, kind in _LABELS:
        literals = _literals(facts, name)
        for literal in sorted(literals, key=lambda each: (_text(each), _language(each))):
            language = _language(literal) if kind is FormKind.SYNONYM else "any"
            if language:
                yield Form(_text(literal), language, kind)


def _literals(facts: Facts, name: str) -> list[Literal]:
    return [each for each in facts[_address(name)] if isinstance(each, Literal)]


def _language(literal: Literal) -> str:
    """Our column for the language of a label; "" for a language that we have no column for."""
    tag = literal.language.split("-")[0].lower() if literal.language else None
    return _LANGUAGES.get(tag, "")


def _text(literal: Literal) -> str:
    return re.sub(r"\s*\|\s*|\s+", " ", literal.value).strip()


def _notations(facts: Facts, system: str) -> tuple[str, ...]:
    kind = NamedNode(OWN + system)
    return _main_first(facts, (each.value for each in _literals(facts, "notation") if each.datatype == kind))


def _main_first(facts: Facts, values: Iterable[str]) -> tuple[str, ...]:
    first = frozenset(_values(facts, "main"))
    return tuple(sorted(values, key=lambda each: (each not in first, each)))


def _ids(facts: Facts, name: str) -> tuple[str, ...]:
    return tuple(sorted(map(_id, _values(facts, name))))


def _id(address: str) -> str:
    """`snow-fever` of urn:studievei:concept:snow-fever and of https://hospital.example/words#Snow_Fever."""
    last = re.split(r"[/#:]", unquote(address))[-1]
    found = re.sub(r"[^a-z0-9]+", "-", last.lower()).strip("-")
    if not found:
        raise BadInput(f"The concept {address!r} has no name at the end of its address. Give it one.")
    return found


def _table_names() -> tuple[str, ...]:
    return (*(f"{table}.tsv" for table in TABLE_LABELS), *OTHER_TABLES)


def _columns(table: str) -> str:
    return OTHER_TABLES[table][1] if table in OTHER_TABLES else CONDITION_COLUMNS


def _table_of(concept: Concept) -> str:
    if concept.kind is not Kind.CONDITION:
        return next(name for name, (kind, _) in OTHER_TABLES.items() if kind is concept.kind)
    for table, label in TABLE_LABELS.items():
        if label == concept.hrcs[0]:
            return f"{table}.tsv"
    raise BadInput(f"{concept.id!r} has no table: {concept.hrcs[0]!r} is no HRCS category of conditions.")


def _row(concept: Concept, table: str) -> Row:
    columns = _columns(table).split()
    cells = {"id": concept.id, "nb": concept.nb, "nn": concept.nn, "en": concept.en, "mesh": concept.mesh}
    cells |= {system: " ".join(getattr(concept, system)) for system in _CODES}
    cells |= {"hrcs": " | ".join(concept.hrcs)}
    cells |= dict.fromkeys(("parents", "class"), " ".join(concept.parents))
    cells |= dict.fromkeys(("suggests", "treats"), " ".join(concept.suggests))
    for column, language, kind in FORM_COLUMNS:
        texts = (form.text for form in concept.forms if (form.language, form.kind) == (language, kind))
        cells[column] = " | ".join(dict.fromkeys(texts)) if column != "brands" else ""
    row = Row({column: cells.get(column) or "-" for column in columns}, table, 0)
    _check_nothing_lost(concept, read_concept(concept.kind, row))
    return row


def _check_nothing_lost(concept: Concept, written: Concept) -> None:
    for part in ("forms", "parents", "suggests", "hrcs", "mesh", *_CODES):
        lost = set(getattr(concept, part)) - set(getattr(written, part))
        if lost:
            raise BadInput(
                f"{concept.id!r} is a {concept.kind}; the table for those has no column for these {part}: "
                f"{', '.join(sorted(map(_shown, lost)))}. Take them away or give it another kind."
            )


def _shown(part: object) -> str:
    return part.text if isinstance(part, Form) else str(part)
