"""Where studies run in Norway, and how far that is from a place: the nearest that recruits comes first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nlp.places import Place, place_called, place_in
from registry.hospital import NORWAY
from registry.study import Site, Status, Study

EARTH = 6371.0
"""Mean radius in km."""
_HOME = frozenset(("", NORWAY.casefold(), "norge", "noreg"))
"""What registers call Norway; forms leave it out."""


@dataclass(frozen=True, slots=True)
class Spot:
    """One site of a study: its name, where it is (WGS 84 degrees), and whether it takes people in now."""

    study: int
    name: str
    latitude: float
    longitude: float
    recruits: bool


@dataclass(frozen=True, slots=True)
class Nearest:
    """The site of a study nearest to a place, in km as the crow flies; one that recruits goes first."""

    name: str
    km: float
    recruits: bool


def at_home(country: str) -> bool:
    """Whether a register's country is Norway."""
    return country.casefold() in _HOME


def spots_of(number: int, study: Study) -> Iterator[Spot]:
    """The sites in Norway whose place is known; a site's own status counts, where the study is open."""
    for site in study.sites:
        point = _point(site) if at_home(site.country) else None
        if point:
            recruits = study.status is Status.OPEN and (site.status or Status.OPEN) is Status.OPEN
            yield Spot(number, _name(site), *point, recruits)


def is_placed(study: Study) -> bool:
    """Whether it is known where in Norway a study runs, or that it runs only abroad."""
    return bool(study.sites) and all(_point(site) for site in study.sites if at_home(site.country))


class Spots:
    """The sites of all studies."""

    def __init__(self, spots: Sequence[Spot]) -> None:
        self._spots = spots
        self._studies = np.array([spot.study for spot in spots], dtype=np.int64)
        self._recruits = np.array([spot.recruits for spot in spots], dtype=np.bool_)
        self._points = _on_sphere([(spot.latitude, spot.longitude) for spot in spots])

    def nearest(self, place: Place) -> dict[int, Nearest]:
        """The nearest site of every study that has one, by the number of the study."""
        km = self._distances(place)
        order = np.lexsort((km, ~self._recruits, self._studies))
        _, first = np.unique(self._studies[order], return_index=True)
        return {
            self._spots[each].study: Nearest(
                self._spots[each].name, float(km[each]), self._spots[each].recruits
            )
            for each in order[first].tolist()
        }

    def within(self, place: Place, km: float, *, recruiting: bool) -> set[int]:
        """Numbers of the studies that have a site so near, or only one that takes people in."""
        near = self._distances(place) <= km
        return set(self._studies[near & self._recruits if recruiting else near].tolist())

    def _distances(self, place: Place) -> NDArray[np.float64]:
        """Km from a place to every site."""
        (here,) = _on_sphere([(place.latitude, place.longitude)])
        chords = np.linalg.norm(self._points - here, axis=1)
        km: NDArray[np.float64] = EARTH * 2 * np.arcsin(np.minimum(1, chords / 2))
        return km


def _on_sphere(degrees: Sequence[tuple[float, float]]) -> NDArray[np.float64]:
    """(n, 3) points on the unit sphere; half the chord between two is the sine of half their angle."""
    latitude, longitude = np.radians(np.array(degrees, dtype=np.float64).reshape(-1, 2)).T
    return np.stack(
        (np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)), axis=1
    )


def _point(site: Site) -> tuple[float, float] | None:
    """Where a site is: its own coordinates, else those of its town or of the hospital that it names."""
    if site.latitude is not None and site.longitude is not None:
        return site.latitude, site.longitude
    place = place_called(site.city) or place_in(site.facility)
    return (place.latitude, place.longitude) if place else None


def _name(site: Site) -> str:
    return ", ".join(dict.fromkeys(part for part in (site.facility, site.city) if part))
