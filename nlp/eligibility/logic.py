"""The logic tree of a criterion and its three-valued (Kleene) truth."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from nlp.eligibility.relations import Relation


class Truth(StrEnum):
    """Whether something holds, for all we know."""

    MET = "met"
    NOT_MET = "not_met"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Unread:
    """Words that were not understood: always unknown, whatever is answered. [start, end) locates them."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class And:
    """All parts hold."""

    parts: tuple["Rule", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one part holds."""

    parts: tuple["Rule", ...]


@dataclass(frozen=True, slots=True)
class AtLeast:
    """At least `count` of the parts hold."""

    count: int
    parts: tuple["Rule", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: "Rule"


Rule: TypeAlias = And | Or | AtLeast | Not | Relation | Unread

_OPPOSITE = {Truth.MET: Truth.NOT_MET, Truth.NOT_MET: Truth.MET, Truth.UNKNOWN: Truth.UNKNOWN}


def truth(rule: Rule, of: Callable[[Relation], Truth]) -> Truth:
    """Kleene's strong three-valued truth of a tree, given the truth `of` each relation."""
    match rule:
        case Relation():
            return of(rule)
        case Unread():
            return Truth.UNKNOWN
        case Not(part):
            return _OPPOSITE[truth(part, of)]
        case And(parts) | Or(parts) | AtLeast(_, parts):
            return _at_least(_needed(rule), [truth(part, of) for part in parts])


def relations(rule: Rule | None) -> Iterator[Relation]:
    """Every relation of a tree, in reading order."""
    match rule:
        case Relation():
            yield rule
        case Not(part):
            yield from relations(part)
        case And(parts) | Or(parts) | AtLeast(_, parts):
            for part in parts:
                yield from relations(part)


def is_read(rule: Rule | None) -> bool:
    """Whether nothing in the tree was left unread."""
    match rule:
        case None | Unread():
            return False
        case Relation():
            return True
        case Not(part):
            return is_read(part)
        case And(parts) | Or(parts) | AtLeast(_, parts):
            return all(map(is_read, parts))


def opposite(rule: Rule) -> Rule:
    """The rule that holds when this one does not."""
    return rule.part if isinstance(rule, Not) else Not(rule)


def undecided(relation: Relation) -> Rule:
    """A relation that is stated, but that no answer decides: it is true of what we cannot ask for."""
    unread = Unread(relation.start, relation.end)
    return And((Or((relation, unread)), unread))


def mapped(rule: Rule, change: Callable[[Relation], Rule]) -> Rule:
    """The same tree with every relation put through `change`."""
    match rule:
        case Relation():
            return change(rule)
        case Unread():
            return rule
        case Not(part):
            return Not(mapped(part, change))
        case And(parts):
            return And(tuple(mapped(part, change) for part in parts))
        case Or(parts):
            return Or(tuple(mapped(part, change) for part in parts))
        case AtLeast(count, parts):
            return AtLeast(count, tuple(mapped(part, change) for part in parts))


def pruned(rule: Rule) -> Rule:
    """The same tree with each part that no answer can decide («stroke and ..., or ...») left unread.

    Where a part left unread stood in the text is where its first unread words stand.
    """
    match rule:
        case Relation() | Unread():
            return rule
        case Not(part):
            inner = pruned(part)
            return inner if isinstance(inner, Unread) else Not(inner)
        case And(parts):
            return _decided(And(tuple(map(pruned, parts))))
        case Or(parts):
            return _decided(Or(tuple(map(pruned, parts))))
        case AtLeast(count, parts):
            return _decided(AtLeast(count, tuple(map(pruned, parts))))


def _decided(rule: And | Or | AtLeast) -> Rule:
    unread = next((part for part in rule.parts if isinstance(part, Unread)), None)
    return rule if unread is None or outcomes(rule) else unread


def outcomes(rule: Rule) -> set[Truth]:
    """Which of met and not met some answers can make of a tree, each of its relations taken by itself."""
    match rule:
        case Relation():
            return {Truth.MET, Truth.NOT_MET}
        case Unread():
            return set()
        case Not(part):
            return {_OPPOSITE[each] for each in outcomes(part)}
        case And(parts) | Or(parts) | AtLeast(_, parts):
            possible = [outcomes(part) for part in parts]
            met = sum(Truth.MET in each for each in possible) >= _needed(rule)
            not_met = sum(Truth.NOT_MET in each for each in possible) > len(parts) - _needed(rule)
            return {truth for truth, can in ((Truth.MET, met), (Truth.NOT_MET, not_met)) if can}


def read_part(rule: Rule) -> Rule | None:
    """The tree without its unread leaves; None when nothing is left.

    "Diabetes, stable on insulin" leaves "diabetes". What is left decides nothing: it only tells whether
    all that we understood speaks for the person.
    """
    match rule:
        case Relation():
            return rule
        case Unread():
            return None
        case Not(part):
            inner = read_part(part)
            return None if inner is None else Not(inner)
        case And(parts):
            return _kept(parts, And)
        case Or(parts):
            return _kept(parts, Or)
        case AtLeast(count, parts):
            return _kept(parts, lambda kept: AtLeast(min(count, len(kept)), kept))


def _kept(parts: tuple[Rule, ...], build: Callable[[tuple[Rule, ...]], Rule]) -> Rule | None:
    kept = tuple(part for part in map(read_part, parts) if part is not None)
    return build(kept) if kept else None


def _needed(rule: And | Or | AtLeast) -> int:
    match rule:
        case And(parts):
            return len(parts)
        case Or():
            return 1
        case AtLeast(count, _):
            return count


def _at_least(count: int, parts: list[Truth]) -> Truth:
    certain = parts.count(Truth.MET)
    if certain >= count:
        return Truth.MET
    return Truth.UNKNOWN if certain + parts.count(Truth.UNKNOWN) >= count else Truth.NOT_MET


def written(rule: Rule) -> str:
    """A rule in one line, for people who read rules: «age >= 18 year and not (pregnancy or ?)»."""
    match rule:
        case Relation():
            return _written(rule)
        case Unread():
            return "?"
        case Not(part):
            return f"not {written(part)}"
        case And(parts):
            return f"({' and '.join(map(written, parts))})"
        case Or(parts):
            return f"({' or '.join(map(written, parts))})"
        case AtLeast(count, parts):
            return f"{count} of ({', '.join(map(written, parts))})"


def _written(relation: Relation) -> str:
    lower, upper = relation.lower, relation.upper
    low = "" if lower is None else f" {'>=' if lower.inclusive else '>'} {lower.value:g}"
    high = "" if upper is None else f" {'<=' if upper.inclusive else '<'} {upper.value:g}"
    among = f" = {'/'.join(relation.values)}" if relation.values else ""
    window = f" within {relation.window_days} days" if relation.window_days is not None else ""
    narrowed = f" ({', '.join(relation.qualifiers)})" if relation.qualifiers else ""
    unit = f" {relation.unit}" if relation.unit else ""
    return f"{relation.variable}{narrowed}{low}{high}{among}{unit}{window}"
