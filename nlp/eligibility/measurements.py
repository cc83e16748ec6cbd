"""Quantities and the variables beside them -> terms that state a measurement.

A number belongs to the variable before it in its clause, if its unit is one that the variable can have; else
to one right after it («≥ 22 on the MADRS»). A number of years that nobody claims may be an age.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from nlp.eligibility.logic import And, Or, Rule, relations
from nlp.eligibility.quantities import Quantity, Range, rescued
from nlp.eligibility.relations import Kind, Relation
from nlp.eligibility.units import accepts, canonical, is_plausible
from nlp.eligibility.variables import Variable, variable
from nlp.eligibility.vocabulary import Token

BARE_AGE = 12
"""Years. «Minst 18 år» at the head of a line is an age, «minst 2 år» may be a duration."""

REACH = 7
"""Words that may stand between a variable and its number."""

AHEAD = 4
"""Words that may stand between a number and the variable after it."""

_DAYS = {"year": 365.0, "half-year": 182.5, "month": 365 / 12, "week": 7.0, "day": 1.0, "hour": 1 / 24}
_DRINKS = frozenset({"units/day", "units/week"})
_PRESSURE_UNITS = frozenset({"mmHg", "kPa"})
PRESSURES = ("sbp", "dbp")
_COUNTED = frozenset({"alcohol"})
"""Facts that are also counted: «more than 14 units a week»."""

_BARE = frozenset({"age", "gestational_age", "karnofsky_score"})
"""What a number states without a word that says which end it is."""


@dataclass(frozen=True, slots=True)
class Term:
    """Words that state something: `rule` says what, `kind` what its relations are about."""

    rule: Rule
    kind: Kind
    start: int
    end: int
    symbol: str = "TERM"


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time that ends or begins with inclusion. `items` are the tokens that it folds."""

    days: int
    items: tuple[Token, ...]
    future: bool = False
    used: bool = False
    symbol: str = "WINDOW"

    @property
    def start(self) -> int:
        """Where its first word starts."""
        return self.items[0].start

    @property
    def end(self) -> int:
        """Where its last word ends."""
        return self.items[-1].end


Item: TypeAlias = Token | Quantity | Term | Window

_LINKS = frozenset(
    {"AND", "OR", "COMMA", "SLASH", "OPEN", "CLOSE", "FILLER", "LEVEL", "EXAMPLE", "OF", "PREP"}
)
_SEXES = frozenset({"FEMALE", "MALE"})
_AGAIN = _LINKS | _SEXES | {"SEX", "FOR"}
_FILLS = frozenset({"FILLER", "OF", "PREP", "LEVEL", "EQUALS", "OPEN", "CLOSE", "MUST", "NOW", "TO"})
"""What between a variable and its number adds nothing."""

_LASTS = frozenset({"LASTING", "FILLER", "PREP", "OF", "MUST", "OPEN", "COMMA"})
_TIMED = frozenset({"BEFORE", "AFTER", "UNIT", "PAST", "ANCHOR", "NUMBER", "OLD"})
"""Right after a length of time these say when, or how often, and not for how long."""

_LEADS = frozenset({"FILLER", "OF", "PREP", "LEVEL", "OPEN", "FOLLOWING", "FOR"})
_OPERATORS = frozenset({"AT_LEAST", "OVER", "AT_MOST", "UNDER", "BETWEEN", "TURNED"})
_ENDS_AGE = frozenset(
    {
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
    }
)
_BEFORE_AGE = frozenset({"FILLER", "STOP", "COMMA", "OPEN", "FEMALE", "MALE", "OR", "AND"})
_NO_AGE_AFTER = frozenset({"WITHIN", "PREP", "PAST", "TIMES"})


@dataclass(frozen=True, slots=True)
class _Claim:
    """A quantity and the variables it belongs to, by their places among the items."""

    quantity: int
    variables: tuple[int, ...]


