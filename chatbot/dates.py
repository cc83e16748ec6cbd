"""When something was («i fjor sommer», «for to år siden», «12.03.2024»): words in, a period out; dates.tsv.

What is vague becomes a stretch of days that it lies in. Words that tell nothing of when are passed over.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cache
from itertools import pairwise
from math import inf
from typing import TypeAlias

from chatbot.durations import numbered, words, years
from chatbot.intents import Said, read_answer
from chatbot.phrases import rows
from nlp.eligibility.dates import NEVER, Period, read_period
from ontology.errors import BadInput

_DAYS_A_YEAR = 365.25
_A_MONTH = 28
"""Days. What is counted in units this long is remembered by the month."""
_OLDEST = 120
_VAGUER = 1.5
_SOME = (2.0, 5.0)
_FEWEST_OF_MANY = 2.0
_NUMBER = r"\d+(?:[.,]\d+)?"
_IN_DIGITS = {"en": "1", "ein": "1", "one": "1", "to": "2", "two": "2"}
_SMALL = re.compile(rf"\b(?:{'|'.join(_IN_DIGITS)})(?= (?:og|and|å) 0\.5 | ?(?:eller|or|til|to|-|–) ?\d)")
_HALVES = re.compile(r"\b(\d+) ?(?:(?:og|and|å) 0\.5|1/2|½) (?=år|year)")
_ME = r"(?:jeg|eg|æ|i|han|hun|ho|she|he) (?:var|va|was|blei|ble|vart)"


class Trouble(StrEnum):
    """Why a date cannot be right."""

    FUTURE = "future"
    IMPOSSIBLE = "impossible"
    BEFORE_BIRTH = "before_birth"


@dataclass(frozen=True, slots=True)
class Heard:
    """When something was, as nlp/eligibility/dates.py writes it, or why it cannot be; both empty: unsaid."""

    when: str = ""
    trouble: Trouble | None = None


def read_when(message: str, today: date, language: str = "nb", age: float | None = None) -> Heard:
    """When something last was, or began, by what somebody answers.

    Args:
        message: their words, in nb, nn or en, or many in sv and da; or what `Period` writes.
        today: the day it is.
        language: «mars 24» is a year, but "March 24" is a day.
        age: of the person in years, for «da jeg var 12».
    """
    text = _SMALL.sub(lambda found: _IN_DIGITS[found[0]], numbered(message))
    text = _HALVES.sub(r"\1.5 ", text)
    try:
        heard = _Reader(text, today, language, age).read()
    except _Wrong as wrong:
        return Heard(trouble=wrong.trouble)
    if heard is not None:
        return Heard(str(heard))
    denied = read_answer(message) is Said.NO and not _pattern(r"\b(?:@vague|@unit)\b").search(text)
    return Heard(NEVER if denied else "")


class _Wrong(Exception):
    def __init__(self, trouble: Trouble) -> None:
        self.trouble = trouble


@dataclass(frozen=True, slots=True)
class _Point:
    """A period and the words that say it, from `start` to `end`."""

    start: int
    end: int
    period: Period


@dataclass(frozen=True)
class _Reader:
    text: str
    today: date
    language: str
    age: float | None

    def read(self) -> Period | None:
        """The last period that the words name, or all that they leave open («2018 eller 2019»)."""
        written = self._written()
        if written is not None:
            return self._checked(written)
        points = sorted(self._points(), key=lambda each: each.start)
        if not points:
            if _pattern(_SOON).search(self.text):
                raise _Wrong(Trouble.FUTURE)
            return None
        return self._checked(self._joined(points))

    def _written(self) -> Period | None:
        try:
            return read_period(self.text) if "/" in self.text or "-" in self.text else None
        except BadInput:
            return None

    def _points(self) -> Iterator[_Point]:
        """What each pattern finds in the words that those before it have left."""
        left = self.text
        for shape, read in _SHAPES:
            for found in _pattern(shape).finditer(left):
                period = read(self, found)
                if period is not None:
                    left = f"{left[: found.start()]}{'·' * len(found[0])}{left[found.end() :]}"
                    yield _Point(found.start(), found.end(), self._placed(period, found))

    def _placed(self, period: Period, found: re.Match[str]) -> Period:
        """A period, or what is before or after it: «før 2010», «2009 eller før», «etter mars 2024»."""
        before, after = self.text[: found.start()], self.text[found.end() :]
        near = found.groupdict().get("season") and not found.groupdict().get("year")
        if _pattern(r"^,? ?(?:@or_before)\b").search(after):
            return Period(None, period.last)
        if _pattern(r"\b(?:@before)(?: i| in| den| the)? ?$").search(before) and period.first:
            first = period.first
            return Period(_months_from(first, -3), _month_end(first)) if near else _before(first)
        if _pattern(r"\b(?:@after)(?: i| in| den| the)? ?$").search(before) and period.first:
            return Period(period.first, _month_end(_months_from(period.last, 3) if near else self.today))
        return period

    def _joined(self, points: list[_Point]) -> Period:
        latest = max((each.period for each in points), key=lambda each: each.last)
        between = " ".join(self.text[a.end : b.start] for a, b in pairwise(points))
        if not (
            _pattern(r"(?:^|\W)@one_of(?:\W|$)").search(between)
            or _pattern(r"\b@between\b").search(self.text[: points[0].start])
        ):
            return latest
        firsts = [each.period.first for each in points]
        return Period(None if None in firsts else min(filter(None, firsts)), latest.last)

    def _checked(self, period: Period) -> Period:
        """The period up to today.

        Raises:
            _Wrong: it lies in the future, before this person was born, or ends before it begins.
        """
        if period.first is not None and period.first > self.today:
            raise _Wrong(Trouble.FUTURE)
        if period.last.year < self.today.year - _OLDEST or (period.first or period.last) > period.last:
            raise _Wrong(Trouble.IMPOSSIBLE)
        if self.age is not None and period.last < self.today - timedelta((self.age + 1) * _DAYS_A_YEAR + 1):
            raise _Wrong(Trouble.BEFORE_BIRTH)
        return period

    def day(self, found: re.Match[str]) -> Period:
        """12.03.2024, 2024-03-12, 12.3 and 03.2024."""
        part = {name: int(value) for name, value in found.groupdict().items()}
        if "year" in part:
            return _made(self._year(found["year"]), part["month"], part.get("day"))
        return self._latest(lambda year: _made(year, part["month"], part["day"]))

    def month(self, found: re.Match[str]) -> Period:
        """«3. mars i fjor», «mars–april 2024», "March 3rd"."""
        number = int(_value("month", found["month"]))
        until = int(_value("month", found["until"])) if found["until"] else number
        said = found["day"] or found["day_after"]
        english = (
            self.language == "en" and not said and bool(re.match(r"[0-2]\d|3[01]", found["short"] or ""))
        )
        day = found["short"] if english else said

        def of(year: int) -> Period:
            start = _made(year, number, int(day) if day else None)
            if until == number:
                return start
            return Period(start.first, _made(year + (until < number), until).last)

        year = self._stated_year(found, short=not english)
        return self._latest(of) if year is None else of(year)

    def season(self, found: re.Match[str]) -> Period:
        """«I fjor sommer», «jula 2023», "last winter". A winter is named by the year it ends in."""
        start, end = map(int, _value("season", found["season"]).split())
        wraps = end < start

        def of(year: int) -> Period:
            return Period(_made(year - wraps, start).first, _made(year, end).last)

        year = self._stated_year(found)
        return self._latest(of, wraps=wraps) if year is None else of(year)

    def year(self, found: re.Match[str]) -> Period | None:
        """2019, «i 98», «i fjor», «2015–2017», «slutten av 2019»."""
        year = self._stated_year(found)
        if year is None:
            return None
        if found["until"]:
            return Period(_made(year).first, _made(int(found["until"])).last)
        return _made(year)

    def ago(self, found: re.Match[str]) -> Period:
        """«For to år siden», «ca. et halvt år siden», «over ti år siden»."""
        how, unit = found["how"] or "", found["unit"]
        length = _days_of(unit)
        if found["least"]:
            return self._back(_float(found["least"]) * length, _float(found["count"]) * length, length)
        if found["some"]:
            return self._back(_SOME[0] * length, _SOME[1] * length, length)
        if found["many"]:
            return self._back(_FEWEST_OF_MANY * length, inf, length)
        count = _float(found["count"])
        less = count * length
        if found["count_2"]:
            less += _float(found["count_2"]) * _days_of(found["unit_2"])
            count, length = less / _days_of(found["unit_2"]), _days_of(found["unit_2"])
        if how in _table()["beyond"]:
            return self._back(less, inf, length)
        if how in _table()["within"]:
            return self._back(0, less, length)
        doubt = max(min(count / 4, 0.5) if length > 1 else 0.0, count / 10) * length
        doubt *= _VAGUER if how else 1
        return self._back(less - doubt, less + doubt, length)

    def lately(self, found: re.Match[str]) -> Period:
        """«De siste tre månedene»."""
        length = _days_of(found["unit"])
        return self._back(0, _float(found["count"]) * length, length)

    def not_for(self, found: re.Match[str]) -> Period:
        """«Ikke på ti år»."""
        length = _days_of(found["unit"])
        return self._back(_float(found["count"]) * length, inf, length)

    def hours(self, _found: re.Match[str]) -> Period:
        """«For tre timer siden»."""
        return self._back(0, 1, 1)

    def days(self, found: re.Match[str]) -> Period:
        """«Forrige uke», «i går», «bruker det nå»."""
        latest, earliest = map(int, _value("days", found[1]).split())
        return self._back(latest, earliest, 1)

    def months(self, found: re.Match[str]) -> Period:
        """«Forrige måned»."""
        there = _months_from(self.today.replace(day=1), -int(_value("months", found[1])))
        return _made(there.year, there.month)

    def aged(self, found: re.Match[str]) -> Period | None:
        """«Da jeg var 12», «som barn»; None when nobody said how old the person is."""
        if self.age is None:
            return None
        said = found["child"]
        young, old = map(int, _value("age", said).split()) if said else (int(found["years"]),) * 2
        born = self.today.year - int(self.age)
        return Period(_made(born - 1 + young).first, _made(born + old).last)

    def decade(self, found: re.Match[str]) -> Period:
        """«På 90-tallet»."""
        if found["word"]:
            start = int(_value("decade", found["word"]))
        else:
            start = self._year(f"{found['century'] or ''}{found['tens']}")
        return Period(_made(start).first, _made(start + 9).last)

    def _back(self, fewest: float, most: float, length: float) -> Period:
        """From so many days ago to so many; whole months for what is counted in months or years."""
        longest = _OLDEST * _DAYS_A_YEAR
        if fewest > longest:
            raise _Wrong(Trouble.IMPOSSIBLE)
        last = self.today - timedelta(round(fewest))
        first = None if most == inf else self.today - timedelta(round(min(most, longest)))
        if length < _A_MONTH:
            return Period(first, last)
        return Period(first and first.replace(day=1), _month_end(last))

    def _latest(self, of: Callable[[int], Period], *, wraps: bool = False) -> Period:
        """The latest that has begun by today, of one a year."""
        this_year = of(self.today.year + wraps)
        begun = this_year.first is not None and this_year.first <= self.today
        return this_year if begun else of(self.today.year + wraps - 1)

    def _stated_year(self, found: re.Match[str], *, short: bool = True) -> int | None:
        """The year that stands with a month or a season, or alone."""
        part = found.groupdict()
        offset = part["offset"] or part.get("offset_before")
        back = part.get("back") or part.get("back_before")
        if part["year"]:
            return self._year(part["year"])
        if offset:
            return self.today.year + int(_value("year", offset))
        if back:
            return self.today.year - round(_float(back))
        if part["short"] and short:
            return self._year(part["short"].strip("'’-"))
        return None

    def _year(self, digits: str) -> int:
        year = int(digits)
        if len(digits) > 2:
            return year
        century = self.today.year // 100 * 100
        return year + (century if year <= self.today.year % 100 else century - 100)


def _made(year: int, month: int | None = None, day: int | None = None) -> Period:
    """A year, a month or a day as a period.

    Raises:
        _Wrong: there is none.
    """
    parts = (f"{year:04}", *(f"{part:02}" for part in (month, day) if part is not None))
    try:
        return read_period("-".join(parts))
    except BadInput:
        raise _Wrong(Trouble.IMPOSSIBLE) from None


def _before(day: date) -> Period:
    return Period(None, day - timedelta(1))


def _months_from(day: date, months: int) -> date:
    """The first day of the month so many months later."""
    number = day.year * 12 + day.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def _month_end(day: date) -> date:
    return _months_from(day, 1) - timedelta(1)


def _float(number: str) -> float:
    return float(number.replace(",", "."))


def _days_of(unit: str) -> float:
    return years()[unit] * _DAYS_A_YEAR


@cache
def _table() -> dict[str, dict[str, str]]:
    table: dict[str, dict[str, str]] = {}
    for row in rows("dates.tsv"):
        table.setdefault(row["role"], {})[row["word"]] = row["value"]
    return table


def _value(role: str, word: str) -> str:
    return _table()[role][word]


@cache
def _pattern(template: str) -> re.Pattern[str]:
    """A pattern in which @role stands for the words of dates.tsv or durations.tsv that have that role."""
    return re.compile(re.sub(r"@(\w+)", lambda found: f"(?:{_alternatives(found[1])})", template))


def _alternatives(role: str) -> str:
    if role in {"unit", "ago"}:
        return words(role)
    return "|".join(re.escape(word) for word in sorted(_table()[role], key=len, reverse=True))


_Read: TypeAlias = Callable[["_Reader", re.Match[str]], Period | None]
_TWO_DIGITS = r"\d\d(?![\d.,:%]| ?@unit\b)"
_YEARS_AGO = r"(?:for )?(?P<back>\d+) (?:år|years?) @ago"
_EARLIER = (
    rf"(?:{_YEARS_AGO.replace('back', 'back_before')},? (?:i |in |på |om )?)?"
    r"(?:(?P<offset_before>@year) (?:i |in |om )?)?"
)
_LATER = (
    r"(?:,? ?(?:i |in |av |of )?(?:(?P<year>\d{4})(?!\d)|(?P<offset>@year)\b"
    rf"|{_YEARS_AGO}|(?P<short>['’-]?{_TWO_DIGITS})))?"
)
_MONTH = (
    r"(?<![\d.])(?:(?P<day>\d{1,2})(?:st|nd|rd|th)?\.? ?(?:of |i )?)?"
    r"\b(?!may (?:have|be|well))(?P<month>@month)\b\.?(?: ?@one_of ?(?P<until>@month)\b\.?)?"
    r"(?: (?P<day_after>\d{1,2})(?:(?:st|nd|rd|th)\b|(?=,? \d{4})))?"
)
_HOW = r"(?:\bfor )?(?:\b(?P<how>@beyond|@within|@about)\.? )?(?:for )?"
_PLAINLY = rf"(?P<count>{_NUMBER}) ?(?P<unit>@unit)\b"
_COUNT = (
    rf"(?<![\d.,])(?:(?:(?P<least>{_NUMBER}) ?@one_of ?)?(?P<count>{_NUMBER})"
    r"|\b(?P<some>@some)|\b(?P<many>@many)) ?(?P<unit>@unit)\b"
    rf"(?:,? (?:og |and )?(?P<count_2>{_NUMBER}) ?(?P<unit_2>@unit)\b)?"
)
_SHAPES: tuple[tuple[str, _Read], ...] = (
    (_EARLIER + _MONTH + _LATER, _Reader.month),
    (_EARLIER + r"\b(?P<season>@season)\b" + _LATER, _Reader.season),
    (rf"\b@not (?:\w+ ){{0,2}}?(?:på|in|for) (?:\w+ siste |the last )?{_PLAINLY}", _Reader.not_for),
    (rf"{_HOW}{_COUNT} @ago\b", _Reader.ago),
    (rf"\b(?:siste|sista|last|past|seneste) {_PLAINLY}", _Reader.lately),
    (r"(?<![\d.])(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})(?!\d)", _Reader.day),
    (r"(?<![\d.])(?P<day>\d{1,2})[./-] ?(?P<month>\d{1,2})[./-] ?(?P<year>\d{4}|\d\d)(?!\d)", _Reader.day),
    (r"(?<![\d.])(?P<month>\d{1,2})[./-](?P<year>\d{4})(?!\d)", _Reader.day),
    (r"(?<![\d.])(?P<year>\d{4})[./-](?P<month>\d{1,2})(?!\d)", _Reader.day),
    (r"(?<![\d.,])(?P<day>\d{1,2})[./](?P<month>\d{1,2})\b\.?(?![\d%,]| ?@unit\b)", _Reader.day),
    (
        rf"\b(?:(?:da|då|når|when|siden|sidan|since) {_ME}|at(?: the)? age(?: of)?|i en alder av|som)"
        r" (?P<years>\d{1,2})(?![\d.])(?:[ -]?(?:år\w*|years?))?|\b(?P<child>@age)\b",
        _Reader.aged,
    ),
    (
        r"(?<!\d)(?P<century>19|20)?(?P<tens>\d0)[ -]?(?:tallet|talet|åra|årene|s\b)|\b(?P<word>@decade)\b",
        _Reader.decade,
    ),
    (rf"\b(?:{_NUMBER} )?@hours @ago\b", _Reader.hours),
    (r"\b(@months)\b", _Reader.months),
    (r"\b(@days)\b", _Reader.days),
    (
        r"\b(?P<offset>@year)\b|(?<![\d.,/-])(?P<year>\d{4})(?:[-–](?P<until>\d{4}))?(?!\d)"
        rf"|(?:\bi ['’]?|['’])(?P<short>{_TWO_DIGITS})",
        _Reader.year,
    ),
    (rf"^(?:i |for )?{_HOW}{_COUNT}[ .!]*$", _Reader.ago),
)
"""What is looked for, in this order: what was found is gone for those that follow."""
_SOON = (
    r"\b(?:@future (?:@month|@season|@unit|uka|uken|veka|måneden|månaden)"
    rf"|(?:om|in) {_NUMBER} ?@unit|@tomorrow)\b"
)
