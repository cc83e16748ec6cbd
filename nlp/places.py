"""The place that a question names: «i Bergen», «nær Tromsø», «på Haukeland» -> its name and coordinates."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from nlp.cues import cues
from nlp.language import Word, words
from ontology.table import Row, read_table
from ontology.words import plain, same_marks

_SHORTEST_BARE = 5
"""Letters of a name that may stand alone in small letters: «kols trondheim»."""


@dataclass(frozen=True, slots=True)
class Place:
    """A Norwegian municipality, town or hospital; WGS 84 degrees of its centre."""

    name: str
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class _Name:
    """One way to write a place; `ordinary`: the name is also a word that people use."""

    text: str
    place: Place
    ordinary: bool


def place_in(text: str, taken: Collection[tuple[int, int]] = ()) -> Place | None:
    """The first place that `text` names, the longest name at that point; None if there is none.

    A name that is also an ordinary word (Os, Time, Strand) counts only after a preposition and as a
    proper noun; a short one only after a preposition or with its capital; an abbreviation (UNN) only
    as it is written. Nothing counts within the spans `taken` («Bergen 4-day treatment»).
    """
    said = words(text)
    names, longest = _names()
    for first in range(len(said)):
        for end in range(min(first + longest, len(said)), first, -1):
            for name in names.get(tuple(plain(word.text) for word in said[first:end]), ()):
                if _meant(said, first, end, text, name) and not _within(said, first, end, taken):
                    return name.place
    return None


def place_called(name: str) -> Place | None:
    """The place that is called `name`, whatever its capitals and marks; None for an unknown one.

    What follows a comma is left out: «Tromsø, Troms».
    """
    names, _ = _names()
    found = names.get(tuple(plain(word.text) for word in words(name.partition(",")[0])), ())
    return found[0].place if found else None


def place_names() -> list[str]:
    """The name of every place, for people to choose from."""
    return sorted({each.place.name for same in _names()[0].values() for each in same})


def _meant(said: list[Word], first: int, end: int, text: str, name: _Name) -> bool:
    written = text[said[first].start : said[end - 1].end]
    if name.text.isupper() or _inner_capital(name.text):
        return written == name.text
    if not same_marks(written.casefold(), name.text.casefold()) or _letters(written) < _letters(name.text):
        return False
    after_preposition = (
        first > 0 and not said[first].opens and said[first - 1].text.casefold() in cues()["before_place"]
    )
    if name.ordinary:
        return after_preposition and written.istitle()
    return after_preposition or written[0].isupper() or len(written) >= _SHORTEST_BARE


def _within(said: list[Word], first: int, end: int, taken: Collection[tuple[int, int]]) -> bool:
    return any(start <= said[first].start and said[end - 1].end <= stop for start, stop in taken)


def _letters(text: str) -> int:
    """How many there are; «mosjon» has too few for Mosjøen."""
    return sum(map(str.isalpha, text))


def _inner_capital(name: str) -> bool:
    return " " not in name and "-" not in name and name[1:] != name[1:].casefold()


@cache
def _names() -> tuple[dict[tuple[str, ...], list[_Name]], int]:
    names: dict[tuple[str, ...], list[_Name]] = {}
    for row in read_table(files("nlp") / "places.tsv", "name also kind ordinary latitude longitude"):
        for name in _written(row):
            names.setdefault(tuple(plain(word.text) for word in words(name.text)), []).append(name)
    return names, max(map(len, names))


def _written(row: Row) -> tuple[_Name, ...]:
    cells = row.cells
    place = Place(cells["name"], float(cells["latitude"]), float(cells["longitude"]))
    own = _Name(place.name, place, ordinary=cells["ordinary"] == "yes")
    return (own, *(_Name(text, place, ordinary=False) for text in row.texts("also")))
