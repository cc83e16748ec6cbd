"""The registers abroad, and the search there that comes nearest to the one here (R8)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from nlp.query import Query
from ontology.concept import Ontology
from registry.study import Sex

NORWAY = 578
"""ISO 3166-1, which CTIS uses."""
_LONGEST = 100


@dataclass(frozen=True, slots=True)
class Shortcut:
    """A search in another register, in Norway and everywhere, where its address carries the words."""

    register: str
    norway: str
    everywhere: str
    carries: bool = True


def term(asked: Query, ontology: Ontology) -> str:
    """The words to search for: English for what was understood, else the words as they are."""
    meant = [mention for mention in asked.mentions if not mention.negated]
    return ontology.get(meant[0].concept).label("en") if meant else asked.text[:_LONGEST]


def shortcuts(words: str, asked: Query) -> tuple[Shortcut, ...]:
    """A search for `words` in each register, narrowed as the one here where the register's address can.

    ClinicalTrials.gov reads its filters from `aggFilters`, CTIS a JSON object after #searchCriteria=; the
    addresses of ICTRP carry no words.
    """
    ctgov = {"cond": words} | _narrowed(asked)
    ctis = {"containAll": words, "containAny": "", "containNot": ""}
    return (
        Shortcut("ClinicalTrials.gov", _ctgov(ctgov | {"country": "Norway"}), _ctgov(ctgov)),
        Shortcut("CTIS (EU)", _ctis(ctis | {"msc": [NORWAY]}), _ctis(ctis)),
        Shortcut(
            "ICTRP (WHO)", "https://trialsearch.who.int/", "https://trialsearch.who.int/", carries=False
        ),
    )


def _ctgov(fields: dict[str, str]) -> str:
    return f"https://clinicaltrials.gov/search?{urlencode(fields)}"


def _ctis(criteria: Mapping[str, object]) -> str:
    written = quote(json.dumps(criteria, separators=(",", ":"), ensure_ascii=False), safe="")
    return f"https://euclinicaltrials.eu/ctis-public/search#searchCriteria={written}"


def _narrowed(asked: Query) -> dict[str, str]:
    """Status, age and sex in the words of ClinicalTrials.gov: status:rec,ages:adult,sex:f."""
    filters = asked.filters
    told = {"status": "rec"} if filters.status == "open" else {}
    if filters.age is not None:
        told["ages"] = "child" if filters.age < 18 else "adult" if filters.age < 65 else "older"
    if filters.sex in (Sex.FEMALE, Sex.MALE):
        told["sex"] = filters.sex[0]
    return {"aggFilters": ",".join(f"{name}:{value}" for name, value in told.items())} if told else {}
