"""How well everyday words are understood: rows with gold codes in, shares out, by type and language."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api.linking import Intent, Linked, link
from eval.rows import read_jsonl
from ontology.concept import Ontology, load_ontology
from ontology.hrcs import canonical
from ontology.linker import Linker

WITHOUT_DISEASE = frozenset({"none", "healthy_volunteer"})
EMERGENCY = "emergency"


@dataclass(frozen=True, slots=True)
class Row:
    """One query and what it means. Codes have 3 characters; `help` are the numbers that must be shown."""

    id: str
    query: str
    language: str
    type: str
    icd10: frozenset[str]
    hrcs: frozenset[str]
    help: frozenset[str]
    split: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was understood of one row; None where the row asks for nothing of the kind."""

    row: Row
    hit1: bool | None
    hit3: bool | None
    hrcs: bool | None
    false_concept: bool | None
    emergency_found: bool | None
    false_alarm: bool | None
    language: bool
    concepts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """Shares (0 to 1) of all rows, by type and by language, and µs per query; `missed` names the failures."""

    rows: int
    overall: dict[str, float]
    by_type: dict[str, dict[str, float]]
    by_language: dict[str, dict[str, float]]
    microseconds: float
    missed: tuple[str, ...]


def read_rows(file: Path, split: str = "") -> tuple[Row, ...]:
    """The rows of a jsonl file; with `split` only those of that half.

    Raises:
        BadInput: the file is missing, a line is not JSON, or a field is missing.
    """
    return tuple(read_jsonl(file, _row, split))


def evaluate(rows: Sequence[Row]) -> Report:
    """Link every row with the project's ontology.

    hit@k: a gold code (3 characters) among the codes of the first k concepts. HRCS: a gold category among
    those of the first concept. False concept: a concept with codes on a row without disease. Of an
    emergency only the numbers to call are judged. Speed is that of a second pass, when word lists are loaded.
    """
    ontology = load_ontology()
    linker = Linker(ontology)
    linked = [link(row.query, linker, ontology) for row in rows]
    started = time.perf_counter()
    for row in rows:
        link(row.query, linker, ontology)
    took = (time.perf_counter() - started) / max(1, len(rows))
    outcomes = [_outcome(row, each, ontology) for row, each in zip(rows, linked, strict=True)]
    missed = (f"{o.row.type}\t{o.row.query}\t{' '.join(o.concepts)}" for o in outcomes if _failed(o))
    return Report(
        len(rows),
        _shares(outcomes),
        _grouped(outcomes, lambda outcome: outcome.row.type),
        _grouped(outcomes, lambda outcome: outcome.row.language),
        took * 1e6,
        tuple(missed),
    )


def _row(row: Mapping[str, Any]) -> Row:
    labels = [row["hrcs"], *row.get("hrcs_also", ())]
    return Row(
        row["id"],
        row["query"],
        row["lang"],
        row["type"],
        frozenset(row["icd10"]),
        frozenset(filter(None, map(canonical, labels))),
        frozenset(row["help"]),
        row["split"],
    )


def _outcome(row: Row, linked: Linked, ontology: Ontology) -> Outcome:
    concepts = [each.concept for each in linked.query.mentions if not each.negated]
    codes = [{code[:3] for code in ontology.codes(concept)} for concept in concepts]
    danger = row.type == EMERGENCY
    disease = bool(row.icd10) and not danger
    return Outcome(
        row,
        hit1=any(row.icd10 & each for each in codes[:1]) if disease else None,
        hit3=any(row.icd10 & each for each in codes[:3]) if disease else None,
        hrcs=any(row.hrcs & set(ontology.categories(each)) for each in concepts[:1]) if disease else None,
        false_concept=any(codes) if row.type in WITHOUT_DISEASE else None,
        emergency_found=row.help <= set(linked.help) if danger else None,
        false_alarm=linked.intent is Intent.EMERGENCY if not danger else None,
        language=linked.query.language == row.language,
        concepts=tuple(concepts[:3]),
    )


def _failed(outcome: Outcome) -> bool:
    return (
        outcome.hit1 is False
        or bool(outcome.false_concept)
        or outcome.emergency_found is False
        or bool(outcome.false_alarm)
    )


_SHARES = ("hit1", "hit3", "hrcs", "false_concept", "emergency_found", "false_alarm", "language")


def _shares(outcomes: Iterable[Outcome]) -> dict[str, float]:
    counted: defaultdict[str, list[bool]] = defaultdict(list)
    for outcome in outcomes:
        for name in _SHARES:
            value = getattr(outcome, name)
            if value is not None:
                counted[name].append(value)
    return {name: sum(values) / len(values) for name, values in counted.items()}


def _grouped(outcomes: Sequence[Outcome], key: Callable[[Outcome], str]) -> dict[str, dict[str, float]]:
    groups: defaultdict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        groups[key(outcome)].append(outcome)
    return {name: {"rows": float(len(each)), **_shares(each)} for name, each in sorted(groups.items())}
