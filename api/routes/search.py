"""Search, as a page and as JSON."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel
from starlette.responses import Response

from api.deps import Language, LibraryDep
from api.library import NAMED, Library
from api.pages.render import number, render
from api.schemas import SearchAnswer, Words
from chatbot.safety import HELP, check
from nlp.query import HEALTHY, LONGEST, StatusFilter, clean
from nlp.query import Query as Understood
from ontology.concept import Ontology
from ontology.linker import Mention
from ontology.wording import say

router = APIRouter()

PAGE = 10
MOST = 100
Limit = Annotated[int, Query(ge=1, le=MOST)]


class Asked(BaseModel):
    """What the address of a search page says, right or wrong."""

    q: str = ""
    status: str = ""
    limit: str = ""
    without: list[str] = []


@dataclass(frozen=True, slots=True)
class Reading:
    """Something that the query was understood to say, and what it is called when it is taken away."""

    id: str
    name: str
    text: str
    without: str = ""
    """The address of the same search without it."""


@router.get("/api/search")
def search(
    library: LibraryDep,
    q: Annotated[Words, Query(min_length=1)],
    status: StatusFilter = "all",
    limit: Limit = PAGE,
    without: Annotated[list[str], Query(max_length=MOST)] = [],  # noqa: B006 - FastAPI copies it
) -> SearchAnswer:
    """The studies that fit the words `q`, best first, with the reason for each.

    `without` leaves out what was misunderstood: `concept:<id>`, `age`, `sex`, `place`, `healthy`, `open`.
    """
    started = perf_counter()
    found = library.find(q, status, limit, without)
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
    found = library.find(text, status, wanted, asked.without)
    return render(
        request,
        "hits.html",
        text=text,
        wrong="",
        chosen=found.query.filters.status,
        urgent=[label for label in check(text).labels if label in HELP],
        concepts=bool(found.query.mentions),
        readings=[
            replace(each, without=_without(request, each.id))
            for each in readings(found.query, library.ontology, language)
        ],
        all_studies=_without(request, "open", status="all") if found.query.open_stated else "",
        sure=any(reason.kind in NAMED for hit in found.hits for reason in hit.why),
        hits=library.studies(found.hits),
        more=min(wanted + PAGE, MOST) if len(found.hits) == wanted < MOST else None,
        term=term(found.query, library),
        elsewhere=elsewhere(term(found.query, library)),
    )


def _limit(text: str) -> int:
    """How many hits an address asks for; a page's worth where that is no number."""
    return min(int(text), MOST) if text.isascii() and text.isdecimal() and int(text) else PAGE


def _without(request: Request, reading: str, **changes: str) -> str:
    """The address of the same search, from its first hit on, without one more thing that it was read as."""
    kept = [(k, v) for k, v in request.query_params.multi_items() if k not in {"limit", "lang", *changes}]
    more = [("without", reading)] if ("without", reading) not in kept else []
    return f"{request.url.path}?{urlencode([*kept, *changes.items(), *more])}"


def readings(asked: Understood, ontology: Ontology, language: str) -> list[Reading]:
    """What the query was understood to say, in the reader's language."""
    return [
        *(_concept(mention, ontology, language) for mention in asked.mentions),
        *_about_the_person(asked, language),
    ]


def _concept(mention: Mention, ontology: Ontology, language: str) -> Reading:
    label, codes = ontology.get(mention.concept).label(language), ontology.codes(mention.concept)
    key = "hits.not_having" if mention.negated else "hits.reading"
    text = say(key, language, matched=mention.matched, label=label)
    return Reading(f"concept:{mention.concept}", label, f"{text} ({', '.join(codes)})" if codes else text)


def _about_the_person(asked: Understood, language: str) -> Iterator[Reading]:
    age, sex = asked.filters.age, asked.filters.sex
    if age is not None:
        key, shown = ("hits.age_months", round(age * 12)) if age < 1 else ("hits.age", age)
        text = say(key, language, age=number(shown, language))
        yield Reading("age", text, text)
    if sex is not None:
        text = say(f"hits.sex_{sex}", language)
        yield Reading("sex", text, text)
    if asked.place is not None:
        yield Reading("place", asked.place.name, say("hits.place", language, place=asked.place.name))
    if asked.healthy_volunteer and HEALTHY not in {mention.concept for mention in asked.mentions}:
        text = say("hits.healthy", language)
        yield Reading("healthy", text, text)
    if asked.open_stated:
        text = say("hits.open", language)
        yield Reading("open", text, text)


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
