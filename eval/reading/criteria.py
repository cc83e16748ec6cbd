"""How much of the criteria of real records is read: whole, in part or not at all."""

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from nlp.eligibility.criteria import Criterion, Parsed, read_criteria
from nlp.eligibility.sections import PieceKind, Section, read_sections
from ontology.concept import load_ontology
from ontology.linker import Linker
from registry.ctgov import read_file
from registry.study import Study


@dataclass(frozen=True, slots=True)
class Coverage:
    """Criteria by how they were parsed; those that restate a field of the record are not counted.

    `lost`: of the `characters` of all texts, those that stand in no criterion, heading, list mark or gap.
    """

    studies: int
    full: int
    partial: int
    none: int
    studies_per_second: float
    characters: int
    lost: int

    @property
    def criteria(self) -> int:
        """All of them."""
        return self.full + self.partial + self.none


def coverage(files: Iterable[Path]) -> Coverage:
    """Read the criteria of every record in ClinicalTrials.gov files, on one thread.

    Raises:
        BadInput: a file cannot be opened.
    """
    ontology = load_ontology()
    linker = Linker(ontology)
    studies = [item for file in files for item in read_file(file) if isinstance(item, Study)]
    started = time.process_time()
    read = [(study, read_criteria(study, linker, ontology)) for study in studies]
    took = time.process_time() - started
    parsed = Counter(
        criterion.parsed
        for _, criteria in read
        for criterion in criteria
        if criterion.section is not Section.RECORD
    )
    return Coverage(
        studies=len(studies),
        full=parsed[Parsed.FULL],
        partial=parsed[Parsed.PARTIAL],
        none=parsed[Parsed.NONE],
        studies_per_second=len(studies) / took,
        characters=sum(len(study.criteria) for study in studies),
        lost=sum(_lost(study.criteria, criteria) for study, criteria in read),
    )


def _lost(text: str, criteria: Iterable[Criterion]) -> int:
    """How many characters stand neither in a criterion nor in what only arranges the list."""
    spans = [(each.start, each.end) for each in criteria]
    spans += [(each.start, each.end) for each in read_sections(text) if each.kind is not PieceKind.ITEM]
    kept = bytearray(len(text))
    for start, end in spans:
        kept[start:end] = b"\x01" * (end - start)
    return kept.count(0)
