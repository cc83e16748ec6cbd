"""`studievei search`: everyday words in, studies out, each with the reason why it was found."""

import json
import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from nlp.query import Chosen, Sort, StatusFilter
from ontology.errors import BadInput
from registry.study import Sex

if TYPE_CHECKING:
    from api.library import Library


def search(  # noqa: PLR0917 - each is an option of the command
    query: Annotated[str | None, typer.Argument(help="Everyday words.")] = None,
    stdin: Annotated[bool, typer.Option(help="One query a line from standard input.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many hits at most.")] = 10,
    status: Annotated[StatusFilter, typer.Option(help="open: only studies that recruit now.")] = "all",
    age: Annotated[float | None, typer.Option(help="Years.")] = None,
    sex: Annotated[Sex | None, typer.Option(help="Whom the studies must accept.")] = None,
    near: Annotated[str, typer.Option(help="A Norwegian municipality, town or hospital.")] = "",
    within: Annotated[float | None, typer.Option(help="Km from that place.")] = None,
    ages: Annotated[list[str] | None, typer.Option(help="child, adult or older; may be repeated.")] = None,
    hrcs: Annotated[list[str] | None, typer.Option(help="Health category; may be repeated.")] = None,
    phase: Annotated[list[str] | None, typer.Option(help="1, 2, 3, 4, 5 or none; may be repeated.")] = None,
    study_type: Annotated[
        list[str] | None, typer.Option("--type", help="interventional, observational or other.")
    ] = None,
    sponsor: Annotated[list[str] | None, typer.Option(help="industry or other.")] = None,
    sort: Annotated[Sort | None, typer.Option(help="nearest when a place is named, else best.")] = None,
    without: Annotated[
        list[str] | None, typer.Option(help="What was misunderstood: concept:<id>, age, sex, place, …")
    ] = None,
    facets: Annotated[bool, typer.Option(help="Show how many studies each choice leaves.")] = False,
) -> None:
    """Find studies, and see why each was found. What a study does not state keeps it from nobody."""
    from api.choices import read_choices
    from api.library import open_library
    from api.settings import Settings
    from api.show import show_counts, show_found

    if stdin != (query is None):
        raise BadInput("Give a query, or --stdin with one query a line.")
    given = {
        "status": status, "age": age, "sex": sex, "near": near, "within": within, "ages": ages, "hrcs": hrcs,
        "phase": phase, "type": study_type, "sponsor": sponsor, "sort": sort, "without": without,
    }  # fmt: skip
    chosen = read_choices(given).chosen()
    with open_library(Settings()) as library:
        for line in [query] if query is not None else (line.rstrip("\n") for line in sys.stdin):
            if as_json:
                typer.echo(_as_json(library, line, chosen, limit, keep_going=stdin, facets=facets))
                continue
            found = library.find(line, chosen, limit, counted=facets)
            show_found(library, found)
            if facets:
                show_counts(found)


def _as_json(
    library: "Library", text: str, chosen: Chosen, limit: int, *, keep_going: bool, facets: bool
) -> str:
    from api.schemas import SearchAnswer

    started = time.perf_counter()
    try:
        found = library.find(text, chosen, limit, counted=facets)
    except BadInput as error:
        if not keep_going:
            raise
        return json.dumps(
            {"query": {"text": text[:200]}, "hits": [], "error": str(error)}, ensure_ascii=False
        )
    took_ms = (time.perf_counter() - started) * 1000
    return SearchAnswer.of(found, library, took_ms).model_dump_json()
