"""Measurements in a message («HbA1c 58», «blodtrykk 140/90»): words in, numbers with units out."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import groupby

from chatbot.phrases import group, rows
from nlp.numbers import in_digits


@dataclass(frozen=True, slots=True)
class Measurement:
    """A number with its unit. `doubtful`: no unit was said and the test is given in several.

    `unit` is then the one that the number fits, or "" when it fits none or several.
    """

    name: str
    value: float
    unit: str = ""
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit that a test is given in, the plausible values, and how people write it."""

    name: str
    low: float
    high: float
    words: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class _Test:
    name: str
    words: re.Pattern[str]
    units: tuple[Unit, ...]


_NUMBER = r"(\d+(?:[.,]\d+)?)(?![\d/]|\s*(?:år|years?)\b)"
_PRESSURE = re.compile(r"(?<![\d/.])(\d{2,3})\s*(?:/|over|på)\s*(\d{2,3})(?![\d/])")
_PRESSURE_WORD = re.compile(r"\b(?:bt|blodtrykk\w*|trykk\w*|blood pressure|bp|blodtryck\w*)\b")
_TALL = re.compile(r"\b(?:en|én|ein|1)[ .,]*(?:og |å )?([4-9]\d)\s*(?:cm )?(?:høy|høg|høi|lang|tall)\b")
_WEIGHED = re.compile(r"\b(?:veier|veg|vege|vekt|weigh|kg|kilo)\b")
_BARE_HEIGHT = re.compile(r"\b(?:er|e|am|i'm) (1[4-9]\d|20\d)(?=\s*(?:,|og|å|and|cm)\b|\s*,)")
_WORST_PAIN = 10
_OUT_OF = r"(\d{1,2}) ?(?:av|/|of|out of) ?10\b"
_PAIN_WORD = r"\b(?:smert\w*|vondt|vont|ont|pain\w*|verk\w*|hurts|smärt\w*)\b"
_PAIN = re.compile(
    rf"{_PAIN_WORD}[^.\d]{{0,30}}?{_OUT_OF}|{_OUT_OF}[^.\d]{{0,20}}?{_PAIN_WORD}"
    rf"|{_PAIN_WORD}[^.\d]{{0,20}}?\b(\d{{1,2}})-?(?:er|ar|ern|aren)\b"
    rf"|{_PAIN_WORD}[^.\d]{{0,12}}?\b(?:en|ein|ei) (\d{{1,2}})\b(?! ?år)"
)
_BY_UNIT = (
    ("weight", "kg", re.compile(r"(?<![\w.,])(\d{2,3}(?:[.,]\d)?)\s*(?:kg|kilo|kilos)\b")),
    ("height", "cm", re.compile(r"(?<![\w.,])(1\d\d|2[0-3]\d)\s*(?:cm|centimeter|høy|høg|lang|tall)\b")),
    ("height", "m", re.compile(r"(?<![\w.,])(1[.,]\d\d?)\s*(?:m|meter|høy|høg|tall)\b")),
)


def read_measurements(message: str) -> tuple[Measurement, ...]:
    """The measurements that a message gives, each test once, in the order of measurements.tsv."""
    low = re.sub(r"(\d) komma (\d)", r"\1,\2", in_digits(message.casefold()))
    every = (*_by_unit(low), *_height(low), *_by_name(low), *_pressure(low), *_pain(low))
    found = {each.name: each for each in every}
    return tuple(found.values())


def plausible(name: str, value: float) -> tuple[Unit, ...]:
    """The units in which this value of a test is plausible."""
    return tuple(unit for unit in units(name) if unit.low <= value <= unit.high)


def units(name: str) -> tuple[Unit, ...]:
    """The units that a test is given in; () for an unknown test."""
    return next((test.units for test in _tests() if test.name == name), ())


