"""units.tsv: what numbers are written in, and how they convert to the unit of a variable."""

from collections.abc import Mapping
from csv import DictReader
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

from nlp.eligibility.relations import Kind
from nlp.eligibility.variables import Variable

_MASS, _MOLAR = "mass_concentration", "molar_concentration"
_FOR_ANY = frozenset({"percentile", "sd"})
_FOR_LABS = frozenset({"uln", "lln", "percentile", "sd"})
_FOR_SCORES = frozenset({"points", "percentile", "sd"})


@dataclass(frozen=True, slots=True)
class Unit:
    """One row: value x factor + offset is the value in the base unit of the dimension."""

    name: str
    dimension: str
    factor: float
    offset: float


@cache
def units() -> Mapping[str, Unit]:
    """Every row of units.tsv by name."""
    with (files("nlp.eligibility") / "units.tsv").open(encoding="utf-8") as lines:
        return {
            row["unit"]: Unit(row["unit"], row["dimension"], float(row["factor"]), float(row["offset"]))
            for row in DictReader(lines, delimiter="\t")
        }


def accepts(variable: Variable, unit: str) -> bool:
    """Whether a variable can be stated in a unit (multiples of a normal limit and percentiles included)."""
    return units()[unit].dimension in _dimensions(variable)


@cache
def _dimensions(variable: Variable) -> frozenset[str]:
    own = {units()[variable.unit].dimension} if variable.unit else set()
    conversion = {_MASS, _MOLAR} if variable.molar else set()
    also = {Kind.LAB: _FOR_LABS, Kind.SCORE: _FOR_SCORES}.get(variable.about, _FOR_ANY)
    return frozenset({*own, *conversion, *also, *variable.also})


def canonical(variable: Variable, value: float, unit: str) -> float | None:
    """A value in the variable's own unit; None where that cannot be told (a multiple of a normal limit).

    A value without a unit is in the variable's own, unless it is a laboratory value, which may be in many.
    """
    if not unit or unit == "points":
        bare = variable.about is not Kind.LAB or variable.unit in {"", "%"}
        return value if bare else None
    if unit == variable.unit:
        return value
    stated = units()[unit]
    if not variable.unit:
        return None
    own = units()[variable.unit]
    base = value * stated.factor + stated.offset
    if stated.dimension != own.dimension:
        if {stated.dimension, own.dimension} != {_MASS, _MOLAR} or variable.molar is None:
            return None
        # g/l and mmol/l
        base = base * 1000 / variable.molar if own.dimension == _MOLAR else base * variable.molar / 1000
    return round((base - own.offset) / own.factor, 6)


@lru_cache(maxsize=1 << 12)
def is_plausible(variable: Variable, value: float, unit: str) -> bool:
    """Whether a value lies within the bounds of the table; without a unit, in any unit it could be in."""
    if unit:
        converted = canonical(variable, value, unit)
        return converted is None or _within(variable, converted)
    if variable.about in {Kind.SCORE, Kind.AGE} or not variable.unit:
        return _within(variable, value)
    possible = (canonical(variable, value, each) for each in units() if accepts(variable, each))
    return any(each is not None and _within(variable, each) for each in possible)


def _within(variable: Variable, value: float) -> bool:
    return (variable.lower is None or value >= variable.lower) and (
        variable.upper is None or value <= variable.upper
    )
