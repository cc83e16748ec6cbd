"""Folded items of a criterion -> every relation that it states, whatever its logic, for programs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nlp.eligibility.logic import Not, Rule, relations
from nlp.eligibility.measurements import Item, Term
from nlp.eligibility.relations import Relation

_ENDS_DENIAL = frozenset({"STOP", "EXCEPT", "CHANGE", "MUST"})


@dataclass(frozen=True, slots=True)
class Statement:
    """One relation as the text states it. Those that share a `group` number are alternatives."""

    relation: Relation
    negated: bool = False
    group: int | None = None


def statements(items: Sequence[Item]) -> tuple[Statement, ...]:
    """Every relation of the terms among `items`; examples are left out, exceptions count as denied."""
    return tuple(_grouped(list(_each(items))))


def _each(items: Sequence[Item]) -> Iterator[tuple[Statement, int]]:
    """Each statement with the number of the list of alternatives that it stands in."""
    denied = excepted = example = False
    alternative = depth = 0
    for item in items:
        if item.symbol in _ENDS_DENIAL:
            denied = example = False
            excepted = item.symbol == "EXCEPT"
        if item.symbol == "EXAMPLE":
            example = True
        if item.symbol == "CLOSE":
            example = False
        if item.symbol == "NOT":
            denied = True
        if item.symbol in {"STOP", "AND"}:
            alternative += 1
        if isinstance(item, Term) and not example:
            turned = denied is not excepted
            for relation, negated in _relations(item.rule):
                yield Statement(relation, negated is not turned), alternative
        depth += item.symbol == "OPEN"


def _relations(rule: Rule, *, negated: bool = False) -> Iterator[tuple[Relation, bool]]:
    if isinstance(rule, Not):
        yield from _relations(rule.part, negated=not negated)
        return
    yield from ((relation, negated) for relation in relations(rule))


def _grouped(found: list[tuple[Statement, int]]) -> Iterator[Statement]:
    yield from (statement for statement, _ in found)
