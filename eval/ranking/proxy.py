"""Everyday questions with ICD-10 codes and records of ClinicalTrials.gov in, a test collection out, unjudged.

Nobody read these studies for these questions. A study counts as relevant when one of the MeSH terms that the
register itself derived for it stands for the codes that the question asks for. Neither the search nor its
linker reads those terms, but the table that gives MeSH terms their codes is the ontology's: it is a proxy,
good for choosing weights and for nothing else.
"""

import gzip
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from eval.ranking.topics import Judgment
from eval.rows import read_jsonl
from ontology.concept import Kind, Ontology

FEWEST = 3
"""Relevant studies that a question needs to be kept: with fewer, one wrong term decides."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question in everyday words; `right` codes answer it, `acceptable` ones are near."""

    id: str
    words: str
    language: str
    right: frozenset[str]
    acceptable: frozenset[str]


def read_questions(files: Sequence[Path], split: str = "") -> list[Asked]:
    """The rows that ask for a disease; the file's name goes before their id.

    Raises:
        BadInput: a row is not as eval/data/README.md says.
    """
    rows = [row for file in files for row in read_jsonl(file, partial(_asked, file), split)]
    return [row for row in rows if row.right]


def codes_of_records(records: Path, ontology: Ontology) -> dict[str, frozenset[str]]:
    """ICD-10 categories of each record, by the MeSH terms that ClinicalTrials.gov gave it."""
    by_term = _codes_by_term(ontology)
    found = {}
    with gzip.open(records, "rt", encoding="utf-8") as lines:
        for record in map(json.loads, lines):
            terms = record.get("derivedSection", {}).get("conditionBrowseModule", {}).get("meshes", [])
            codes = [by_term.get(each.get("term", "").casefold(), frozenset()) for each in terms]
            found[record["protocolSection"]["identificationModule"]["nctId"]] = frozenset().union(*codes)
    return found


def judgments(questions: Iterable[Asked], codes: Mapping[str, frozenset[str]]) -> Iterator[Judgment]:
    """2 where a study has a right code, 1 where it has only an acceptable one; none for rare questions."""
    for question in questions:
        graded = {
            study: 2 if own & question.right else 1
            for study, own in codes.items()
            if own & (question.right | question.acceptable)
        }
        if sum(grade == 2 for grade in graded.values()) >= FEWEST:
            yield from (Judgment(question.id, study, grade) for study, grade in graded.items())


def _asked(file: Path, row: Mapping[str, Any]) -> Asked:
    return Asked(
        f"{file.stem}-{row['id']}",
        row["query"],
        row["lang"],
        frozenset(row["icd10"]),
        frozenset(row["acceptable"]),
    )


def _codes_by_term(ontology: Ontology) -> Mapping[str, frozenset[str]]:
    found: defaultdict[str, frozenset[str]] = defaultdict(frozenset)
    for concept in ontology.concepts.values():
        if concept.kind is Kind.CONDITION and concept.mesh:
            found[concept.mesh.casefold()] |= {code[:3] for code in concept.icd10}
    return found
