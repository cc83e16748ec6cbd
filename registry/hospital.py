"""The health trusts that form B.1 names, each with the city and the place of its largest hospital."""

import csv
from functools import cache
from importlib.resources import files

from registry.study import Site

NORWAY = "Norway"


@cache
def trusts() -> dict[str, Site]:
    """The 20 named trusts of R41 by name, in the order of the form; coordinates are WGS 84 degrees."""
    with (files("registry") / "hospitals.tsv").open(encoding="utf-8") as table:
        return {row["name"]: _site(row) for row in csv.DictReader(table, delimiter="\t")}


def trust(name: str) -> Site | None:
    """The trust of that name, whatever its capitals and spaces; None if it is not of the 20."""
    return _by_words().get(_words(name))


def _site(row: dict[str, str]) -> Site:
    return Site(
        facility=row["name"],
        city=row["city"],
        country=NORWAY,
        latitude=float(row["latitude"]),
        longitude=float(row["longitude"]),
    )


@cache
def _by_words() -> dict[str, Site]:
    return {_words(name): site for name, site in trusts().items()}


def _words(name: str) -> str:
    return " ".join(name.casefold().split())
