"""Number words -> digits, in a text in small letters."""

import re
from functools import cache
from importlib.resources import files

from ontology.table import read_table

_SMALL = 2


def in_digits(text: str) -> str:
    """«sekstisju», «seksti sju» and «fem og seksti» as 67, 67 and 65.

    One and two are also articles and prepositions: alone they count only as somebody's years.
    """
    values = _numbers()
    return _number_words().sub(lambda found: str(sum(values[each] for each in found.groups() if each)), text)


@cache
def number_words() -> dict[str, int]:
    """The words that are a number wherever they stand: not «to», «en» and the like."""
    return {word: value for word, value in _numbers().items() if value > _SMALL or word == "two"}


@cache
def _numbers() -> dict[str, int]:
    table = read_table(files("nlp") / "numbers.tsv", "word value")
    return {row.cells["word"]: int(row.cells["value"]) for row in table}


@cache
def _number_words() -> re.Pattern[str]:
    units, tens, alone, small = (
        "|".join(word for word, value in _numbers().items() if value in values)
        for values in (range(1, 10), range(20, 100, 10), (*range(3, 21), *range(30, 101, 10)), range(1, 3))
    )
    compound = rf"({units}) ?og ?({tens})|({tens})[ -]?({units})"
    years = r"(?=[ -]?(?:år|åring|åringen|years?|month|måned)\b)"
    return re.compile(rf"(?<!\w)(?:{compound}|({alone})|({small}){years})(?=\W|$|år)")
