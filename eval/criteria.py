"""How much of the criteria of real records is read: whole, in part or not at all."""

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from nlp.eligibility.criteria import read_criteria
from nlp.eligibility.sections import Section
from ontology.concept import load_ontology
from ontology.linker import Linker
from registry.ctgov import read_file
from registry.study import Study


@dataclass(frozen=True, slots=True)
class Coverage:
    """Criteria by how they were parsed; those that restate a field of the record are not counted."""

    studies: int
    full: int
    partial: int
    none: int
    studies_per_second: float

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
    started = time.perf_counter()
    parsed = Counter(
        criterion.parsed
        for study in studies
        for criterion in read_criteria(study, linker, ontology)
        if criterion.section is not Section.RECORD
    )
    took = time.perf_counter() - started
    counts = {str(name): count for name, count in parsed.items()}
    full, partial, none = (counts.get(name, 0) for name in ("full", "partial", "none"))
    return Coverage(len(studies), full, partial, none, len(studies) / took)
