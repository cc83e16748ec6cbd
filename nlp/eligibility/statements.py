"""Folded items of a criterion -> every relation that it states, whatever its logic, for programs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from nlp.eligibility.logic import Not, Or, Rule, relations
from nlp.eligibility.measurements import Item, Term
from nlp.eligibility.relations import Kind, Relation
from nlp.eligibility.variables import variable
from nlp.eligibility.vocabulary import Token

_ENDS_MOOD = frozenset({"STOP", "EXCEPT", "MUST"})
_ENDS_LIST = frozenset({"STOP", "AND", "EXCEPT", "MUST"})
_ENDS_MEMBER = frozenset({"COMMA", "OR", "AND", "CLOSE"})
_ENDS_NEAR = frozenset({"COMMA", "AND", "CLOSE"})
_IDLE = frozenset({"SPEAK", "FILLER", "OF", "PREP", "NOT", "OR", "AND", "COMMA", "SLASH", "USE"})
_TELL_NOTHING = frozenset({"WORD", "FILLER", "PREP", "OF", "TO", "NUMBER", "UNIT"})
_KIN = frozenset({Kind.CONDITION, Kind.AGE})
_TO_KIN = frozenset({"FILLER", "PREP", "OF"})
_CONCEPTS = frozenset({Kind.CONDITION, Kind.DRUG, Kind.PROCEDURE})
_OF_PEOPLE = frozenset({Kind.AGE, Kind.SEX})
_UNDENIED = frozenset({Kind.LAB, Kind.MEASURE, Kind.SCORE, Kind.CONSENT, Kind.LANGUAGE})
"""Kinds that a "no" before a comma says nothing of: «not pregnant, BMI below 30, informed consent»."""

_TREATMENTS = frozenset({Kind.DRUG, Kind.PROCEDURE})
_WEAKENED = frozenset({Kind.CONSENT, Kind.LANGUAGE})
"""Kinds of which too little is as good as none: «insufficient command of Norwegian»."""

_NEAR_ALLERGY = frozenset({Kind.PROCEDURE, Kind.OTHER})
"""Kinds that an allergy or a contraindication is to only right beside it."""


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
    terms = [number for number, item in enumerate(items) if isinstance(item, Term)]
    if not terms:
        return ()
    groups = _groups(items, terms)
    stated: dict[tuple[object, ...], Statement] = {}
    for number, each in _each(items):
        said = each.relation
        ends = said.lower, said.upper, said.values, said.unit
        once = said.variable, *ends, said.window_days, said.direction, each.negated
        group = groups.get(number, each.group)
        stated.setdefault(once, each if group == each.group else replace(each, group=group))
    return tuple(stated.values())


@dataclass(slots=True)
class _No:
    """A "no" and how far it reaches: to the end of its list, or if it is `near` to that of its member.

    `prefix`: a «non-», which reaches the next word only. `kinds` of terms that it has denied; `passed`: a
    comma or an "and" has gone by since; `begun`: so has some word of what is denied.
    """

    near: bool
    prefix: bool
    kinds: set[Kind] = field(default_factory=set)
    passed: bool = False
    begun: bool = False

    def hear(self, item: Item) -> None:
        """Take in one item after it. «Unable to read and write» has not begun to say what."""
        self.begun |= item.symbol not in _IDLE

    def ends(self, symbol: str) -> bool:
        """Whether it does not reach as far as the item with this symbol."""
        if self.prefix:
            return symbol != "TO" and (symbol != "TERM" or bool(self.kinds))
        return self.near and self.begun and (symbol in _ENDS_NEAR or (symbol == "OR" and not self.kinds))

    def denies(self, term: Term) -> bool:
        """Whether it turns a term."""
        if term.kind in _OF_PEOPLE or (self.passed and _is_demand(term) and term.kind not in self.kinds):
            return False
        self.kinds.add(term.kind)
        return True


@dataclass(slots=True)
class _Mood:
    """What the words so far say of the terms to come.

    Of the member alone: `begun`, a term stands in it already; `purpose`, what comes is what a treatment is
    for; `weak`, too little of what comes; `beside`, an allergy to it.
    """

    no: _No | None = None
    excepted: bool = False
    example: bool = False
    kin: bool = False
    risk: bool = False
    either: bool = False
    allergy: bool = False
    beside: bool = False
    begun: bool = False
    purpose: bool = False
    weak: bool = False

    def copy(self) -> "_Mood":
        """The mood inside a bracket, which is forgotten where the bracket closes."""
        return replace(self, no=self.no and replace(self.no, kinds={*self.no.kinds}))

    def hear(self, item: Item) -> None:
        """Take in one item."""
        symbol, name = item.symbol, getattr(item, "name", "")
        if self.no is not None:
            self.no = None if self.no.ends(symbol) else self.no
        if self.no is not None:
            self.no.hear(item)
        if symbol in _ENDS_MOOD:
            self.no = None
            self.example = self.kin = self.allergy = False
        if symbol in _ENDS_MEMBER or symbol in _ENDS_MOOD:
            self._end_member(symbol)
        self.excepted = name == "unless" or symbol == "EXCEPT" or (self.excepted and symbol not in _ENDS_MOOD)
        if symbol == "NOT" and (self.no is None or self.no.near):
            self.no = _No(near=self.begun or name == "ability", prefix=name == "prefix")
        self.example |= _is_example(item)
        self.kin |= symbol == "KIN"
        self.risk |= name == "risk"
        self.either |= name == "either"
        self.allergy |= symbol == "ALLERGY"
        self.beside |= symbol == "ALLERGY"
        self.begun |= isinstance(item, Term)
        self.purpose |= name == "purpose"
        self.weak |= symbol == "WEAK"

    def _end_member(self, symbol: str) -> None:
        self.begun = self.beside = self.purpose = self.weak = False
        self.risk = self.risk and symbol == "OR"
        self.either = self.either and symbol == "OR"
        if self.no is not None:
            self.no.passed |= self.no.begun and symbol in _ENDS_NEAR

    def passes_over(self, term: Term) -> bool:
        """Whether a term here states nothing about the person."""
        return (
            self.example
            or self.either
            or (self.kin and term.kind in _KIN)
            or (self.risk and term.kind is Kind.CONDITION)
            or (self.allergy and term.kind is Kind.DRUG)
            or (self.beside and term.kind in _NEAR_ALLERGY)
        )

    def turns(self, term: Term) -> bool:
        """Whether a term here is denied, as all that is excepted is."""
        if self.no is None:
            return self.excepted or (self.weak and term.kind in _WEAKENED)
        treated = self.purpose and term.kind not in _TREATMENTS and bool(self.no.kinds & _TREATMENTS)
        return self.excepted or (not treated and self.no.denies(term))


def _is_demand(term: Term) -> bool:
    return term.kind in _UNDENIED or "contraception" in {each.variable for each in relations(term.rule)}


def _is_example(item: Item) -> bool:
    return isinstance(item, Token) and item.symbol == "EXAMPLE" and item.name != "definition"


def _each(items: Sequence[Item]) -> Iterator[tuple[int, Statement]]:
    """Each statement with the place of its term."""
    moods = [_Mood()]
    allowed = _allowed(items)
    for number, item in enumerate(items):
        if item.symbol == "OPEN":
            moods.append(moods[-1].copy())
        elif item.symbol == "CLOSE" and len(moods) > 1:
            moods.pop()
        mood = moods[-1]
        if mood.no is not None or item.symbol not in _TELL_NOTHING or (isinstance(item, Token) and item.name):
            mood.hear(item)
        if not isinstance(item, Term) or number in allowed or mood.passes_over(item):
            continue
        if _of_kin(items, number) or _repeats(items, number):
            continue
        if (
            mood.no is not None
            and mood.no.prefix
            and item.kind in _CONCEPTS
            and not _of_people(items, number)
        ):
            mood.no = None  # a non-cardiac disease is another disease, a non-diabetic patient has no diabetes
            continue
        turned = mood.turns(item) is not _is_negative(items, number)
        for relation, negated in _relations(item.rule):
            yield number, Statement(relation, negated is not turned, _own_group(item, number))


def _of_kin(items: Sequence[Item], number: int) -> bool:
    """«Fish allergy in the family»."""
    term = items[number]
    after = (item.symbol for item in items[number + 1 : number + 5] if item.symbol not in _TO_KIN)
    return isinstance(term, Term) and term.kind is Kind.CONDITION and next(after, "") == "KIN"


def _repeats(items: Sequence[Item], number: int) -> bool:
    """«Transient ischaemic attack (TIA)»."""
    if number < 2 or [each.symbol for each in items[number - 1 : number + 2 : 2]] != ["OPEN", "CLOSE"]:
        return False
    before, term = items[number - 2], items[number]
    if not isinstance(before, Term) or not isinstance(term, Term) or term.kind not in _CONCEPTS:
        return False
    return {each.concept for each in relations(term.rule)} == {
        each.concept for each in relations(before.rule)
    }


def _of_people(items: Sequence[Item], number: int) -> bool:
    return number + 1 < len(items) and items[number + 1].symbol == "FILLER"


def _allowed(items: Sequence[Item]) -> frozenset[int]:
    """Places in the sentences and brackets that end in what is allowed: «inhaled steroids are permitted»."""
    found: set[int] = set()
    starts = [0]
    for number, item in enumerate(items):
        if item.symbol == "STOP":
            starts[-1] = number
        elif item.symbol == "OPEN":
            starts.append(number)
        elif item.symbol == "CLOSE" and len(starts) > 1:
            starts.pop()
        elif isinstance(item, Token) and item.name == "allowed":
            found |= set(range(starts[-1], number))
    return frozenset(found)


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


def _groups(items: Sequence[Item], terms: Sequence[int]) -> dict[int, int]:
    """The number of the list of alternatives that each term stands in; a list ends at «and» and at a stop."""
    found: dict[int, int] = {}
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