def unit_in(name: str, message: str) -> str | None:
    """The unit of this test that a message names: «prosent», «58 mmol/mol»."""
    low = message.casefold()
    return next((unit.name for unit in units(name) if unit.words.search(low)), None)


def _by_name(text: str) -> Iterator[Measurement]:
    for test in _tests():
        for word in test.words.finditer(text):
            found = _value().match(text, word.end())
            if found:
                after = text[found.end() : found.end() + 16]
                yield from _measured(test, float(found[1].replace(",", ".")), after)


def _measured(test: _Test, value: float, after: str) -> Iterator[Measurement]:
    said = next((unit for unit in test.units if unit.words.match(after.lstrip())), None)
    fits = plausible(test.name, value)
    if said is not None:
        yield Measurement(test.name, value, said.name, doubtful=said not in fits and len(test.units) > 1)
    elif fits:
        unit = fits[0].name if len(fits) == 1 else ""
        yield Measurement(test.name, value, unit, doubtful=len(test.units) > 1)


def _by_unit(text: str) -> Iterator[Measurement]:
    for name, unit, pattern in _BY_UNIT:
        for found in pattern.finditer(text):
            if not _change().search(text[: found.start()]):
                value = float(found[1].replace(",", "."))
                metres = unit == "m"
                yield Measurement(name, round(value * 100) if metres else value, "cm" if metres else unit)


def _pressure(text: str) -> Iterator[Measurement]:
    for found in _PRESSURE.finditer(text):
        upper, lower = float(found[1]), float(found[2])
        named = _PRESSURE_WORD.search(text) or "mmhg" in text
        if named and 60 <= upper <= 280 and 30 <= lower <= 160 and lower < upper:
            yield Measurement("sbp", upper, "mmHg")
            yield Measurement("dbp", lower, "mmHg")


def _height(text: str) -> Iterator[Measurement]:
    """«En og syttifem høy», and «jeg er 170 og veier 95»."""
    if found := _TALL.search(text):
        yield Measurement("height", 100 + float(found[1]), "cm")
    elif _WEIGHED.search(text) and (found := _BARE_HEIGHT.search(text)):
        yield Measurement("height", float(found[1]), "cm")


def _pain(text: str) -> Iterator[Measurement]:
    """«Smerten er 6 av 10», «vondt 7/10 i kneet», «smerte på en 8-er»."""
    if found := _PAIN.search(text):
        value = float(next(filter(None, found.groups())))
        if value <= _WORST_PAIN:
            yield Measurement("pain_nrs", value)


@cache
def _value() -> re.Pattern[str]:
    return re.compile(rf"(?:[\s:=]|\b(?:{'|'.join(group('measure_filler'))})\b)*{_NUMBER}")


@cache
def _change() -> re.Pattern[str]:
    """«Gått ned 10 kilo» is no weight."""
    return re.compile(rf"\b(?:{'|'.join(group('measure_change'))})\W+(?:\w+\W+){{0,2}}$")


@cache
def _tests() -> tuple[_Test, ...]:
    table = groupby(rows("measurements.tsv"), key=lambda row: row["name"])
    return tuple(_test(name, list(of_test)) for name, of_test in table)


def _test(name: str, table: list[dict[str, str]]) -> _Test:
    words = {word.replace("_", " ") for row in table for word in row["words"].split("|")}
    alternatives = "|".join(sorted(map(re.escape, words), key=len, reverse=True))
    return _Test(name, re.compile(rf"(?<!\w)(?:{alternatives})(?!\w)"), tuple(map(_unit, table)))


def _unit(row: dict[str, str]) -> Unit:
    words = [] if row["said"] == "-" else row["said"].split()
    pattern = "|".join(sorted(map(re.escape, words), key=len, reverse=True)) or r"(?!)"
    name = "" if row["unit"] == "-" else row["unit"]
    return Unit(name, float(row["low"]), float(row["high"]), re.compile(rf"(?:{pattern})(?![\w/])"))
