"""The concept leg: what a study is about against what was asked for, through the ontology's hierarchy."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ontology.concept import Concept, Ontology
from ontology.linker import Linker, Mention
from registry.coding import TRUSTED
from registry.study import Study

MANY = 3
"""Conditions from which on each says less of what a study is about: some registries list fifty."""

BROADER, NARROWER, SUGGESTED = 0.4, 0.9, 0.3
"""What a study of a broader, narrower or suggested concept is worth next to one of the very concept."""


@dataclass(frozen=True, slots=True)
class Match:
    """A concept that was asked for and the one of a study that answers it."""

    mention: Mention
    found: str
    score: float


def concepts_of(study: Study, ontology: Ontology, linker: Linker) -> dict[str, float]:
    """Ids of the concepts a study is about, weighted 0 to 1: the more of its fields name one, the surer.

    Like registry.coding, but with symptoms, drugs and procedures, which people ask for too.
    """
    codes = set(study.icd10)
    given = [each for each in ontology.related(codes) if codes & set(ontology.get(each).icd10)]
    weights = dict.fromkeys(given, 1.0)
    for texts, weight in _naming(study):
        for concept, score in _named(texts, study.language, linker).items():
            weights[concept] = 1 - (1 - weights.get(concept, 0.0)) * (1 - weight * score)
    return weights


def _naming(study: Study) -> Iterator[tuple[Sequence[str], float]]:
    """The fields that tell what a study is about, and how well. One condition of many tells less."""
    yield study.conditions, 0.8 * min(1.0, MANY / max(1, len(study.conditions))) ** 0.5
    yield [study.title], 0.8
    yield study.keywords, 0.4
    yield [each.name for each in study.interventions], 0.5


def _named(texts: Sequence[str], language: str, linker: Linker) -> dict[str, float]:
    """The concepts that texts name, each with the belief in its surest mention."""
    scores: dict[str, float] = {}
    for text in texts:
        for mention in linker.link(text, language, forgiving=False):
            if mention.score >= TRUSTED and not mention.negated and not mention.family:
                scores[mention.concept] = max(scores.get(mention.concept, 0.0), mention.score)
    return scores


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


def path(match: Match, ontology: Ontology, language: str) -> str:
    """How a study was reached: «words» → concept asked for → concept of the study, with its ICD-10 codes."""
    steps = dict.fromkeys((match.mention.concept, match.found))
    labels = [ontology.get(each).label(language) for each in steps]
    codes = ", ".join(ontology.get(match.found).icd10)
    return f"«{match.mention.matched}» → {' → '.join(labels)}" + (f", {codes}" if codes else "")