def fold_measurements(items: Sequence[Item]) -> list[Item]:
    """Fold each variable with its quantity, and each age, into a term; the rest is left as it was."""
    kept = _for_either_sex(_apposed(items))
    placed: dict[int, list[Item]] = {}
    for claim in _claims(kept):
        terms = list(_terms(kept, claim))
        for index, term in zip(claim.variables, terms, strict=True):
            placed.setdefault(claim.quantity if index in placed else index, []).append(term)
        for index in _between(kept, claim):
            placed.setdefault(index, [])
    for index, item in enumerate(kept):
        if isinstance(item, Quantity) and index not in placed:
            placed[index] = _unclaimed(kept, index, item)
    return [each for index, item in enumerate(kept) for each in placed.get(index, (item,))]


def _apposed(items: Sequence[Item]) -> list[Item]:
    """«Body mass index (BMI)» and «SGPT (ALT)» name one variable once."""
    kept: list[Item] = []
    position = 0
    while position < len(items):
        item = items[position]
        inside = items[position + 1 : position + 4]
        position += 1
        if (
            isinstance(item, Token)
            and item.symbol == "VARIABLE"
            and [each.symbol for each in inside] == ["OPEN", "VARIABLE", "CLOSE"]
            and isinstance(inside[1], Token)
            and inside[1].name == item.name
        ):
            kept.append(item._replace(end=inside[2].end))
            position += 3
        else:
            kept.append(item)
    return kept


def _for_either_sex(items: list[Item]) -> list[Item]:
    """«≥ 13 g/dl for men and 12 for women»: the second number is one of the same kind."""
    first = -1
    for index, item in enumerate(items):
        if not isinstance(item, Quantity):
            continue
        said = items[first] if first >= 0 else None
        between = items[first + 1 : index]
        bare = len(item.limits) == 1 and not item.operated
        if isinstance(said, Quantity) and bare and said.operated and len(said.limits) == 1:
            alike = item.unit in {"", said.unit} and any(each.symbol in _SEXES for each in between)
            after = next((each.symbol for each in items[index + 1 :] if each.symbol not in _FILLS), "")
            if alike and after in _SEXES and _only(between, _AGAIN):
                limit = replace(item.limits[0], operator=said.limits[0].operator, unit=said.unit)
                items[index] = replace(item, limits=(limit,))
        first = index
    return items


def _claims(items: Sequence[Item]) -> Iterator[_Claim]:
    """Which quantity belongs to which variables."""
    group: list[int] = []
    claimed = -1
    changed = -AHEAD
    for index, item in enumerate(items):
        if item.symbol == "STOP":
            group = []
        elif item.symbol == "CHANGE":
            changed = index
            group = []
        elif _is_variable(item):
            if index - changed < AHEAD and _only(items[changed + 1 : index], _LEADS):
                group = []  # a change is not a level
            elif group and claimed < group[0] and _only(items[group[-1] + 1 : index], _LINKS):
                group.append(index)
            else:
                group = [index]
        elif isinstance(item, Quantity):
            found = _owners(items, index, group, claimed)
            if found:
                yield _Claim(index, found)
                claimed = index


def _owners(items: Sequence[Item], index: int, group: Sequence[int], claimed: int) -> tuple[int, ...]:
    quantity = items[index]
    assert isinstance(quantity, Quantity)  # noqa: S101 - narrows the type
    named = {_variable(items[each]).name: each for each in group}  # each once, where it stands last
    said = replace(quantity, between=True) if group and _operator_before(items, group[0])[0] else quantity
    before = tuple(each for each in sorted(named.values()) if _fits(_variable(items[each]), said))
    after = _following(items, index, quantity)
    if before and claimed > group[-1]:
        before = before if _goes_on(items, claimed, index, quantity) else ()
    elif before:
        near = _reaches(items, group[-1], index, quantity)
        closer = after and _variable(items[before[0]]).name == "blood_pressure"
        before = before if near and not closer else ()
    return before or after


def _goes_on(items: Sequence[Item], claimed: int, index: int, quantity: Quantity) -> bool:
    """Whether a variable that has its quantity takes another: «≥ 2 for men and ≥ 3 for women»."""
    after = items[index + 1].symbol if index + 1 < len(items) else "STOP"
    between = _without_brackets(items[claimed + 1 : index])
    return quantity.operated and _only(between, _AGAIN) and after not in {"WORD", "MENTION"}


