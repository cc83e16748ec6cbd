"""`studievei criteria`: what a study requires of a person, and how much of it was understood."""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ontology.errors import BadInput

if TYPE_CHECKING:
    from nlp.eligibility.criteria import Criterion
    from nlp.eligibility.relations import Bound, Relation
    from nlp.eligibility.statements import Statement
    from ontology.concept import Ontology
    from ontology.linker import Linker
    from registry.study import Study


def criteria(
    study: Annotated[str, typer.Argument(help="The id of a stored study.")] = "",
    text: Annotated[Path | None, typer.Option(help="A file with a whole criteria text.")] = None,
    jsonl: Annotated[
        bool, typer.Option(help='Read lines {"id", "section", "text"} from standard input, write JSON lines.')
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """What a study requires of a person: its rules, and how much of the text was understood."""
    from nlp.eligibility.criteria import read_criteria

    if bool(study) + (text is not None) + jsonl != 1:
        raise BadInput("Name a study, a --text file, or --jsonl for one criterion a line.")
    concepts, linker = _language()
    if jsonl:
        for line in sys.stdin:
            if line.strip():
                typer.echo(json.dumps(_read_line(line, linker, concepts), ensure_ascii=False))
        return
    record = _from_file(text) if text else _stored(study)
    found = read_criteria(record, linker, concepts)
    if as_json:
        for each in found:
            typer.echo(
                json.dumps({"text": each.text, **criterion_line(each.id, each, concepts)}, ensure_ascii=False)
            )
    else:
        _show(record, found)


def _language() -> "tuple[Ontology, Linker]":
    from api.library import open_ontology
    from api.settings import Settings
    from ontology.linker import Linker

    concepts = open_ontology(Settings())
    return concepts, Linker(concepts)


def _stored(study: str) -> "Study":
    from api.library import open_store
    from api.settings import Settings

    with open_store(Settings()) as store:
        return store.get(study)


def _from_file(file: Path) -> "Study":
    from nlp.language import detect
    from registry.study import Status, Study

    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{file} cannot be read ({error}). Name a text file in UTF-8.") from error
    return Study(file.name, "file", file.name, Status.OPEN, criteria=text, language=detect(text))


def _read_line(line: str, linker: "Linker", concepts: "Ontology") -> dict[str, Any]:
    from nlp.eligibility.criteria import read_line
    from nlp.eligibility.sections import Section

    try:
        row = json.loads(line)
        name, text, section = row["id"], row["text"], row.get("section") or "other"
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(f'A line is not {{"id", "section", "text"}} in JSON: {line[:80]!r}.') from error
    known = section if section in set(Section) else Section.OTHER
    return criterion_line(name, read_line(str(text), Section(known), linker, concepts), concepts)


def criterion_line(name: str, criterion: "Criterion", concepts: "Ontology") -> dict[str, Any]:
    """What programs get of a criterion: its relations as the text states them, and how much was read."""
    return {
        "id": name,
        "section": criterion.section,
        "relations": [_relation(statement, concepts) for statement in criterion.stated],
        "parsed": criterion.parsed,
        "answerable_by": criterion.answerable_by,
    }


def _relation(statement: "Statement", concepts: "Ontology") -> dict[str, Any]:
    relation = statement.relation
    concept = concepts.get(relation.concept) if relation.concept else None
    return {
        "kind": relation.kind,
        "concept": relation.concept or relation.variable,
        "operator": _operator(relation),
        "lower": _bound(relation.lower),
        "upper": _bound(relation.upper),
        "values": list(relation.values) or None,
        "unit": relation.unit or None,
        "negated": statement.negated,
        "window_days": relation.window_days,
        "direction": relation.direction,
        "qualifiers": list(relation.qualifiers) or None,
        "group": statement.group,
        "icd10": (" ".join(concepts.codes(concept.id)) or None)
        if concept and concept.kind != "drug"
        else None,
        "atc": (" ".join(concept.atc) or None) if concept else None,
        "span": [relation.start, relation.end],
    }


def _bound(bound: "Bound | None") -> dict[str, Any] | None:
    return None if bound is None else {"value": bound.value, "incl": bound.inclusive}


def _operator(relation: "Relation") -> str:
    lower, upper = relation.lower, relation.upper
    if lower is not None and upper is not None:
        return "between"
    if lower is not None:
        return ">=" if lower.inclusive else ">"
    if upper is not None:
        return "<=" if upper.inclusive else "<"
    return "in" if relation.values else "is"


def _show(study: "Study", found: "tuple[Criterion, ...]") -> None:
    from api.show import show_rows

    rows = [(each.section, str(each.parsed), " ".join(each.text.split()), _stated(each)) for each in found]
    show_rows(study.title or study.id, ("section", "read", "criterion", "rule"), rows)
    parsed = Counter(str(each.parsed) for each in found)
    counts = ", ".join(f"{parsed[name]} {name}" for name in ("full", "partial", "none"))
    typer.echo(f"{len(found)} criteria: {counts}")


def _stated(criterion: "Criterion") -> str:
    from nlp.eligibility.logic import written

    return "-" if criterion.rule is None else written(criterion.rule)
