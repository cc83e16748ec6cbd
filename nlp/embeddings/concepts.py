"""The concept leg: what a study is about against what was asked for, through the ontology's hierarchy."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ontology.linker import Linker, Mention

from ontology.concept import Concept, Ontology
from registry.study import Study

BROADER, NARROWER, SUGGESTED = 0.4, 0.9, 0.3
"""What a study of a broader, narrower or suggested concept is worth next to one of the very concept."""

FIELD_WEIGHTS: Mapping[str, float] = {"conditions": 1.0, "title": 0.9, "keywords": 0.6}
"""How much a concept named in a field tells what the study is about."""


@dataclass(frozen=True, slots=True)
class Match:
    """A concept that was asked for and the one of a study that answers it."""

    mention: Mention
    found: str
    score: float


def concepts_of(study: Study, linker: Linker) -> dict[str, float]:
    """Ids of the concepts a study is about, weighted 0 to 1 by the field that names them."""
    weights: dict[str, float] = {}
    for field, weight in FIELD_WEIGHTS.items():
        value = getattr(study, field)
        for text in (value,) if isinstance(value, str) else value:
            for mention in linker.link(text, study.language):
                if not mention.negated:
                    weights[mention.concept] = max(weights.get(mention.concept, 0.0), weight * mention.score)
    return weights


def asked(mentions: Iterable[Mention]) -> dict[str, Mention]:
    """The concepts a person asks for, each with the mention believed most; not what is denied."""
    wanted: dict[str, Mention] = {}
    for mention in mentions:
        if not mention.negated and (
            mention.concept not in wanted or mention.score > wanted[mention.concept].score
        ):
            wanted[mention.concept] = mention
    return wanted


def answers(concept: Concept, ontology: Ontology) -> dict[str, float]:
    """Ids of the concepts that answer a question for `concept`, with what each is worth (0 to 1)."""
    worth = dict.fromkeys(concept.suggests, SUGGESTED)
    worth |= dict.fromkeys(ontology.ancestors(concept.id), BROADER)
    worth |= dict.fromkeys(ontology.descendants(concept.id), NARROWER)
    return worth | {concept.id: 1.0}


def path(match: Match, ontology: Ontology, words: str, language: str) -> str:
    """How a study was reached: «words» → concept asked for → concept of the study, with its ICD-10 codes."""
    steps = dict.fromkeys((match.mention.concept, match.found))
    labels = [ontology.get(each).label(language) for each in steps]
    codes = ", ".join(ontology.get(match.found).icd10)
    return f"«{words}» → {' → '.join(labels)}" + (f", {codes}" if codes else "")
