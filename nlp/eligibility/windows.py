"""Windows of time («siste 6 måneder», "within 4 weeks before screening") -> the terms that they narrow."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from nlp.eligibility.logic import Not, Rule, mapped, relations, undecided
from nlp.eligibility.measurements import Item, Term, Window
from nlp.eligibility.relations import Direction, Kind, Relation
from nlp.eligibility.vocabulary import Token

REACH = 6
"""Words that may stand between what happened and when."""

_CONCEPTS = frozenset({Kind.CONDITION, Kind.DRUG, Kind.PROCEDURE})
_DATED = _CONCEPTS | {Kind.OTHER, Kind.PREGNANCY}
_NARROWED = frozenset({"temperature", "weight_loss"})
_FOR = frozenset({"PREP", "FILLER", "NARROW"})
_FRAME = frozenset({"BEFORE", "FILLER", "ANCHOR"})
_CHAIN = frozenset({"OR", "AND", "COMMA", "FILLER", "PAST", "HISTORY", "NARROW", "USE", "ANY_OF", "HEADNOUN"})


def fold_windows(items: Sequence[Item]) -> list[Item]:
    """Give each window to the terms it narrows; one that narrows none is left as the words it was."""
    if not any(isinstance(item, Window) for item in items):
        return [*items]
    kept = [*items]
    for index, item in enumerate(kept):
        if isinstance(item, Window):
            targets = list(_before(kept, index)) or list(_after(kept, index))
            planned = any(each.symbol == "FUTURE" for each in kept[max(0, index - REACH) : index + 2])
            direction = Direction.FUTURE if planned or item.future else Direction.PAST
            for target in targets:
                kept[target] = _narrowed(kept[target], item, direction)
            if targets:
                kept[index] = replace(item, used=True)
    return [each for index, item in enumerate(kept) for each in _left(kept, index, item)]


def _left(items: Sequence[Item], index: int, item: Item) -> Sequence[Item]:
    """A used window goes, with the words that only frame it («within», "prior to screening")."""
    if isinstance(item, Window):
        return () if item.used else item.items
    if item.symbol == "WITHIN" and index + 1 < len(items) and _used(items[index + 1]):
        return ()
    if item.symbol in _FRAME:
        back = index
        while back and items[back].symbol in _FRAME:
            back -= 1
        if _used(items[back]) and any(each.symbol == "BEFORE" for each in items[back + 1 : index + 1]):
            return ()
    return (item,)


def _used(item: Item) -> bool:
    return isinstance(item, Window) and item.used


def _before(items: Sequence[Item], index: int) -> Iterator[int]:
    """The last term before a window, and those it is listed with."""
    last = _last_term(items, index)
    if last is None:
        return
    last = _treated(items, last)
    yield last
    kinds = {getattr(items[last], "kind", None)}
    joined, alternatives = "", False
    for number in range(last - 1, -1, -1):
        item = items[number]
        if isinstance(item, Term):
            alternatives |= joined == "OR"
            mixed = (alternatives or joined != "COMMA") and {item.kind, *kinds} <= _CONCEPTS
            alike = item.kind in kinds or mixed
            if not (joined and _takes(item) and alike):
                return
            yield number
            kinds.add(item.kind)
            joined = ""
        elif item.symbol == "EXAMPLE":
            joined = "OR"  # «immunosuppressants, including steroids, within 4 weeks»
        elif item.symbol not in _CHAIN or (joined == "OR" and not _goes_on(items, number)):
            return  # «epilepsi, eller anfall siste to år»
        elif item.symbol in {"OR", "AND", "COMMA"}:
            joined = joined or item.symbol


def _goes_on(items: Sequence[Item], number: int) -> bool:
    """Whether a list goes on before an "or": not at a comma that is no other's («stroke, angina, or ...»)."""
    if items[number].symbol != "COMMA" or items[number + 1].symbol == "EXAMPLE":
        return True
    for item in reversed(items[:number]):
        if item.symbol in {"COMMA", "STOP", "OPEN"}:
            return item.symbol == "COMMA"
    return False


def _treated(items: Sequence[Item], last: int) -> int:
    """The treatment where the condition is only what it is for: «surgery for cancer within 6 months»."""
    before = last - 1
    while before >= 0 and items[before].symbol in _FOR:
        before -= 1
    term, treatment = items[last], items[before] if before >= 0 else None
    is_for = any(item.symbol == "PREP" for item in items[before + 1 : last])
    asks = any(isinstance(item, Token) and item.name == "asks" for item in items[before + 1 : last])
    if asks and isinstance(treatment, Term) and _takes(treatment):
        return before  # «surgery requiring general anesthesia within 3 months»
    if isinstance(term, Term) and isinstance(treatment, Term) and is_for and term.kind is Kind.CONDITION:
        return before if treatment.kind in {Kind.DRUG, Kind.PROCEDURE} and _takes(treatment) else last
    return last


def _last_term(items: Sequence[Item], index: int) -> int | None:
    """The term that a window follows; what stands in brackets between is passed over."""
    passed, closed = 0, False
    for number in range(index - 1, -1, -1):
        item = items[number]
        closed = item.symbol == "CLOSE" or (closed and item.symbol != "OPEN")
        if closed or item.symbol in _CHAIN:
            continue  # «opioids (for example oxycodone) in the last week»
        if isinstance(item, Term) and _takes(item):
            return number
        passed += 1
        if passed > REACH or isinstance(item, Term | Window) or item.symbol in {"STOP", "EXCEPT"}:
            return None
    return None


def _after(items: Sequence[Item], index: int) -> Iterator[int]:
    """The first terms after a window that stands before them."""
    found = False
    for number in range(index + 1, len(items)):
        item = items[number]
        if isinstance(item, Term) and _takes(item):
            found = True
            yield number
        elif (
            item.symbol not in _CHAIN | {"PREP", "CLOSE", "OF", "OPEN"}
            or isinstance(item, Window)
            or (found and item.symbol in {"PREP", "OPEN", "CLOSE"})
        ):
            return


def _takes(term: Term) -> bool:
    relation = _first(term.rule)
    if relation is None or relation.window_days is not None:
        return False
    return term.kind in _DATED or relation.variable in _NARROWED


def _first(rule: Rule) -> Relation | None:
    return next(relations(rule), None)


def _narrowed(term: Item, window: Window, direction: Direction) -> Term:
    assert isinstance(term, Term)  # noqa: S101 - narrows the type
    asked = term.kind in _CONCEPTS and direction is Direction.PAST

    def narrow(relation: Relation) -> Rule:
        within = replace(relation, window_days=window.days, direction=direction)
        if isinstance(term.rule, Not):
            return within  # a negative pregnancy test: when it is taken is the study's business
        if not asked:
            return undecided(within)
        row = "history" if term.kind is Kind.CONDITION else term.kind
        return replace(within, variable=f"{row}:{relation.concept}@{window.days}")

    return replace(term, rule=mapped(term.rule, narrow))
