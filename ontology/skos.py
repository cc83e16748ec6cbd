"""The tables as SKOS in Turtle, for others to use; and SKOS of others as tables of our format.

A form becomes skos:prefLabel, altLabel, hiddenLabel (a phrase) or urn:studievei:abbreviation (a kind of
altLabel); a code becomes a skos:notation typed urn:studievei:icd10, icpc2 or atc. What SKOS has no word for
stands beside it: urn:studievei:kind, hrcs, mesh, suggests, and main (the code and category that come first).
Importing this module raises Unavailable where rdflib, the extra `skos`, is not installed.
"""

import re
import shutil
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
    from rdflib import RDF, RDFS, SKOS, Graph, Literal, Namespace, URIRef
    from rdflib.term import Node
except ImportError as error:
    raise Unavailable("SKOS needs rdflib. Install it: pip install 'studievei[skos]'.") from error

OWN = "urn:studievei:"
CONCEPT = f"{OWN}concept:"
GENERAL = TABLE_LABELS["generic"]
SCANDINAVIAN = "gmq"
"""The ISO 639-5 tag of our one column of Swedish and Danish words; it also takes words tagged sv or da."""

Table: TypeAlias = dict[str, Row]
"""The rows of one table by id."""

_CODES = ("icd10", "icpc2", "atc")
_TAGS = {"nb": "nb", "nn": "nn", "en": "en", "sv_da": SCANDINAVIAN, "any": None}
_LANGUAGES = {
    None: "any", "nb": "nb", "no": "nb", "nn": "nn", "en": "en",
    SCANDINAVIAN: "sv_da", "sv": "sv_da", "da": "sv_da",
}  # fmt: skip
_LABELS = (
    ("altLabel", FormKind.SYNONYM), ("hiddenLabel", FormKind.PHRASE), ("abbreviation", FormKind.ABBREVIATION)
)  # fmt: skip


def export_skos(concepts: Iterable[Concept]) -> Graph:
    """The concepts as one skos:ConceptScheme; `serialize(format="turtle")` writes it."""
    graph, own = Graph(), Namespace(OWN)
    graph.bind("skos", SKOS)
    graph.bind("studievei", own)
    graph.add((own["ontology"], RDF.type, SKOS.ConceptScheme))
    graph.add((own["abbreviation"], RDFS.subPropertyOf, SKOS.altLabel))
    for concept in concepts:
        subject = own[f"concept:{concept.id}"]
        graph.add((subject, RDF.type, SKOS.Concept))
        graph.add((subject, SKOS.inScheme, own["ontology"]))
        for name, value in (*_labels(concept), *_facts(concept)):
            graph.add((subject, own[name] if name in _OURS else SKOS[name], value))
    return graph


_OURS = frozenset(("abbreviation", "kind", "hrcs", "mesh", "suggests", "main"))


def _labels(concept: Concept) -> Iterator[tuple[str, Node]]:
    properties = {kind: name for name, kind in _LABELS} | {FormKind.NAME: "prefLabel"}
    for form in concept.forms:
        yield properties[form.kind], Literal(form.text, lang=_TAGS[form.language])


def _facts(concept: Concept) -> Iterator[tuple[str, Node]]:
    yield "kind", Literal(concept.kind.value)
    yield from (("broader", URIRef(CONCEPT + each)) for each in concept.parents)
    yield from (("suggests", URIRef(CONCEPT + each)) for each in concept.suggests)
    yield from (("hrcs", Literal(each)) for each in concept.hrcs)
    yield from (("main", Literal(each)) for each in concept.hrcs[:1])
    if concept.mesh:
        yield "mesh", Literal(concept.mesh)
    for system in _CODES:
        codes = [Literal(code, datatype=URIRef(OWN + system)) for code in getattr(concept, system)]
        yield from (("notation", code) for code in codes)
        yield from (("main", code) for code in codes[:1])


def read_skos(file: Path) -> tuple[Concept, ...]:
    """The concepts of a Turtle file, by id, which is the last part of a concept's address.

    A concept without a kind is a condition, one without HRCS belongs to the general category; a name that
    is missing in nynorsk or English is the name in bokmål. Labels in languages that we do not know are left.

    Raises:
        BadInput: the file cannot be read, is no Turtle, or a concept cannot stand in our tables.
    """
    graph = _parsed(file)
    found = [_read(graph, each) for each in set(graph.subjects(RDF.type, SKOS.Concept))]
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


