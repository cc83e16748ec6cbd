"""How well studies are coded to HRCS: hospital listings in, precision and recall out."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.rows import read_jsonl
from eval.score import Score
from ontology.concept import load_ontology
from ontology.hrcs import canonical
from ontology.linker import Linker
from registry.coding import code_study
from registry.study import Status, Study


@dataclass(slots=True)
class Report(Score):
    """Labels given, those of the hospital (gold), and those in both (right); `uncoded` studies got none.

    `wrong` names each study with its own labels and the ones given that are not among them.
    """

    studies: int = 0
    uncoded: int = 0
    wrong: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = ()


def evaluate(file: Path) -> Report:
    """Code every listing (fields tittel, sammendrag, kategorier) from its title and summary alone.

    Raises:
        BadInput: the file cannot be read, or a line is no listing.
    """
    ontology = load_ontology()
    linker = Linker(ontology)
    counts: Counter[str] = Counter()
    wrong = []
    for study, gold in read_jsonl(file, _listing):
        given = set(code_study(study, ontology, linker).hrcs)
        counts.update(studies=1, given=len(given), gold=len(gold), right=len(given & gold), uncoded=not given)
        if given - gold:
            wrong.append((study.title, tuple(sorted(gold)), tuple(sorted(given - gold))))
    return Report(**counts, wrong=tuple(wrong))


def _listing(row: Mapping[str, Any]) -> tuple[Study, set[str]]:
    study = Study(
        id=row["id"],
        source="listing",
        title=row["tittel"],
        status=Status.UNDER_REVIEW,
        language="nb",
        summary=row["sammendrag"] or "",
    )
    return study, set(filter(None, map(canonical, row["kategorier"])))
