"""Search, as a page and as JSON."""

import json
from dataclasses import dataclass
from time import perf_counter
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel
from starlette.responses import Response

from api.deps import Language, LibraryDep
from api.library import Library
from api.pages.render import render
from api.schemas import SearchAnswer, Words
from chatbot.safety import HELP, check
from nlp.query import LONGEST, StatusFilter, clean
from nlp.query import Query as Understood
from ontology.wording import say

router = APIRouter()

PAGE = 10
MOST = 100
_SURE = frozenset({"concept", "words"})
"""Reasons that rest on what was written, and not on likeness alone."""
Limit = Annotated[int, Query(ge=1, le=MOST)]


class Asked(BaseModel):
    """What the address of a search page says, right or wrong."""

    q: str = ""
    status: str = ""
    limit: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What some words of the query were taken to mean."""

    matched: str
    label: str
    icd10: tuple[str, ...]
    negated: bool


@router.get("/api/search")
def search(
    library: LibraryDep,
    q: Annotated[Words, Query(min_length=1)],
    status: StatusFilter = "all",
    limit: Limit = PAGE,
) -> SearchAnswer:
    """The studies that fit the words `q`, best first, with the reason for each."""
    started = perf_counter()
    found = library.find(q, status, limit)
    return SearchAnswer.of(found, library.ontology, (perf_counter() - started) * 1000)


@router.get("/sok", include_in_schema=False)
def search_page(
    request: Request,
    library: LibraryDep,
    language: Language,
    asked: Annotated[Asked, Query()],
) -> Response:
    """The same search as a page. What is odd in the address is ignored, what is too long is said."""
    text = clean(asked.q)
    status: StatusFilter = "open" if asked.status == "open" else "all"
    if len(asked.q) > LONGEST:
        wrong = say("hits.too_long", language, maximum=LONGEST)
        return render(request, "hits.html", status=422, text="", chosen=status, wrong=wrong)
    if not text:
        return render(request, "hits.html", text="", chosen=status, wrong="")
    wanted = _limit(asked.limit)
    found = library.find(text, status, wanted)
    return render(
        request,
        "hits.html",
        text=text,
        wrong="",
        chosen=status,
        urgent=[label for label in check(text).labels if label in HELP],
        readings=readings(found.query, library, language),
        sure=any(reason.kind in _SURE for hit in found.hits for reason in hit.why),
        hits=library.studies(found.hits),
        more=min(wanted + PAGE, MOST) if len(found.hits) == wanted < MOST else None,
        term=term(found.query, library),
        elsewhere=elsewhere(term(found.query, library)),
    )


def _limit(text: str) -> int:
    """How many hits an address asks for; a page's worth where that is no number."""
    return min(int(text), MOST) if text.isascii() and text.isdecimal() and int(text) else PAGE


def readings(asked: Understood, library: Library, language: str) -> list[Reading]:
    """What the query was understood as, in the reader's language."""
    return [
        Reading(
            mention.matched,
            library.ontology.get(mention.concept).label(language),
            library.ontology.codes(mention.concept),
            mention.negated,
        )
        for mention in asked.mentions
    ]


def term(asked: Understood, library: Library) -> str:
    """The words for a register abroad: English for what was understood, else the words as they are."""
    meant = [mention for mention in asked.mentions if not mention.negated]
    return library.ontology.get(meant[0].concept).label("en") if meant else asked.text[:100]


def elsewhere(words: str) -> list[tuple[str, str]]:
    """Name and address of each register abroad; ICTRP has no address that carries the words (R8)."""
    criteria = json.dumps({"containAll": words, "containAny": "", "containNot": ""}, separators=(",", ":"))
    return [
        (
            "ClinicalTrials.gov",
            "https://clinicaltrials.gov/search?"
            + urlencode({"cond": words, "locStr": "Norway", "country": "Norway"}),
        ),
        (
            "CTIS (EU)",
            "https://euclinicaltrials.eu/ctis-public/search#searchCriteria=" + quote(criteria, safe=""),
        ),
        ("ICTRP (WHO)", "https://trialsearch.who.int/"),
    ]
