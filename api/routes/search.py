"""Search, as a page and as JSON."""

from functools import partial
from itertools import takewhile
from time import perf_counter
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.choices import MANY, Choices, lenient
from api.deps import Language, LibraryDep
from api.elsewhere import shortcuts, term
from api.labels import label, marks
from api.library import Found, Library
from api.pages.render import render
from api.readings import Address, chosen, readings
from api.schemas import CompletionAnswer, CompletionRead, SearchAnswer, Words
from chatbot.safety import HELP, check
from nlp.completion import Completion, Kind
from nlp.places import place_called, place_names
from nlp.query import LONGEST, clean
from ontology.wording import say

router = APIRouter()

PAGE = 10
MOST = 100
DISTANCES = (25, 50, 100, 200)
"""Km to choose from."""


VISIBLE = r"[^\s\x00-\x1f\x7f\u200b\u2060\ufeff]"
"""A character that is left when a text is cleaned; a question has one."""


class Asked(Choices):
    """A search with what is chosen beside it."""

    q: Annotated[Words, Query(min_length=1, json_schema_extra={"pattern": VISIBLE})]
    limit: Annotated[int, Query(ge=1, le=MOST)] = PAGE
    facets: bool = False


@router.get("/api/search")
def search(library: LibraryDep, asked: Annotated[Asked, Query()]) -> SearchAnswer:
    """The studies that fit the words `q`, best first, with the reason for each.

    `without` leaves out what was misunderstood: `concept:<id>`, `age`, `sex`, `place`, `healthy`, `open`.
    With `facets`, the answer says how many studies each further choice would leave.
    """
    started = perf_counter()
    found = library.find(asked.q, asked.chosen(), asked.limit, counted=asked.facets)
    return SearchAnswer.of(found, library, (perf_counter() - started) * 1000)


@router.get("/api/complete")
def complete(
    library: LibraryDep,
    q: Words = "",
    language: Annotated[Literal["nb", "nn", "en"], Query()] = "nb",
    limit: Annotated[int, Query(ge=1, le=20)] = 8,
) -> CompletionAnswer:
    """What a question that begins with `q` may become: words for concepts, and titles of studies."""
    found = library.complete(q, language, limit)
    return CompletionAnswer(completions=[_completion(each, library, language) for each in found])


def _completion(each: Completion, library: Library, language: str) -> CompletionRead:
    is_concept = each.kind is Kind.CONCEPT
    label = library.ontology.get(each.id).label(language) if is_concept else say("site.study", language)
    return CompletionRead(text=each.text, kind=each.kind, id=each.id, language=each.language, label=label)


@router.get("/sok", include_in_schema=False)
def search_page(request: Request, library: LibraryDep, language: Language) -> Response:
    """The same search as a page. What is odd in the address is ignored, what is too long is said."""
    written = request.query_params.get("q", "")
    if len(written) > LONGEST:
        return _no_search(request, say("hits.too_long", language, maximum=LONGEST), status=422)
    text = clean(written)
    if not text:
        return _no_search(request)
    choices = lenient(_given(request))
    unknown_place = choices.near if choices.near and place_called(choices.near) is None else ""
    if unknown_place:
        choices = choices.model_copy(update={"near": ""})
    wanted = _limit(request.query_params.get("limit", ""))
    found = library.find(text, choices.chosen(), wanted, counted=True)
    return render(
        request,
        "hits.html",
        text=text,
        wrong="",
        **_understood(request, library, found, choices, language),
        **_shown(library, found, wanted),
        choices=choices,
        unknown_place=unknown_place,
        distances=DISTANCES,
        places=place_names(),
        many=MANY,
        label=partial(label, language=language),
        marks=partial(marks, query=found.query, language=language),
        urgent=[each for each in check(text).labels if each in HELP],
    )


def _no_search(request: Request, wrong: str = "", status: int = 200) -> Response:
    return render(request, "hits.html", status=status, text="", wrong=wrong)


def _given(request: Request) -> dict[str, str | list[str]]:
    """What the address says, a list where several values may be chosen."""
    params = request.query_params
    several = {name: params.getlist(name) for name in (*MANY, "without") if name in params}
    return {**params, **several}


def _understood(
    request: Request, library: Library, found: Found, choices: Choices, language: str
) -> dict[str, Any]:
    """What the words and the choices were read as, and the ways from there."""
    query = found.query
    address = Address(request)
    words = term(query, library.ontology)
    return {
        "query": query,
        "filters": query.filters,
        "counts": {each.facet: each for each in found.counts},
        "readings": readings(query, choices, library.ontology, language, address),
        "chosen": chosen(choices, query, language, address),
        "link": address,
        "showing": partial(address.showing, open_stated=query.open_stated),
        "meant": library.meant(query),
        "term": words,
        "elsewhere": shortcuts(words, query),
    }


def _shown(library: Library, found: Found, wanted: int) -> dict[str, Any]:
    """The hits: those up to the last that names what was asked for, then those that are only like it."""
    pairs = library.studies(found.hits)
    alike = len(list(takewhile(lambda pair: not pair[0].sure, reversed(pairs))))
    return {
        "hits": pairs[: len(pairs) - alike],
        "alike": pairs[len(pairs) - alike :],
        "total": found.total,
        "kept_out": found.kept_out,
        "more": min(wanted + PAGE, MOST) if found.total > wanted and wanted < MOST else None,
    }


def _limit(text: str) -> int:
    """How many hits an address asks for; a page's worth where that is no number."""
    return min(int(text), MOST) if text.isascii() and text.isdecimal() and int(text) else PAGE