def _parsed(file: Path) -> Graph:
    try:
        return Graph().parse(data=file.read_text("utf-8"), format="turtle")
    except OSError as error:
        raise BadInput(f"{file} cannot be read ({error.strerror}). Name a Turtle file.") from error
    except (SyntaxError, ValueError) as error:
        raise BadInput(f"{file.name} is no Turtle file. Export the vocabulary as Turtle in UTF-8.") from error


def _read(graph: Graph, subject: Node) -> Concept:
    concept_id, kind = _id(subject), _kind(graph, subject)
    names = {_language(each): _text(each) for each in _literals(graph, subject, SKOS.prefLabel)}
    name = names.get("nb") or names.get("nn") or names.get("en")
    if not name:
        raise BadInput(f"The concept {concept_id!r} has no skos:prefLabel in nb, nn or en. Give it one.")
    named = {language: names.get(language) or name for language in ("nb", "nn", "en")}
    hrcs = _main_first(graph, subject, _own(graph, subject, "hrcs"))
    return Concept(
        id=concept_id,
        kind=kind,
        nb=named["nb"],
        nn=named["nn"],
        en=named["en"],
        forms=(
            *(Form(text, language, FormKind.NAME) for language, text in named.items()),
            *_forms(graph, subject),
        ),
        parents=_ids(graph, subject, SKOS.broader),
        icd10=_notations(graph, subject, "icd10"),
        icpc2=_notations(graph, subject, "icpc2"),
        atc=_notations(graph, subject, "atc"),
        hrcs=hrcs or ((GENERAL,) if kind is Kind.CONDITION else ()),
        mesh="".join(_own(graph, subject, "mesh")[:1]),
        suggests=_ids(graph, subject, URIRef(f"{OWN}suggests")),
    )


def _kind(graph: Graph, subject: Node) -> Kind:
    kinds = _own(graph, subject, "kind") or [Kind.CONDITION]
    if len(kinds) != 1 or kinds[0] not in {kind.value for kind in Kind}:
        raise BadInput(f"{_id(subject)!r} has the kind {', '.join(kinds)}. Write one of {', '.join(Kind)}.")
    return Kind(kinds[0])


def _own(graph: Graph, subject: Node, name: str) -> list[str]:
    return [str(value) for value in graph.objects(subject, URIRef(OWN + name))]


def _forms(graph: Graph, subject: Node) -> Iterator[Form]:
    for name, kind in _LABELS:
        literals = _literals(graph, subject, URIRef(OWN + name) if name in _OURS else SKOS[name])
        for literal in sorted(literals, key=lambda each: (_text(each), _language(each))):
            language = _language(literal) if kind is FormKind.SYNONYM else "any"
            if language:
                yield Form(_text(literal), language, kind)


def _literals(graph: Graph, subject: Node, name: Node) -> list[Literal]:
    return [each for each in graph.objects(subject, name) if isinstance(each, Literal)]


def _language(literal: Literal) -> str:
    """Our column for the language of a label; "" for a language that we have no column for."""
    tag = literal.language.split("-")[0].lower() if literal.language else None
    return _LANGUAGES.get(tag, "")


def _text(literal: Literal) -> str:
    return re.sub(r"\s*\|\s*|\s+", " ", str(literal)).strip()


def _notations(graph: Graph, subject: Node, system: str) -> tuple[str, ...]:
    notations = _literals(graph, subject, SKOS.notation)
    codes = (str(each) for each in notations if str(each.datatype) == OWN + system)
    return _main_first(graph, subject, codes)


def _main_first(graph: Graph, subject: Node, values: Iterable[str]) -> tuple[str, ...]:
    first = frozenset(_own(graph, subject, "main"))
    return tuple(sorted(values, key=lambda each: (each not in first, each)))


def _ids(graph: Graph, subject: Node, name: Node) -> tuple[str, ...]:
    return tuple(sorted(_id(each) for each in graph.objects(subject, name)))


def _id(node: Node) -> str:
    """`snow-fever` of urn:studievei:concept:snow-fever and of https://hospital.example/words#Snow_Fever."""
    last = re.split(r"[/#:]", unquote(str(node)))[-1]
    found = re.sub(r"[^a-z0-9]+", "-", last.lower()).strip("-")
    if not found:
        raise BadInput(f"The concept {str(node)!r} has no name at the end of its address. Give it one.")
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