def _without_brackets(items: Sequence[Item]) -> list[Item]:
    """«> 300 ng/l (in sinus rhythm) or > 900 ng/l»."""
    kept: list[Item] = []
    inside = False
    for item in items:
        inside = item.symbol == "OPEN" or (inside and item.symbol != "CLOSE")
        if not inside and item.symbol != "CLOSE":
            kept.append(item)
    return kept


def _reaches(items: Sequence[Item], variable_at: int, index: int, quantity: Quantity) -> bool:
    between = items[variable_at + 1 : index]
    following = items[index + 1] if index + 1 < len(items) else None
    if not quantity.operated and isinstance(following, Quantity) and following.operated:
        return False  # «HAM-D 17 ≥ 20»
    if not quantity.operated and len(quantity.limits) == 1 and not quantity.unit:
        return _only(between, _FILLS)
    words = sum(item.symbol not in _FILLS for item in between)
    return words <= REACH and not any(item.symbol in {"EXCEPT", "SCALE"} for item in between)


def _following(items: Sequence[Item], index: int, quantity: Quantity) -> tuple[int, ...]:
    """A variable right after a quantity that is not followed by a quantity of its own."""
    for ahead in range(index + 1, min(index + 2 + AHEAD, len(items))):
        item = items[ahead]
        if _is_variable(item):
            own = next((each for each in items[ahead + 1 :] if each.symbol not in _FILLS), None)
            free = not (isinstance(own, Quantity) and own.operated and _fits(_variable(item), own))
            return (ahead,) if free and _fits(_variable(item), quantity) else ()
        if item.symbol not in _LEADS:
            return ()
    return ()


def _fits(about: Variable, quantity: Quantity) -> bool:
    """Whether a quantity can be one of this variable."""
    if about.name == "blood_pressure":
        return quantity.is_pair and quantity.unit in {"", *_PRESSURE_UNITS}
    if _is_whole_scale(about, quantity):
        return False
    if quantity.unit:
        stated = (
            quantity.operated or quantity.join or about.name in _BARE or quantity.unit in {"xULN", "points"}
        )
        return bool(stated) and accepts(about, quantity.unit)
    if any(limit.grade for limit in quantity.limits):
        return about.name == "child_pugh"
    if about.name in _COUNTED:
        return False
    stated = about.about is Kind.SCORE or quantity.operated or quantity.join or about.name == "age"
    return bool(stated) and any(_is_plausible(about, each) for each in rescued(quantity))


def _is_whole_scale(about: Variable, quantity: Quantity) -> bool:
    """«0-10» says how a score counts, not what it must be."""
    ends = [limit.value for limit in quantity.limits]
    whole = "TO" in quantity.join and ends == [about.lower, about.upper]
    return about.about is Kind.SCORE and quantity.limits[0].operator in {"", "FROM"} and whole


def _is_plausible(about: Variable, quantity: Quantity) -> bool:
    limits = quantity.limits[:1] if quantity.is_pair else quantity.limits
    return all(is_plausible(about, limit.value, limit.unit or quantity.unit) for limit in limits)


def _terms(items: Sequence[Item], claim: _Claim) -> Iterator[Term]:
    quantity = items[claim.quantity]
    assert isinstance(quantity, Quantity)  # noqa: S101 - narrows the type
    first, last = claim.variables[0], claim.variables[-1]
    before = _operator_before(items, first)[0] if first < claim.quantity else ""
    paired = quantity.is_pair and len(claim.variables) == len(quantity.limits)
    for number, index in enumerate(claim.variables):
        about = _variable(items[index])
        start = quantity.start if index > claim.quantity else items[index].start
        end = max(items[index].end, quantity.end) if index == last else items[index].end
        own = _part_of_pair(quantity, number) if paired else quantity
        yield Term(_rule(about, own, before, start, end), about.about, start, end)


