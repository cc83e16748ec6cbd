"""A study and the linker -> its ICD-10 and HRCS codes, each with the words that gave it (R5)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ontology.concept import Concept, Kind, Ontology
from ontology.linker import Linker, Mention
from registry.study import Study

TRUSTED = 0.5
"""Mentions that the linker believes less than this do not say what a study is about."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why a study has a code: `words` stand in `field`; `concept` is None where its register gave it."""

    code: str
    field: str
    words: str
    concept: str | None


@dataclass(frozen=True, slots=True)
class Codes:
    """What a study is about: WHO's ICD-10 codes and HRCS labels, those that its register gave first."""

    icd10: tuple[str, ...]
    hrcs: tuple[str, ...]
    evidence: tuple[Evidence, ...]


def code_study(study: Study, ontology: Ontology, linker: Linker) -> Codes:
    """Codes of a study: those given, and those of the conditions named in its conditions, keywords and title.

    Only where these name none is the summary read: it also tells of other diseases than the study's own.
    Symptoms, drugs and procedures give no code, because they do not say what a study is about; neither
    do conditions that the text denies or that are a relative's, nor «cancer» beside «breast cancer».
    """
    found = [*_conditions(_headings(study), study.language, ontology, linker)] or [
        *_conditions([("summary", study.summary)], study.language, ontology, linker)
    ]
    broader = {above for concept, _, _ in found for above in ontology.ancestors(concept.id)}
    icd10 = [Evidence(code, "icd10", code, None) for code in study.icd10]
    hrcs = [Evidence(label, "hrcs", label, None) for label in study.hrcs]
    for concept, field, words in found:
        if concept.id not in broader:
            icd10 += [Evidence(code, field, words, concept.id) for code in concept.icd10]
            hrcs += [Evidence(label, field, words, concept.id) for label in concept.hrcs]
    return Codes(_codes(icd10), _codes(hrcs), tuple(dict.fromkeys((*icd10, *hrcs))))


def _conditions(
    texts: Iterable[tuple[str, str]], language: str, ontology: Ontology, linker: Linker
) -> Iterator[tuple[Concept, str, str]]:
    """(condition, field, words) of each mention that counts."""
    for field, text in texts:
        for mention in linker.link(text, language, forgiving=False):
            concept = ontology.get(mention.concept)
            if concept.kind is Kind.CONDITION and _counts(mention):
                yield concept, field, mention.matched


def _headings(study: Study) -> Iterator[tuple[str, str]]:
    yield from (("conditions", text) for text in study.conditions)
    yield from (("keywords", text) for text in study.keywords)
    yield "title", study.title


def _counts(mention: Mention) -> bool:
    return mention.score >= TRUSTED and not mention.negated and not mention.family


def _codes(evidence: list[Evidence]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.code for each in evidence))
