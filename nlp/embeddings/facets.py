"""By what studies can be narrowed: a study -> a bit for each value of a facet, and columns of them to count.

A study without any bit of a facet does not state it; it is let through and marked, never hidden.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nlp.query import Filters
from ontology.hrcs import CATEGORIES
from registry.hospital import trust
from registry.study import Sex, Status, Study

FACETS: Mapping[str, tuple[str, ...]] = {
    "status": ("open", "awaiting", "closed", "under_review"),
    "ages": ("child", "adult", "older"),
    "sex": ("female", "male"),
    "hrcs": tuple(category.label for category in CATEGORIES),
    "phase": ("1", "2", "3", "4", "5", "none"),
    "type": ("interventional", "observational", "other"),
    "sponsor": ("industry", "other"),
}
"""The values of each facet, in the order in which they are shown. A value is a bit, the first the lowest."""

_AGES = {"child": (0, 18), "adult": (18, 65), "older": (65, 200)}
"""From the first age to before the second, in years, as ClinicalTrials.gov divides them."""
_STATUS = {
    Status.OPEN: "open",
    Status.AWAITING: "awaiting",
    Status.ONGOING: "closed",
    Status.COMPLETED: "closed",
    Status.UNDER_REVIEW: "under_review",
}
_WITH_PHASE = frozenset(("drug", "biological"))

Numbers = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Count:
    """How many studies have a value of a facet, and whether it is chosen."""

    value: str
    count: int
    chosen: bool


@dataclass(frozen=True, slots=True)
class Counts:
    """One facet: how many studies each of its values would leave, and how many do not state it."""

    facet: str
    values: tuple[Count, ...]
    unstated: int


def facets_of(study: Study, hrcs: Collection[str]) -> dict[str, int]:
    """The bits of a study by facet; `hrcs` are its categories, given and found."""
    return {
        "status": _bits("status", [_STATUS[study.status]]),
        "ages": _bits("ages", _ages(study)),
        "sex": _bits("sex", _sexes(study.sex)),
        "hrcs": _bits("hrcs", hrcs),
        "phase": _bits("phase", _phases(study)),
        "type": _bits("type", _types(study)),
        "sponsor": _bits("sponsor", _sponsors(study)),
    }


class Columns:
    """The facets of all studies: row i of every array belongs to the study with number `numbers[i]`."""

    def __init__(
        self,
        numbers: Numbers,
        bits: Mapping[str, Numbers],
        youngest: NDArray[np.float64],
        oldest: NDArray[np.float64],
    ) -> None:
        self.numbers = numbers
        self._bits = bits
        self._youngest = youngest
        self._oldest = oldest
        self._row = np.full(int(numbers.max(initial=-1)) + 1, -1, dtype=np.int64)
        self._row[numbers] = np.arange(len(numbers))

    def rows(self, numbers: Collection[int]) -> Numbers:
        """The rows of these studies."""
        return self._row[np.fromiter(numbers, dtype=np.int64, count=len(numbers))]

    def mask(self, numbers: Collection[int]) -> Mask:
        """True for the rows of these studies."""
        mask = np.zeros(len(self.numbers), dtype=np.bool_)
        mask[self.rows(numbers)] = True
        return mask

    def rank(self, facet: str, number: int) -> int:
        """The place of the first value that a study has of a facet, from 1 on; 0 where it states none."""
        (row,) = self.rows([number])
        bits = int(self._bits[facet][row])
        return (bits & -bits).bit_length()

    def passing(self, filters: Filters, except_for: str = "") -> Mask:
        """True where `filters` let a study through, its place aside; `except_for` is a facet to disregard."""
        mask = np.ones(len(self.numbers), dtype=np.bool_)
        for facet, wanted in wanted_bits(filters).items():
            if facet != except_for:
                mask &= ((self._bits[facet] & wanted) != 0) | (self._bits[facet] == 0)
        if filters.age is not None:
            mask &= (self._youngest <= filters.age) & (filters.age < self._oldest + 1)
        return mask

    def unstated(self, number: int, filters: Filters) -> tuple[str, ...]:
        """The facets that `filters` ask about and this study does not state."""
        (row,) = self.rows([number])
        asked = dict.fromkeys((*wanted_bits(filters), *(("ages",) if filters.age is not None else ())))
        return tuple(facet for facet in asked if not self._bits[facet][row])

    def counts(self, base: Mask, filters: Filters) -> tuple[Counts, ...]:
        """Each facet over the studies of `base`: what is chosen in the others counts, in itself not."""
        chosen = wanted_bits(filters)
        everything = base & self.passing(filters)
        found = []
        for facet, values in FACETS.items():
            within = base & self.passing(filters, facet) if facet in chosen else everything
            bits, wanted = self._bits[facet][within], chosen.get(facet, 0)
            counted = tuple(
                Count(value, int(np.count_nonzero(bits & (1 << place))), bool(wanted >> place & 1))
                for place, value in enumerate(values)
            )
            found.append(Counts(facet, counted, int(np.count_nonzero(bits == 0))))
        return tuple(found)


def wanted_bits(filters: Filters) -> dict[str, int]:
    """The bits that a filter asks for, by facet; a facet that it leaves alone is not there."""
    wanted: dict[str, int] = {}
    if filters.status != "all":
        wanted["status"] = _bits("status", [filters.status])
    if filters.sex in (Sex.FEMALE, Sex.MALE):
        wanted["sex"] = _bits("sex", [filters.sex.value])
    for facet, value in filters.only:
        wanted[facet] = wanted.get(facet, 0) | _bits(facet, [value])
    return wanted


def _bits(facet: str, values: Collection[str]) -> int:
    return sum(1 << place for place, value in enumerate(FACETS[facet]) if value in values)


def _ages(study: Study) -> list[str]:
    """The groups that an age within the limits can be of; none when no limit is stated."""
    if study.minimum_age is None and study.maximum_age is None:
        return []
    youngest, oldest = study.minimum_age or 0, study.maximum_age if study.maximum_age is not None else 199
    return [group for group, (first, end) in _AGES.items() if youngest < end and oldest + 1 > first]


def _sexes(sex: Sex | None) -> list[str]:
    return [] if sex is None else ["female", "male"] if sex is Sex.ALL else [sex.value]


def _phases(study: Study) -> list[str]:
    """Its phases. Studies that observe, and those that try no drug, have none; others do not state theirs."""
    stated = [text for text in FACETS["phase"] for phase in study.phases if phase.endswith(text)]
    if stated:
        return stated
    kinds = {each.kind for each in study.interventions}
    without = (
        "NA" in study.phases or _types(study) == ["observational"] or (kinds and not kinds & _WITH_PHASE)
    )
    return ["none"] if without else []


def _types(study: Study) -> list[str]:
    stated = study.study_type.casefold()
    if not stated:
        return []
    return [stated if stated in ("interventional", "observational") else "other"]


def _sponsors(study: Study) -> list[str]:
    """Whether a company pays. A form names the trust and no kind."""
    kind = study.sponsor_kind.casefold()
    if kind in ("", "unknown", "ambig"):
        return ["other"] if trust(study.sponsor) else []
    return ["industry" if kind == "industry" else "other"]