def _part_of_pair(quantity: Quantity, number: int) -> Quantity:
    """One number of «140/90», with the operator of the first and the unit of the last."""
    limit = replace(quantity.limits[number], operator=quantity.limits[0].operator, unit=quantity.unit)
    return replace(quantity, limits=(limit,), join=frozenset())


def _operator_before(items: Sequence[Item], index: int) -> tuple[str, int]:
    """«Minimum hemoglobin of 9», «between the ages of 18 and 65»: the operator, and how far before it is."""
    for back in range(1, min(index, 2) + 1):
        symbol = items[index - back].symbol
        if symbol in _OPERATORS:
            return symbol, back
        if symbol not in {"FILLER", "LEVEL"}:
            break
    return "", 0


def _rule(about: Variable, quantity: Quantity, before: str, start: int, end: int) -> Rule:
    if about.name == "blood_pressure":
        parts = tuple(
            _rule(variable(name), _part_of_pair(quantity, number), before, start, end)
            for number, name in enumerate(PRESSURES)
        )
        high = quantity.limits[0].lower is not None
        return Or(parts) if high else And(parts)
    if quantity.is_pair and about.about is Kind.SCORE and quantity.limits[1].value == about.upper:
        quantity = _part_of_pair(quantity, 0)
    if quantity.is_pair and about.name in PRESSURES:
        quantity = _part_of_pair(quantity, PRESSURES.index(about.name))
    likely = next((each for each in rescued(quantity) if _is_plausible(about, each)), quantity)
    stated = tuple(_relation(about, each, start, end) for each in likely.ranges(before))
    return stated[0] if len(stated) == 1 else Or(stated)


def _relation(about: Variable, stated: Range, start: int, end: int) -> Relation:
    unit = "" if stated.unit == "points" else stated.unit
    if not unit and about.name in {"age", "gestational_age"}:
        unit = about.unit
    return Relation(
        about.about, about.name, "", stated.lower, stated.upper, stated.values, unit, start=start, end=end
    )


def _between(items: Sequence[Item], claim: _Claim) -> Iterator[int]:
    """The quantity and the words around it that add nothing once it is folded."""
    yield claim.quantity
    first = claim.variables[0]
    if first < claim.quantity and (count := _operator_before(items, first)[1]):
        yield from range(first - count, first)
    low, high = sorted((claim.variables[-1], claim.quantity))
    yield from (index for index in range(low + 1, high) if items[index].symbol in _FILLS)


def _unclaimed(items: Sequence[Item], index: int, quantity: Quantity) -> list[Item]:
    """A quantity that no variable claims: an age, or the tokens that it was."""
    if quantity.unit == "pack-year" and quantity.operated:
        name = "pack_years"
    elif quantity.unit in _DRINKS and quantity.operated and not _is_dose(items, index):
        name = "alcohol"
    elif quantity.unit == "kg/m2" and quantity.operated:
        name = "bmi"
    elif quantity.is_pair and quantity.unit in _PRESSURE_UNITS:
        name = "blood_pressure"
    elif quantity.unit == "week" and _is_of_pregnancy(items, index, quantity):
        name = "gestational_age"
    elif _is_age(items, index, quantity):
        name = "age"
    elif _is_of_complaint(items, index, quantity):
        name = "symptom_duration"
    else:
        window = _window(items, index, quantity)
        return [*quantity.items] if window is None else [window]
    about, start, end = variable(name), quantity.start, quantity.end
    return [Term(_rule(about, quantity, "", start, end), about.about, start, end)]


def _is_dose(items: Sequence[Item], index: int) -> bool:
    """«Insulin > 50 units a day»."""
    near = items[max(0, index - AHEAD) : index]
    return any(isinstance(item, Term) and item.kind is Kind.DRUG for item in near)


def _is_of_pregnancy(items: Sequence[Item], index: int, quantity: Quantity) -> bool:
    """«Singleton pregnancy at 24+0 to 33+6 weeks», "pregnancy ≥ 37 weeks"."""
    told = [number for number, item in enumerate(items) if getattr(item, "name", "") == "pregnancy"]
    stated = "TO" in quantity.join or (quantity.operated and index - 1 in told)
    return bool(told) and stated and _is_plausible(variable("gestational_age"), quantity)


