"""Relations read from a criterion line against those a reader wrote down: when two mean the same.

The comparison is that of the shared scorer of relations: strict is the variable, both ends, whether each end
belongs to the range, and the unit; lenient leaves the last two out.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

UNITS = {
    "cells/ul": "/ul", "/mm3": "/ul", "cells/mm3": "/ul", "mm3": "/ul",
    "uln": "xuln", "mm hg": "mmhg", "°c": "c", "msec": "ms", "percent": "%", "points": "",
    "beats/min": "/min", "bpm": "/min", "breaths/min": "/min", "years": "year",
    "ml/min/1.73 m2": "ml/min/1.73m2", "ml/min/1.73_m2": "ml/min/1.73m2", "ml/min/m2": "ml/min/1.73m2",
    "gm/dl": "g/dl", "gr/dl": "g/dl", "ng/ml": "ug/l", "pg/ml": "ng/l",
    "/h": "/hour", "events/h": "/hour", "months": "month", "weeks": "week", "days": "day", "hours": "hour",
}  # fmt: skip
"""Units that are written in several ways."""

UNSTATED = {
    "age": "year", "bmi": "kg/m2", "sbp": "mmhg", "dbp": "mmhg", "egfr": "ml/min/1.73m2", "lvef": "%",
    "spo2": "%",
}  # fmt: skip
"""The unit that everybody means when none is written."""

COUNTS = {"10^9/l": 1000.0, "10^3/ul": 1000.0, "/l": 1e-6, "cells/l": 1e-6}
"""How many per µl each unit of cell counts stands for."""

GRADES = {
    "ecog": range(5), "nyha": range(1, 5), "asa": range(1, 7), "child_pugh": range(5, 16),
    "cps": range(5, 16), "gleason": range(1, 11), "ckd_stage": range(1, 6),
}  # fmt: skip
"""Scales of few grades, where a range and a list of grades say the same."""


@dataclass(frozen=True, slots=True)
class End:
    """One end of a range."""

    value: float
    inclusive: bool

    def same(self, other: "End", *, exactly: bool) -> bool:
        """Whether both stand at the same number (within 0.2 %), and `exactly`: on the same side of it."""
        near = abs(self.value - other.value) <= 2e-3 * max(1e-9, abs(other.value))
        return near and (not exactly or self.inclusive == other.inclusive)


@dataclass(frozen=True, slots=True)
class Fact:
    """One relation of a line, as text states it; of our reading or of the gold.

    `names` are the concepts or variables that are right, the first being the one to show; `codes` ICD-10
    categories (3 characters) or ATC codes; facts of a line with the same `group` are alternatives. Of the
    gold only: `optional` is neither a miss nor an error, `any_window` and `any_end` take whatever window or
    inclusion was read, `any_unit` whatever unit.
    """

    names: tuple[str, ...]
    kind: str = ""
    codes: frozenset[str] = frozenset()
    lower: End | None = None
    upper: End | None = None
    values: tuple[str, ...] = ()
    unit: str = ""
    negated: bool = False
    window_days: float | None = None
    group: int | None = None
    optional: bool = False
    any_window: bool = False
    any_end: bool = False
    any_unit: bool = False

    @property
    def name(self) -> str:
        """What to call it."""
        return self.names[0]

    def __str__(self) -> str:
        parts = (
            "not" if self.negated else "",
            self.name or "/".join(sorted(self.codes)),
            f"{'>=' if self.lower.inclusive else '>'}{self.lower.value:g}" if self.lower else "",
            f"{'<=' if self.upper.inclusive else '<'}{self.upper.value:g}" if self.upper else "",
            "|".join(self.values),
            self.unit,
            f"within {self.window_days:g} days" if self.window_days else "",
        )
        return " ".join(filter(None, parts))


def facts(rows: Iterable[Mapping[str, Any]]) -> Iterator[Fact]:
    """Relations of `studievei criteria --jsonl`, of our gold, or constraints of the shared lct rows.

    What is said in two ways becomes one: each language is a fact of its own, and «HER2 negative» denies HER2.
    """
    for row in rows:
        one = _fact(row)
        if one.kind == "language":
            yield from (replace(one, names=(f"language {code}",), values=()) for code in _languages(one))
        elif one.values in (("positive",), ("negative",)):
            yield replace(one, values=(), negated=one.negated is not (one.values == ("negative",)))
        else:
            yield one


def same(given: Fact, gold: Fact) -> bool:
    """Strict: the same concept, sign, window, both ends or the same choices, and unit."""
    return _named(given, gold) and _windows(given, gold) and _numbers(given, gold, exactly=True)


def alike(given: Fact, gold: Fact) -> bool:
    """Lenient: a concept with the same codes will do, and neither unit, window nor inclusion matters."""
    return (_named(given, gold) or _related(given, gold)) and _numbers(given, gold, exactly=False)


def joined(facts: Iterable[Fact]) -> list[Fact]:
    """The facts, with «≥ 18» and «≤ 75» of one variable put together when a line states just these two."""
    result = list(facts)
    for name in {each.name for each in result}:
        of_name = [each for each in result if each.name == name]
        low = [each for each in of_name if each.lower and not each.upper]
        high = [each for each in of_name if each.upper and not each.lower]
        if len(low) == len(high) == 1 and len(of_name) == 2 and _below(low[0].lower, high[0].upper):
            whole = replace(low[0], upper=high[0].upper, unit=low[0].unit or high[0].unit)
            result = [*(each for each in result if each.name != name), whole]
    return result


def same_ends(given: Fact, gold: Fact) -> bool:
    """Whether both ends stand at the same numbers, whatever the variable and the unit."""
    return _ends(given, gold, exactly=False)


def canonical_unit(written: str | None) -> str:
    """One spelling of each unit; "" for none."""
    unit = " ".join((written or "").lower().split()).replace("μ", "u").replace("µ", "u")
    return UNITS.get(unit, unit)


def _codes(listed: str | Sequence[str] | None) -> frozenset[str]:
    return frozenset(listed.split() if isinstance(listed, str) else listed or ())


def _end(row: Mapping[str, Any] | None) -> End | None:
    return End(float(row["value"]), bool(row.get("incl", True))) if row else None


def _below(low: End | None, high: End | None) -> bool:
    return low is not None and high is not None and low.value < high.value


def _named(given: Fact, gold: Fact) -> bool:
    known = given.name in gold.names if gold.name else bool(given.codes & gold.codes)
    return known and given.negated == gold.negated


def _related(given: Fact, gold: Fact) -> bool:
    heads = [{code[:3] for code in each.codes} for each in (given, gold)]
    return bool(heads[0] & heads[1]) and given.negated == gold.negated


def _windows(given: Fact, gold: Fact) -> bool:
    if given.window_days is None or gold.window_days is None:
        return gold.any_window or given.window_days == gold.window_days
    return abs(given.window_days - gold.window_days) <= 0.05 * gold.window_days


def _numbers(given: Fact, gold: Fact, *, exactly: bool) -> bool:
    grades = [_grades(each, gold.name) for each in (given, gold)]
    if None not in grades:
        return grades[0] == grades[1]
    if any(each.values for each in (given, gold)) and _point(given) and _point(given) == _point(gold):
        return True
    ranged = gold.lower or gold.upper
    if gold.values and not ranged:
        return sorted(given.values or _whole_numbers(given)) == sorted(gold.values)
    if given.values and not (given.lower or given.upper) and gold.lower and gold.upper:
        return _floats(given.values) == _floats(_whole_numbers(gold))
    if not _ends(_in_counts(given), _in_counts(gold), exactly=exactly and not gold.any_end):
        return False
    return not (exactly and ranged) or _units(given, gold)


def _ends(given: Fact, gold: Fact, *, exactly: bool) -> bool:
    pairs = ((given.lower, gold.lower), (given.upper, gold.upper))
    return all(
        mine.same(theirs, exactly=exactly) if mine and theirs else mine is theirs for mine, theirs in pairs
    )


def _units(given: Fact, gold: Fact) -> bool:
    mine, wanted = (_in_counts(each).unit or UNSTATED.get(gold.name, "") for each in (given, gold))
    return gold.any_unit or mine == wanted


def _grades(each: Fact, scale: str) -> set[int] | None:
    """The grades of a small scale; None for another scale, letters, or when nothing is stated."""
    if scale not in GRADES or not (each.values or each.lower or each.upper):
        return None
    if each.values:
        return {int(value) for value in numbers} if (numbers := _floats(each.values)) else None
    return {grade for grade in GRADES[scale] if _within(grade, each)}


def _within(value: float, each: Fact) -> bool:
    low, high = each.lower, each.upper
    above = low is None or value > low.value or (low.inclusive and value == low.value)
    return above and (high is None or value < high.value or (high.inclusive and value == high.value))


def _point(each: Fact) -> list[float]:
    """The one value of a choice of one or of a range of one; [] for anything else."""
    if each.lower and each.upper and each.lower.value == each.upper.value:
        return [each.lower.value]
    return _floats(each.values) if len(each.values) == 1 else []


def _whole_numbers(each: Fact) -> Sequence[str]:
    if not (each.lower and each.upper):
        return ()
    return [str(value) for value in range(int(each.lower.value), int(each.upper.value) + 1)]


def _floats(values: Sequence[str]) -> list[float]:
    try:
        return sorted(map(float, values))
    except ValueError:
        return []


def _in_counts(each: Fact) -> Fact:
    """The fact with cell counts per µl."""
    factor = COUNTS.get(each.unit)
    if factor is None:
        return each
    low, high = (end and End(end.value * factor, end.inclusive) for end in (each.lower, each.upper))
    return replace(each, lower=low, upper=high, unit="/ul")


def _fact(row: Mapping[str, Any]) -> Fact:
    concept = row["canon"] if "canon" in row else row["concept"]
    return Fact(
        names=tuple(name.removeprefix("gene_") for name in (concept or "", *row.get("also", ()))),
        kind=row.get("kind") or "",
        codes=_codes(row.get("icd10")) | _codes(row.get("atc")),
        lower=_end(row.get("lower")),
        upper=_end(row.get("upper")),
        values=tuple(str(value) for value in row.get("values") or ()),
        unit=canonical_unit(row.get("unit")),
        negated="canon" not in row and bool(row.get("negated")),
        window_days=row.get("window_days"),
        group=row.get("group"),
        optional=bool(row.get("optional")),
        any_window=bool(row.get("window_free")),
        any_end=bool(row.get("incl_ambiguous")),
        any_unit=not row.get("unit") or bool(row.get("unit_implied") or row.get("unit_assumed")),
    )


def _languages(one: Fact) -> Iterator[str]:
    """ISO codes; the two kinds of Norwegian are one."""
    for code in one.values or (one.name.removeprefix("language_"),):
        yield "no" if code in ("nb", "nn") else code
