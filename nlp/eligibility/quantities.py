"""Tokens -> the same tokens with each number, its operator and its unit folded into one quantity.

«≥ 18 years», «between 4 and 26», «<18.5 or ≥30 kg/m2», «2.5 x ULN», «I-III», «0, 1 or 2». Patterns run over
the tokens' symbols, not over letters.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from nlp.eligibility.relations import Bound
from nlp.eligibility.symbols import Symbolic, coded, pattern
from nlp.eligibility.units import units
from nlp.eligibility.vocabulary import Token

_OP = "(?:(?:AT_LEAST|OVER|AT_MOST|UNDER|TURNED) )"
_AFTER = "(?:(?:AND_OVER|AND_UNDER) (?!(?:FILLER )?(?:NUMBER|LIMIT) ))"
_NUMBER = "(?:(?:NUMBER|ROMAN|LETTER) )"
_UNIT = "(?:OPEN UNIT CLOSE |(?:OF |FILLER )?UNIT (?:OPEN UNIT CLOSE )?|TO UNIT )"
_NORMAL = "(?:(?:TIMES )?(?:FILLER )*LIMIT (?:OPEN LIMIT CLOSE )?)"
_LIMIT = (
    rf"(?:{_OP}{{0,2}}(?:(?:OF|FILLER|EQUALS|LEVEL) )?{_OP}?{_NUMBER}"
    rf"(?:{_NORMAL}|{_AFTER}?{_UNIT}?(?:OLD )?{_AFTER}?(?:OLD )?))"
)
_ALONE = "(?!TIMES|LIMIT|UNIT|AND_OVER|AND_UNDER|OF UNIT|TO )"
_LAST = "(?:(?<=WITHIN )(?:TO )?UNIT |(?<=FILLER )UNIT (?=BEFORE ))"
_JOIN = "(?:(?:TO|AND|OR|COMMA|SLASH) )"
_QUANTITY = pattern(
    rf"(?:(?P<listed>{_NUMBER}(?:{_JOIN}{{1,2}}{_NUMBER}{_ALONE}){{2,}})"
    rf"|(?P<last>{_LAST})|(?P<between>(?:BETWEEN|FROM) (?:FILLER )?)?(?P<first>{_LIMIT})"
    rf"(?:(?P<join>{_JOIN}{{0,2}})(?P<second>(?:(?:AND_OVER|AND_UNDER) )?{_LIMIT}))?)"
)
_Item = TypeVar("_Item", bound=Symbolic)
_LOWER = {"AT_LEAST": True, "OVER": False, "AND_OVER": True, "FROM": True, "TURNED": True}
_UPPER = {"AT_MOST": True, "UNDER": False, "AND_UNDER": True}
_BEFORE_NUMBER = {"AND_OVER": "OVER", "AND_UNDER": "UNDER"}
"""«18 or over» takes 18 in; «or over 75» does not take 75 in."""


@dataclass(frozen=True, slots=True)
class Limit:
    """One number, the word that says which end it is ("" for none), and its unit ("" for none).

    `aged`: its words speak of somebody's age. `other` is what else the number may be. `grade`: a letter.
    """

    operator: str
    value: float
    unit: str = ""
    aged: bool = False
    other: float | None = None
    grade: str = ""

    @property
    def lower(self) -> Bound | None:
        """The lower bound that it states."""
        return Bound(self.value, _LOWER[self.operator]) if self.operator in _LOWER else None

    @property
    def upper(self) -> Bound | None:
        """The upper bound that it states."""
        return Bound(self.value, _UPPER[self.operator]) if self.operator in _UPPER else None

    def swapped(self) -> "Limit":
        """The number read the other way."""
        return self if self.other is None else replace(self, value=self.other, other=self.value)

    def shown(self) -> str:
        """Its number or grade."""
        return self.grade or f"{self.value:g}"


@dataclass(frozen=True, slots=True)
class Range:
    """What one quantity allows: a range with one or two ends, or `values`."""

    lower: Bound | None = None
    upper: Bound | None = None
    values: tuple[str, ...] = ()
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Quantity:
    """One, two or (in a list) more limits and how they are joined. `items` are the tokens that it folds."""

    limits: tuple[Limit, ...]
    join: frozenset[str]
    between: bool
    items: tuple[Token, ...]
    symbol: str = "QUANTITY"

    @property
    def start(self) -> int:
        """Where its first word starts."""
        return self.items[0].start

    @property
    def end(self) -> int:
        """Where its last word ends."""
        return self.items[-1].end

    @property
    def unit(self) -> str:
        """The unit of its last limit that has one."""
        return next((limit.unit for limit in reversed(self.limits) if limit.unit), "")

    @property
    def operated(self) -> bool:
        """Whether words say which end its first number is."""
        return bool(self.limits[0].operator) or self.between

    @property
    def aged(self) -> bool:
        """Whether its words speak of somebody's age."""
        return any(limit.aged for limit in self.limits)

    @property
    def is_pair(self) -> bool:
        """Two numbers with a stroke between: a blood pressure, or a score and its highest value."""
        return len(self.limits) == 2 and self.join == {"SLASH"} and not self.limits[1].operator

    def at_most(self) -> "Quantity":
        """The same after «within»: its one number is an upper end."""
        first, *others = self.limits
        if others or first.operator:
            return self
        return replace(self, limits=(replace(first, operator="AT_MOST"),))

    def ranges(self, before: str = "") -> tuple[Range, ...]:
        """What it allows: one range, or several that are alternatives.

        `before` is an operator that stands before what is measured («minimum hemoglobin of 9»).
        """
        first, *others = self.limits
        if before and not first.operator:
            first = replace(first, operator="" if before == "BETWEEN" else before)
        if not others:
            return (_single(first),)
        if len(others) > 1:
            return (Range(values=tuple(limit.shown() for limit in self.limits), unit=self.unit),)
        return _both(first, others[0], self.join, between=self.between or before == "BETWEEN")


