"""Folded items of a criterion -> every relation that it states, whatever its logic, for programs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from nlp.eligibility.logic import Not, Or, Rule, relations
from nlp.eligibility.measurements import Item, Term
from nlp.eligibility.relations import Kind, Relation
from nlp.eligibility.variables import variable
from nlp.eligibility.vocabulary import Token

_ENDS_DENIAL = frozenset({"STOP", "EXCEPT", "MUST"})
_ENDS_LIST = frozenset({"STOP", "AND", "EXCEPT", "MUST"})
_KIN = frozenset({Kind.CONDITION, Kind.AGE})
_OF_PEOPLE = frozenset({Kind.AGE, Kind.SEX})


@dataclass(frozen=True, slots=True)
class Statement:
    """One relation as the text states it. Those that share a `group` number are alternatives."""

    relation: Relation
    negated: bool = False
    group: int | None = None


def statements(items: Sequence[Item]) -> tuple[Statement, ...]:
    """Every relation of the terms among `items`.

    Examples and what a relative has are left out, an allergy is no use of the drug, and exceptions count as
    denied. What is said twice is stated once.
    """
    groups = _groups(items)
    stated: dict[tuple[object, ...], Statement] = {}
    for number, each in _each(items):
        said = each.relation
        ends = said.lower, said.upper, said.values, said.unit
        once = said.variable, *ends, said.window_days, said.direction, each.negated
        group = groups.get(number, each.group)
        stated.setdefault(once, each if group == each.group else replace(each, group=group))
    return tuple(stated.values())


@dataclass(slots=True)
class _Mood:
    """What the words so far say of the terms to come."""

    denied: bool = False
    excepted: bool = False
    example: bool = False
    kin: bool = False
    allergy: bool = False

    def hear(self, item: Item) -> None:
        """Take in one item."""
        if item.symbol in _ENDS_DENIAL:
            self.denied = self.example = self.kin = self.allergy = False
            self.excepted = item.symbol == "EXCEPT"
        self.example = (self.example and item.symbol != "CLOSE") or _is_example(item)
        self.denied |= item.symbol == "NOT"
        self.kin |= item.symbol == "KIN"
        self.allergy |= item.symbol == "ALLERGY"

    def passes_over(self, term: Term) -> bool:
        """Whether a term here states nothing about the person."""
        by_kind = (self.kin and term.kind in _KIN) or (self.allergy and term.kind is Kind.DRUG)
        return self.example or by_kind

    def turns(self, term: Term) -> bool:
        """Whether a term here is denied."""
        return (self.denied and term.kind not in _OF_PEOPLE) is not self.excepted


def _is_example(item: Item) -> bool:
    return isinstance(item, Token) and item.symbol == "EXAMPLE" and item.name != "definition"


def _each(items: Sequence[Item]) -> Iterator[tuple[int, Statement]]:
    """Each statement with the place of its term."""
    mood = _Mood()
    for number, item in enumerate(items):
        mood.hear(item)
        if not isinstance(item, Term) or mood.passes_over(item):
            continue
        turned = mood.turns(item) is not _is_negative(items, number)
        for relation, negated in _relations(item.rule):
            yield number, Statement(relation, negated is not turned, _own_group(item, number))


def _is_negative(items: Sequence[Item], number: int) -> bool:
    """«HER2-negative»."""
    item = items[number]
    first = next(relations(item.rule), None) if isinstance(item, Term) else None
    if first is None or not variable(first.variable).choices:
        return False
    after = next((each for each in items[number + 1 : number + 3] if each.symbol != "TO"), None)
    return isinstance(after, Token) and after.name == "negative"


def _own_group(term: Term, number: int) -> int | None:
    """The alternatives of one term: «BMI < 18.5 or ≥ 30»."""
    return number if isinstance(term.rule, Or) and len(list(relations(term.rule))) > 1 else None


def _groups(items: Sequence[Item]) -> dict[int, int]:
    """The number of the list of alternatives that each term stands in; a list ends at «and» and at a stop."""
    found: dict[int, int] = {}
    terms = [number for number, item in enumerate(items) if isinstance(item, Term)]
    chains: list[list[int]] = []
    for before, number in pairwise([-1, *terms]):
        between = {item.symbol for item in items[before + 1 : number]}
        if before >= 0 and between & {"OR", "COMMA"} and not between & _ENDS_LIST:
            chains[-1].append(number)
        else:
            chains.append([number])
    for chain in chains:
        if any(item.symbol == "OR" for item in items[chain[0] : chain[-1]]):
            found |= dict.fromkeys(chain, chain[0])
    return found


def _relations(rule: Rule, *, negated: bool = False) -> Iterator[tuple[Relation, bool]]:
    if isinstance(rule, Not):
        yield from _relations(rule.part, negated=not negated)
        return
    yield from ((relation, negated) for relation in relations(rule))
