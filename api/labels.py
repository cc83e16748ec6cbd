"""Filters and marks of hits in the reader's words, the same on every surface."""

from nlp.embeddings.search import Hit
from nlp.query import Query
from ontology.hrcs import english
from ontology.wording import say


def label(facet: str, value: str, language: str) -> str:
    """What a value of a facet is called. Health categories have one Norwegian name."""
    if facet == "hrcs":
        return english(value) if language == "en" else value
    return say(f"filters.{facet}_{value}", language)


def marks(hit: Hit, query: Query, language: str) -> list[str]:
    """What to know of a hit beside why it is one: how far it is, and what it does not state."""
    found = []
    if query.place:
        found.append(_distance(hit, query.place.name, language))
    if hit.unstated:
        names = ", ".join(say(f"filters.{facet}", language).lower() for facet in hit.unstated)
        found.append(f"{say('filters.not_stated', language)}: {names}")
    return found


def _distance(hit: Hit, place: str, language: str) -> str:
    if hit.nearest is None:
        return say("filters.no_site", language)
    key = "filters.nearest" if hit.nearest.recruits else "filters.nearest_closed"
    return say(key, language, name=hit.nearest.name, km=round(hit.nearest.km), place=place)
