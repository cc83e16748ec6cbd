"""When something was, as well as somebody remembers: an ISO 8601 text, and what it says of the last days.

2024-03-12, 2024-03 and 2024 are days between which it was, and so are 2024-06/2024-08. ../2009 is 2009 or
before, and `NEVER` is never.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from math import inf

from ontology.errors import BadInput

NEVER = "never"
_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?")
_OPEN = ".."
_LASTS = 30
"""Days. What was so within a month may be so still: a weekly dose, an infection."""


@dataclass(frozen=True, slots=True)
class Period:
    """Something was on one of these two days or between; `first` None: nobody knows how long before."""

    first: date | None
    last: date

    def __str__(self) -> str:
        """The shortest text that says the same."""
        return next(text for text in map(self._cut, (4, 7, 10)) if read_period(text) == self)

    def _cut(self, length: int) -> str:
        first = _OPEN if self.first is None else self.first.isoformat()[:length]
        last = self.last.isoformat()[:length]
        return first if first == last else f"{first}/{last}"


@lru_cache(maxsize=1 << 10)
def read_period(text: str) -> Period:
    """The period that `text` writes.

    Raises:
        BadInput: it writes none.
    """
    start, slash, end = text.partition("/")
    if not slash:
        return Period(*_days(text))
    first, last = None if start == _OPEN else _days(start)[0], _days(end)[1]
    if first is not None and first > last:
        raise BadInput(f"{text!r} ends before it begins. Write the earlier date first.")
    return Period(first, last)


def elapsed(when: str, today: date) -> tuple[float, float] | None:
    """The fewest and the most days since `when`; None where that says nothing: the future, never, no date.

    A day has hours and a month has no certain length, so both ends are a few days wider than the calendar.
    """
    try:
        period = read_period(when)
    except BadInput:
        return None
    if period.first is not None and period.first > today:
        return None
    fewest = max(0, (today - period.last).days)
    soonest = max(0, fewest - _doubt(fewest))
    if period.first is None:
        return soonest, inf
    most = (today - period.first).days
    return soonest, most + _doubt(most)


def was_within(when: str, days: float, today: date) -> bool | None:
    """Whether what last was so `when` was so in the last `days` (0: now); None where that cannot be told."""
    if when == NEVER:
        return False
    since = elapsed(when, today)
    if since is None:
        return None
    fewest, most = since
    if most <= max(days, _doubt(0)):
        return True
    return False if fewest > (days or _LASTS) else None


def _doubt(days: int) -> int:
    """Grows slowly, so that a more exact date never says less."""
    return 1 + min(days // 14, 2)


def _days(text: str) -> tuple[date, date]:
    """The first and the last day of a date that may lack its day or its month."""
    found = _DATE.fullmatch(text)
    try:
        if found is None:
            raise ValueError
        year, month, day = int(found[1]), int(found[2] or 0), int(found[3] or 0)
        if day:
            return date(year, month, day), date(year, month, day)
        if month:
            return date(year, month, 1), date(year, month, monthrange(year, month)[1])
        return date(year, 1, 1), date(year, 12, 31)
    except ValueError:
        raise BadInput(f"{text!r} is no date. Write 2024-03-12, 2024-03 or 2024.") from None
