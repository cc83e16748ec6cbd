"""Words around a condition or a drug -> what narrows it: how severe, which stage, which dose.

A qualifier is carried by the relation and decides nothing: the words that state it stay unread in the tree.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise, takewhile

from nlp.eligibility.logic import mapped
from nlp.eligibility.measurements import Item, Term
from nlp.eligibility.quantities import Limit, Quantity
from nlp.eligibility.relations import Kind
from nlp.eligibility.units import units
from nlp.eligibility.vocabulary import Token

REACH = 4
"""Words that may stand between a drug and its dose."""

_JOINTS = frozenset({"OR", "AND", "TO", "COMMA", "SLASH", "FILLER"})
_FILLS = frozenset({"FILLER", "OF", "PREP", "LEVEL", "EQUALS", "OPEN", "USE", "WITHIN"})
_DOSES = frozenset({"mass", "half_life", "habit", "dose"})
_SIGNS = {
    **dict.fromkeys(("AT_LEAST", "AND_OVER", "FROM", "TURNED"), "≥ "),
    **dict.fromkeys(("AT_MOST", "AND_UNDER"), "≤ "),
    **{"OVER": "> ", "UNDER": "< "},
}


def fold_qualifiers(items: Sequence[Item]) -> list[Item]:
    """The same items; the terms among them carry their qualifiers."""
    return [
        _qualified(item, tuple(_around(items, index, item))) if isinstance(item, Term) else item
        for index, item in enumerate(items)
    ]


def _qualified(term: Term, found: tuple[str, ...]) -> Term:
    if not found:
        return term
    return replace(term, rule=mapped(term.rule, lambda each: replace(each, qualifiers=found)))


def _around(items: Sequence[Item], index: int, term: Term) -> Iterator[str]:
    after = items[index + 1 : index + 1 + REACH]
    if term.kind is Kind.CONDITION:
        before = list(takewhile(_may_narrow, reversed(items[:index])))[::-1]
        yield from (each.name for each in before if isinstance(each, Token) and _narrows(each))
        yield from _stages(before)
        yield from _stages(after)
    elif term.kind is Kind.DRUG:
        rest = [*_skipped(after)]
        if rest and isinstance(rest[0], Quantity) and _is_dose(rest[0]):
            yield " – ".join(map(_shown, rest[0].limits))


def _may_narrow(item: Item) -> bool:
    return item.symbol in {"NARROW", "QUANTITY", *_JOINTS} or _is_stage(item)


def _narrows(token: Token) -> bool:
    return token.symbol == "NARROW" and token.name != ""


def _is_stage(item: Item) -> bool:
    return isinstance(item, Token) and item.name == "stage"


def _stages(items: Sequence[Item]) -> Iterator[str]:
    """«Stage 3» and «stage 4» of "stage III-IV"."""
    for word, item in pairwise(items):
        if _is_stage(word) and isinstance(item, Quantity) and not item.unit:
            numbers = [int(limit.value) for limit in item.limits]
            spanned = range(numbers[0], numbers[-1] + 1) if item.join == {"TO"} else numbers
            yield from (f"stage {number}" for number in spanned)
            return


def _skipped(items: Sequence[Item]) -> Iterator[Item]:
    inside = False
    for item in items:
        inside = inside or item.symbol not in _FILLS
        if inside:
            yield item


def _is_dose(quantity: Quantity) -> bool:
    return quantity.unit != "" and units()[quantity.unit].dimension in _DOSES


def _shown(limit: Limit) -> str:
    return f"{_SIGNS.get(limit.operator, '')}{limit.value:g} {limit.unit}".strip()