def _is_of_complaint(items: Sequence[Item], index: int, quantity: Quantity) -> bool:
    """«Back pain for at least 12 weeks», «depresjon som har vart i over to uker»."""
    following = next((item.symbol for item in items[index + 1 :] if item.symbol not in _LEADS), "STOP")
    if quantity.unit not in _DAYS or not quantity.operated or following in _TIMED:
        return False
    before = index - 1
    while before >= 0 and items[before].symbol in _LASTS:
        before -= 1
    term = items[before] if before >= 0 else None
    if not isinstance(term, Term) or term.kind is not Kind.CONDITION:
        return False
    lasting = any(item.symbol == "LASTING" for item in items[before + 1 : index])
    concept = next((each.concept for each in relations(term.rule)), "")
    return lasting or (not isinstance(term.rule, Relation) and index - before > 1) or "pain" in concept


def _window(items: Sequence[Item], index: int, quantity: Quantity) -> Window | None:
    limit = quantity.limits[-1]
    if limit.unit not in _DAYS or limit.lower is not None or (limit.operator and limit.upper is None):
        return None
    before = items[index - 1] if index else None
    after = items[index + 1].symbol if index + 1 < len(items) else "STOP"
    within = before is not None and before.symbol == "WITHIN"
    following = items[index + 1] if index + 1 < len(items) else None
    counted = after in {"OF", "FROM", "AFTER"} or (isinstance(following, Token) and following.name == "from")
    anchored = counted and _is_anchored(items, index + 2)
    fewer = limit.upper is not None and (anchored or (_is(before, "OPEN") and after == "CLOSE"))
    if not (within or fewer or after == "BEFORE" or _is(before, "PAST") or _is(before, "BEFORE")):
        return None
    if counted and not anchored:
        return None  # «within 14 days of the first symptoms» is not told from inclusion
    future = within and isinstance(before, Token) and before.name == "future"
    return Window(round(limit.value * _DAYS[limit.unit]), quantity.items, future)


def _is(item: Item | None, symbol: str) -> bool:
    return item is not None and item.symbol == symbol


def _is_anchored(items: Sequence[Item], index: int) -> bool:
    following = next((item for item in items[index : index + AHEAD] if item.symbol != "FILLER"), None)
    return isinstance(following, Token) and following.symbol == "ANCHOR" and following.name != "dose"


def _is_age(items: Sequence[Item], index: int, quantity: Quantity) -> bool:
    age = variable("age")
    if quantity.unit and not accepts(age, quantity.unit):
        return False
    if not all(is_plausible(age, limit.value, limit.unit or quantity.unit) for limit in quantity.limits):
        return False
    if quantity.aged:
        return bool(quantity.unit) or quantity.operated or bool(quantity.join)
    before = items[index - 1].symbol if index else "STOP"
    after = items[index + 1].symbol if index + 1 < len(items) else "STOP"
    if quantity.limits[0].operator == "AND_OVER" and not quantity.unit:  # «65+»
        young = quantity.limits[0].value < BARE_AGE
        return not young and before in _BEFORE_AGE and after in _ENDS_AGE - {"TERM", "NARROW"}
    if before == "PREP" and "TO" in quantity.join and quantity.unit == "year":  # «menn på 50-75 år»
        before = items[index - 2].symbol if index > 1 else "STOP"
    years = [canonical(age, limit.value, limit.unit or quantity.unit) or 0 for limit in quantity.limits]
    stated = quantity.operated or "TO" in quantity.join
    return (
        bool(quantity.unit)
        and stated
        and max(years) >= BARE_AGE
        and before not in _NO_AGE_AFTER
        and after in _ENDS_AGE
    )


def _is_variable(item: Item) -> bool:
    return isinstance(item, Token) and (item.symbol == "VARIABLE" or item.name in _COUNTED)


def _variable(item: Item) -> Variable:
    assert isinstance(item, Token)  # noqa: S101 - narrows the type
    return variable(item.name)


def _only(items: Sequence[Item], symbols: frozenset[str]) -> bool:
    return all(item.symbol in symbols for item in items)
