"""Tokens of a sentence -> the same tokens with every relation in them folded into one term.

Ages and sexes take several tokens. They are found by patterns over the tokens' symbols, not over letters.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TypeAlias

from nlp.eligibility.logic import Not, Or, Rule, Unread
from nlp.eligibility.relations import Bound, Kind, Relation
from nlp.eligibility.vocabulary import Token

OLDEST = 120
"""Years. A larger number is not an age."""

BARE_AGE = 12
"""Years. «Minst 18 år» at the head of a line is an age, «minst 2 år» may be a duration."""


@dataclass(frozen=True, slots=True)
class Term:
    """Tokens that state something: `rule` says what, `kind` what its relations are about."""

    rule: Rule
    kind: Kind
    start: int
    end: int
    symbol: str = "TERM"


Item: TypeAlias = Token | Term

_OPERATOR = "(?:AT_LEAST|OVER|AT_MOST|UNDER)"
_OPEN_END = "(?:(?:AND_OVER|AND_UNDER) (?!NUMBER))?"
_LIMIT = rf"NUMBER (?:TO (?=UNIT))?{_OPEN_END}(?:UNIT )?(?:OLD )?{_OPEN_END}(?:OLD )?"
_AGE = re.compile(
    rf"\b(?P<age>(?P<before>(?:{_OPERATOR}|BETWEEN) (?:FILLER )?)?AGE (?:(?:FILLER|PREP|MUST|OF) ){{0,2}}"
    rf"|TURNED )?"
    rf"(?P<between>(?:BETWEEN|FROM) )?(?P<first>(?:{_OPERATOR} )?{_LIMIT})"
    rf"(?:(?P<join>(?:(?:TO|AND|OR|COMMA) ){{0,2}})"
    rf"(?P<second>(?:(?:{_OPERATOR}|AND_OVER|AND_UNDER) )?{_LIMIT}))?"
)
_SEX = re.compile(
    r"\b(?:SEX (?:(?:PREP|FILLER) )?)?"
    r"(?:FEMALE (?:COMMA )?(?:AND |OR |TO )?MALE|MALE (?:COMMA )?(?:AND |OR |TO )?FEMALE"
    r"|BOTH_SEXES|FEMALE|MALE) (?:SEX )?"
)
_LOWER = {"AT_LEAST": True, "OVER": False, "AND_OVER": True, "FROM": True, "TURNED": True}
_UPPER = {"AT_MOST": True, "UNDER": False, "AND_UNDER": True}
_BEFORE_NUMBER = {"AND_OVER": "OVER", "AND_UNDER": "UNDER"}
"""«18 or over» takes 18 in; «or over 75» does not take 75 in."""

_ENDS_AGE = frozenset(
    [
        "COMMA",
        "STOP",
        "CLOSE",
        "OPEN",
        "AND",
        "OR",
        "FILLER",
        "MENTION",
        "NARROW",
        "FEMALE",
        "MALE",
        "TERM",
        "BOTH_SEXES",
        "HISTORY",
        "SEX",
    ]
)
FACTS = {
    "PREGNANT": (Kind.PREGNANCY, "pregnancy"),
    "NOT_PREGNANT": (Kind.PREGNANCY, "pregnancy"),
    "PLANNED_PREGNANCY": (Kind.PREGNANCY, "planned_pregnancy"),
    "BREASTFEEDING": (Kind.PREGNANCY, "breastfeeding"),
    "CONTRACEPTION": (Kind.PREGNANCY, "contraception"),
    "CONSENT": (Kind.CONSENT, "informed_consent"),
    "NORWEGIAN": (Kind.LANGUAGE, "language_nb"),
    "ENGLISH": (Kind.LANGUAGE, "language_en"),
}


def fold(items: Sequence[Item]) -> list[Item]:
    """Fold ages, sexes and facts of one word into terms; every other item is left as it is."""
    folded = _fold(_fold(items, _AGE, _age), _SEX, _sex)
    spoken = any(item.symbol == "SPEAK" for item in items)
    return [_fact(item) if spoken or item.symbol not in {"NORWEGIAN", "ENGLISH"} else item for item in folded]


def _fact(item: Item) -> Item:
    if item.symbol not in FACTS:
        return item
    kind, variable = FACTS[item.symbol]
    relation = Relation(kind, variable, start=item.start, end=item.end)
    rule: Rule = relation
    if item.symbol == "NOT_PREGNANT":
        rule = Not(relation)
    elif item.symbol == "CONTRACEPTION":
        # Who cannot become pregnant needs none, and the text rarely says who that is.
        rule = Or((relation, Unread(item.start, item.end)))
    return Term(rule, kind, item.start, item.end)


_Read: TypeAlias = Callable[[re.Match[str], Sequence[Item], str], list[Item]]


def _fold(items: Sequence[Item], pattern: re.Pattern[str], read: _Read) -> list[Item]:
    """Let `read` replace each stretch of items whose symbols match; it is told the symbol that follows."""
    offsets = accumulate((len(item.symbol) + 1 for item in items), initial=0)
    index = {offset: number for number, offset in enumerate(offsets)}
    symbols = "".join(f"{item.symbol} " for item in items)
    folded: list[Item] = []
    done = 0
    for found in pattern.finditer(symbols):
        first, last = index[found.start()], index[found.end()]
        following = items[last].symbol if last < len(items) else "STOP"
        folded += items[done:first]
        folded += read(found, items[first:last], following)
        done = last
    return [*folded, *items[done:]]


def _sex(found: re.Match[str], items: Sequence[Item], _following: str) -> list[Item]:
    symbols = set(found[0].split())
    values = tuple(
        value
        for value, symbol in (("female", "FEMALE"), ("male", "MALE"))
        if symbols & {symbol, "BOTH_SEXES"}
    )
    start, end = items[0].start, items[-1].end
    return [Term(Relation(Kind.SEX, "sex", values=values, start=start, end=end), Kind.SEX, start, end)]


@dataclass(frozen=True, slots=True)
class _Limit:
    """One number of an age, the words that say which end it is, and its unit in years (0: none)."""

    operator: str
    value: float
    unit: float
    sure: bool

    @property
    def lower(self) -> Bound | None:
        return Bound(self.years, _LOWER[self.operator]) if self.operator in _LOWER else None

    @property
    def upper(self) -> Bound | None:
        return Bound(self.years, _UPPER[self.operator]) if self.operator in _UPPER else None

    @property
    def years(self) -> float:
        return round(self.value * (self.unit or 1.0), 4)


def _limit(items: Sequence[Item], before: str = "") -> _Limit:
    symbols = [item.symbol for item in items]
    operators = [symbol for symbol in symbols if symbol in _LOWER or symbol in _UPPER]
    values = {item.symbol: item.value for item in items if isinstance(item, Token)}
    sure = bool({"OLD", "AND_OVER", "AND_UNDER"} & set(symbols))
    if symbols[0] in _BEFORE_NUMBER:
        operators = [_BEFORE_NUMBER[symbols[0]]]
    return _Limit((operators or [before])[0], values["NUMBER"], values.get("UNIT", 0.0), sure)


def _age(found: re.Match[str], items: Sequence[Item], following: str) -> list[Item]:
    head = found["age"] or ""
    skipped = len((head + (found["between"] or "")).split())
    size = len(found["first"].split())
    before = (found["before"] or found["between"] or head).split(" ")[0]
    first = _limit(items[skipped : skipped + size], before)
    if found["second"]:
        second = _limit(items[len(items) - len(found["second"].split()) :])
        first = replace(first, unit=first.unit or second.unit)
        second = replace(second, unit=second.unit or first.unit)
        sure = (
            bool(head) or first.sure or second.sure or (_bare(first, following) and _bare(second, following))
        )
        rule = _range(first, second, found, items) if sure else None
        if rule:
            return [Term(rule, Kind.AGE, items[0].start, items[-1].end)]
        following = (found["join"] or found["second"]).split(" ")[0]
    rest = skipped + size
    stated = Relation(
        Kind.AGE,
        "age",
        lower=first.lower,
        upper=first.upper,
        unit="years",
        start=items[0].start,
        end=items[rest - 1].end,
    )
    sure = bool(head) or (first.sure and first.unit > 0) or _bare(first, following)
    if not sure or first.years > OLDEST or not (stated.lower or stated.upper):
        return list(items)
    return [Term(stated, Kind.AGE, stated.start, stated.end), *items[rest:]]


def _bare(limit: _Limit, following: str) -> bool:
    return limit.unit > 0 and limit.years >= BARE_AGE and following in _ENDS_AGE


def _range(first: _Limit, second: _Limit, found: re.Match[str], items: Sequence[Item]) -> Rule | None:
    """Two numbers are one range, or («under 18 eller over 75») what lies outside it; None: neither."""
    join = found["join"].split()
    between = bool(found["between"]) or (found["before"] or "").startswith("BETWEEN")
    place = Relation(Kind.AGE, "age", unit="years", start=items[0].start, end=items[-1].end)
    if not second.operator and ("TO" in join or (between and join == ["AND"])):
        lower, upper = first.lower or Bound(first.years), Bound(second.years)
        fits = first.operator in {"", "AGE", "AT_LEAST", "FROM", "OVER", "BETWEEN"}
    elif first.lower and second.upper:
        lower, upper, fits = first.lower, second.upper, True
    elif first.upper and second.lower:
        lower, upper, fits = second.lower, first.upper, True
    else:
        return None
    if not fits or max(lower.value, upper.value) > OLDEST:
        return None
    if lower.value <= upper.value and not (first.upper and lower.value == upper.value):
        return replace(place, lower=lower, upper=upper)
    return Or((replace(place, upper=upper), replace(place, lower=lower)))