def fold_quantities(items: Sequence[_Item]) -> list[_Item | Quantity]:
    """Fold every quantity among the tokens; all other items are left as they are."""
    symbols = coded(items)
    folded: list[_Item | Quantity] = []
    done = 0
    while found := _QUANTITY.search(symbols, done):
        first = found.start()
        quantity = _quantity(found, [each for each in items[first : found.end()] if isinstance(each, Token)])
        if first and items[first - 1].symbol == "WITHIN":
            quantity = quantity.at_most()
        folded += items[done:first]
        folded.append(quantity)
        done = first + len(quantity.items)
    return [*folded, *items[done:]]


def _quantity(found: re.Match[str], items: Sequence[Token]) -> Quantity:
    if found["listed"]:
        limits = tuple(_limit([item]) for item in items if item.symbol in {"NUMBER", "ROMAN", "LETTER"})
        join = frozenset(item.symbol for item in items) - {"NUMBER", "ROMAN", "LETTER"}
        return Quantity(limits, join, between=False, items=tuple(items))
    if found["last"]:  # «the last month» is one month
        limit = Limit("", float(len(items)), items[-1].name)  # and «siste to måneder» two
        return Quantity((limit,), frozenset(), between=False, items=tuple(items))
    opening = items[0].symbol if found["between"] else ""
    before = len(found["between"] or "")
    size = before + len(found["first"])
    first = _limit(items[before:size], "FROM" if opening == "FROM" else "")
    if found["second"]:
        joined = len(items) - len(found["second"])
        second = _limit(items[joined:])
        join = frozenset(item.symbol for item in items[size:joined])
        if _belong_together(first, second, join, between=bool(opening)):
            return Quantity((first, second), join, opening == "BETWEEN", tuple(items))
    return Quantity((first,), frozenset(), opening == "BETWEEN", tuple(items[:size]))


def _limit(items: Sequence[Token], before: str = "") -> Limit:
    symbols = [item.symbol for item in items]
    operators = [symbol for symbol in symbols if symbol in _LOWER or symbol in _UPPER]
    operator = (operators or [before])[0]
    if symbols[0] in _BEFORE_NUMBER:
        operator = _BEFORE_NUMBER[symbols[0]]
    number = next(item for item in items if item.symbol in {"NUMBER", "ROMAN", "LETTER"})
    unit = next((item.name for item in items if item.symbol in {"UNIT", "LIMIT"}), "")
    aged = "OLD" in symbols or any(item.name == "age" for item in items)
    grade = number.name if number.symbol == "LETTER" else ""
    return Limit(operator, number.value, unit, aged, number.other, grade)


def _belong_together(first: Limit, second: Limit, join: frozenset[str], *, between: bool) -> bool:
    """Whether two limits are one statement, or the second begins another."""
    if not _same_dimension(first, second):
        return False
    if "TO" in join and second.upper and not first.operator:
        return True
    if not second.operator:
        return bool(join) and ("TO" in join or between or not first.operator or join == {"SLASH"})
    opposed = bool(first.lower and second.upper) or bool(first.upper and second.lower)
    return opposed or (bool(first.operator) and "OR" in join and first.unit == second.unit == "")


def _same_dimension(first: Limit, second: Limit) -> bool:
    if not (first.unit and second.unit):
        return True
    return units()[first.unit].dimension == units()[second.unit].dimension


def _single(limit: Limit) -> Range:
    if limit.operator:
        return Range(limit.lower, limit.upper, unit=limit.unit)
    return Range(values=(limit.shown(),), unit=limit.unit)


def _both(first: Limit, second: Limit, join: frozenset[str], *, between: bool) -> tuple[Range, ...]:
    if not second.operator and ("TO" in join or between or first.operator == "FROM"):
        return _span(first, second)
    if not (first.operator or second.operator):
        return (Range(values=(first.shown(), second.shown()), unit=second.unit or first.unit),)
    if "TO" in join and not first.operator:
        first = replace(first, operator="FROM")
    one, other = _single(first), _single(second)
    if first.unit and second.unit and first.unit != second.unit:
        return one, other
    lower, upper = one.lower or other.lower, one.upper or other.upper
    if (
        lower is None
        or upper is None
        or lower.value > upper.value
        or (first.upper and lower.value == upper.value)
    ):
        return replace(one, unit=one.unit or _shared(second.unit)), replace(
            other, unit=other.unit or one.unit
        )
    return (Range(lower, upper, unit=first.unit or second.unit),)


def _shared(unit: str) -> str:
    """The unit of the second of two numbers holds for the first."""
    return unit


def _span(first: Limit, second: Limit) -> tuple[Range, ...]:
    """«18 to 65», «6 months to 17 years», «I-III»; a span that runs backwards says nothing."""
    value, unit = first.value, second.unit or first.unit
    if first.unit and first.unit != unit:
        value = round(value * units()[first.unit].factor / units()[unit].factor, 4)
    if value > second.value or first.grade:
        return (Range(values=(first.shown(), second.shown()), unit=unit),) if first.grade else ()
    inclusive = _LOWER.get(first.operator, True)
    return (Range(Bound(value, inclusive), Bound(second.value), unit=unit),)


def rescued(quantity: Quantity) -> Iterator[Quantity]:
    """The quantity as read, then with its doubtful numbers («50.000») read the other way."""
    yield quantity
    if any(limit.other is not None for limit in quantity.limits):
        yield replace(quantity, limits=tuple(limit.swapped() for limit in quantity.limits))
