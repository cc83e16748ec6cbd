"""One sentence of a criterion, as folded items -> what it states, as a logic tree.

What is not understood stays in the tree as Unread and decides nothing. The reading rests on where words
stand: unknown words *before* a condition may change whose condition it is, so the condition is not read;
unknown words *after* it can only narrow it («asthma treated with ...»).
"""

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, replace
from itertools import dropwhile, pairwise

from nlp.eligibility.logic import And, Not, Or, Rule, Unread, mapped, opposite, relations, undecided
from nlp.eligibility.measurements import Item, Term
from nlp.eligibility.relations import Kind, Relation
from nlp.eligibility.variables import variables
from nlp.eligibility.vocabulary import Token

CONNECTIVES = frozenset({"AND", "OR", "COMMA"})
_FAMILIAR = frozenset(
    {"FILLER", "FOLLOWING", "ANY_OF", "ALL_OF", "SEX", "OLD", "OF", "HISTORY", "PAST", "NOW", "MUST"}
)
DOUBTFUL = frozenset({"DOUBT", "IF", "OTHERS", "KIN", "ALLERGY"})
"""Words that may turn a sentence round («unless», «allowed») or make it about somebody else."""

_NARROWING = frozenset({"NARROW", "CHILDBEARING", "ASIDE"})
_TOPICAL = {
    Kind.PREGNANCY: frozenset({"USE", "CHILDBEARING"}),
    Kind.DRUG: frozenset({"USE"}),
    Kind.LANGUAGE: frozenset({"SPEAK"}),
    Kind.CONSENT: frozenset({"SPEAK"}),
}
"""Words that say nothing more once a sentence is about this."""

_ATTRIBUTES = frozenset({Kind.AGE, Kind.SEX, Kind.CONSENT, Kind.LANGUAGE})
"""What a sentence says of a person beside the condition: «voksne over 18 år med astma eller KOLS»."""

_MEASURED = frozenset({Kind.LAB, Kind.MEASURE, Kind.SCORE})
_PEOPLE = frozenset({Kind.AGE, Kind.SEX, Kind.CONDITION})
_SOME = frozenset({Kind.SEX, Kind.CONDITION, Kind.PREGNANCY})
"""What tells for whom something is asked: «kvinner må ...», "if diabetic, ..."."""

_LISTED = frozenset({"AND", "OR", "COMMA", "FILLER", "NARROW", "HEADNOUN", "ANY_OF", "HISTORY", "PAST", "OF"})
"""Beside the names of exceptions these add no other exception."""

_TREATMENTS = frozenset({Kind.DRUG, Kind.PROCEDURE})
_RENAMED = frozenset({Kind.CONDITION, Kind.DRUG, Kind.PROCEDURE, Kind.OTHER})
_RENAMES = frozenset({"WORD", "USE", "CLINICAL", "GROUP", "OF"})
"""Right after a condition these make it something else: «asthma nurse», «consumption of fish»."""

_DEMANDED = frozenset(
    {"contraception", "informed_consent"}
    | {name for name, row in variables().items() if row.about is Kind.LANGUAGE}
)
"""What studies ask for: an inclusion names it, an exclusion names its lack."""


@dataclass(frozen=True, slots=True)
class _Segment:
    """What stands between two connectives.

    `rest`: words are left over; `lost`: some that nothing is known of; `turned`: a "no" among them, so
    that what follows is not stated. `joined` is the connective before the segment ("" for the first).
    """

    terms: tuple[Term, ...]
    negated: bool
    rest: bool
    lost: bool
    turned: bool
    joined: str = ""

    @property
    def kinds(self) -> set[Kind]:
        return {term.kind for term in self.terms}

    @property
    def variables(self) -> set[str]:
        return set().union(*map(_variables, self.terms))


def read_sentence(items: Sequence[Item], *, excludes: bool) -> Rule:
    """What a sentence states, the polarity of its section apart; Unread where nothing is certain.

    `excludes`: it stands in a list of exclusions, where a list means any of its members.
    """
    whole = Unread(items[0].start, items[-1].end)
    if not any(isinstance(item, Term) for item in items):
        return whole
    if parts := _for_some(items, excludes=excludes):
        some, asked = parts
        who = read_sentence(some, excludes=False)
        what = read_sentence(asked, excludes=excludes)
        return And((who, what)) if excludes else Or((opposite(who), what))
    main, exceptions = _excepted(items)
    if exceptions:
        spared = Or((Not(Or(exceptions)), whole))  # whoever has an exception is the study's to judge
        stated = _plainly(main, whole, excludes=excludes)
        return Not(And((stated.part, spared))) if isinstance(stated, Not) else And((stated, spared))
    return _plainly(items, whole, excludes=excludes)


def _plainly(items: Sequence[Item], whole: Unread, *, excludes: bool) -> Rule:
    """What a sentence without "if" and exceptions states."""
    kept = _lacking(_about_women(_in_the_past(_without_asides(items))))
    doubtful = any(item.symbol in DOUBTFUL for item in kept) or _depends_on_sex(kept)
    if not kept or doubtful or _is_conditional(kept, excludes=excludes):
        return whole
    segments = _segments(kept)
    if not any(segment.terms for segment in segments) or not all(_plausible(s, excludes) for s in segments):
        return whole
    return _negated(segments, whole, excludes=excludes)


def _for_some(items: Sequence[Item], *, excludes: bool) -> tuple[list[Item], list[Item]] | None:
    """(for whom, what is asked of them) in "if female, ...", "... if female" and «kvinner må ...»."""
    symbols = [item.symbol for item in items]
    if symbols.count("IF") > 1:
        return None
    if symbols[0] == "IF":
        ends = [number for number, symbol in enumerate(symbols) if symbol in {"COMMA", "MUST"}]
        cut = ends[0] if ends else 0
        some, asked = [*items[1:cut]], [*items[cut:]]
    elif "IF" in symbols:
        cut = symbols.index("IF")
        some, asked = [*items[cut + 1 :]], [*items[:cut]]
    elif "MUST" in symbols and not excludes:
        cut = symbols.index("MUST")
        some, asked = [*items[:cut]], [*items[cut + 1 :]]
    else:
        return None
    asked = [*dropwhile(lambda item: item.symbol in {"COMMA", "MUST", "FILLER"}, asked)]
    kinds = {item.kind for item in some if isinstance(item, Term)}
    return (some, asked) if asked and kinds and kinds <= _SOME else None


def _excepted(items: Sequence[Item]) -> tuple[list[Item], tuple[Rule, ...]]:
    """What stands before «unntatt», and the conditions after it if nothing but they stands there.

    Exceptions with a window of their own are not read: it may be that of the whole sentence.
    """
    cut = next((number for number, item in enumerate(items) if item.symbol == "EXCEPT"), 0)
    if not cut:
        return [*items], ()
    after = items[cut + 1 :]
    terms = [item for item in after if isinstance(item, Term)]
    plain = all(_is(item, Kind.CONDITION) or item.symbol in _LISTED for item in after)
    dated = any(relation.window_days for term in terms for relation in relations(term.rule))
    if not (terms and plain) or dated or any(item.symbol == "OPEN" for item in items[:cut]):
        return [*items], ()
    return [*items[:cut]], tuple(mapped(term.rule, _ever) for term in terms)


def _depends_on_sex(items: Sequence[Item]) -> bool:
    """«Hemoglobin ≥ 13 for men, ≥ 12 for women»: a sex after a measurement says for whom it holds."""
    kinds = [item.kind for item in items if isinstance(item, Term) and item.symbol == "TERM"]
    first = next((number for number, kind in enumerate(kinds) if kind in _MEASURED), len(kinds))
    return Kind.SEX in kinds[first:]


def _is_conditional(items: Sequence[Item], *, excludes: bool) -> bool:
    """«Patients with asthma must ...» asks nothing of others; a "must" among exclusions is misplaced."""
    must = next((i for i, item in enumerate(items) if item.symbol == "MUST"), len(items))
    somebody = any(
        isinstance(item, Term) and item.symbol == "TERM" and item.kind in _PEOPLE for item in items[:must]
    )
    return must < len(items) and (excludes or somebody)


def _plausible(segment: _Segment, excludes: bool) -> bool:
    if segment.variables & _DEMANDED:
        return segment.negated is excludes
    # "Exclusion: no diabetes" is as often a slip of the pen as a demand.
    return not (excludes and segment.negated and segment.terms)


def _without_asides(items: Sequence[Item]) -> list[Item]:
    """Replace examples, exceptions and brackets by an ASIDE, which narrows; drop what only repeats.

    Empty when the sentence opens with an example or an exception, or a bracket never closes.
    """
    kept: list[Item] = []
    said: set[str] = set()
    position = 0
    while position < len(items):
        item = items[position]
        if item.symbol in {"EXAMPLE", "EXCEPT"}:
            while kept and kept[-1].symbol == "COMMA":
                kept.pop()
            return [*kept, Token("ASIDE", item.start, item.end)] if kept else []
        if item.symbol != "OPEN":
            kept.append(item)
            position += 1
            if isinstance(item, Term):
                said |= _variables(item)
            continue
        close = next((i for i in range(position, len(items)) if items[i].symbol == "CLOSE"), None)
        if close is None:
            return []
        kept += _aside(items[position + 1 : close], said)
        position = close + 1
    return kept


def _variables(item: Item) -> set[str]:
    return {each.variable for each in relations(item.rule)} if isinstance(item, Term) else set()


def _aside(inside: Sequence[Item], said: Set[str]) -> list[Item]:
    """What a bracket adds: an age or a sex, nothing if it repeats, or an ASIDE that narrows."""
    terms = [item for item in inside if isinstance(item, Term)]
    others = {item.symbol for item in inside} - {"TERM"} - _FAMILIAR
    if not others and all(_variables(term) <= said for term in terms):
        return []
    if not others and len(terms) == 1 and terms[0].kind in {Kind.AGE, Kind.SEX}:
        return [*terms]
    doubtful = any(item.symbol in {*DOUBTFUL, "OR"} for item in inside) and inside[0].symbol != "EXAMPLE"
    return [Token("DOUBT" if doubtful else "ASIDE", inside[0].start, inside[0].end)]


def _in_the_past(items: Sequence[Item]) -> list[Item]:
    """«History of» makes every condition of its list one that the person has or has had; «prior» the next.

    A treatment with no word about when («chemotherapy», «able to do physical training») may mean anything.
    """
    told: list[Item] = []
    past = ""
    for item in items:
        if item.symbol in {"HISTORY", "PAST", "NOW"}:
            past = item.symbol
        elif item.symbol in CONNECTIVES and past == "PAST":
            past = ""
        if not isinstance(item, Term):
            told.append(item)
        elif past in {"HISTORY", "PAST"}:
            told.append(_once(item))
        else:
            told.append(_timeless(item))
    return told


def _timeless(item: Item) -> Item:
    return _unless_dated(item) if _is(item, Kind.PROCEDURE) else item


def _unless_dated(item: Item) -> Item:
    """The same, deciding only where a window says when."""
    if not isinstance(item, Term):
        return item
    return replace(item, rule=mapped(item.rule, lambda each: each if each.window_days else undecided(each)))


def _lacking(items: Sequence[Item]) -> list[Item]:
    """«Folate or vitamin B12 deficiency»: a drug listed before a condition may be the lack of it."""
    after = [*items[2:], None, None]
    return [
        _doubted(item)
        if _is(item, Kind.DRUG)
        and link is not None
        and link.symbol in CONNECTIVES
        and _is(other, Kind.CONDITION)
        else item
        for item, link, other in zip(items, [*items[1:], None], after, strict=False)
    ]


def _is(item: Item | None, kind: Kind) -> bool:
    return isinstance(item, Term) and item.kind is kind


def _doubted(item: Item) -> Item:
    return replace(item, rule=mapped(item.rule, undecided)) if isinstance(item, Term) else item


def _once(item: Item) -> Item:
    if _is(item, Kind.DRUG):
        return _unless_dated(item)  # what somebody takes now says nothing certain of what they once took
    if not isinstance(item, Term) or item.kind is not Kind.CONDITION:
        return item
    return replace(item, rule=mapped(item.rule, _ever))


def _ever(relation: Relation) -> Relation:
    if relation.window_days is not None:
        return relation
    return replace(relation, variable=f"history:{relation.concept}")


def _about_women(items: Sequence[Item]) -> list[Item]:
    """«Pregnant women» states a pregnancy; that it is a woman's adds nothing."""
    kinds = {item.kind for item in items if isinstance(item, Term)}
    if Kind.PREGNANCY not in kinds:
        return [*items]
    return [
        Token("SEX", item.start, item.end) if isinstance(item, Term) and item.kind is Kind.SEX else item
        for item in items
    ]


def _segments(items: Sequence[Item]) -> list[_Segment]:
    kinds = {item.kind for item in items if isinstance(item, Term)}
    familiar = _FAMILIAR.union(*(_TOPICAL.get(kind, frozenset()) for kind in kinds))
    segments: list[_Segment] = []
    pending: list[Item] = []
    joined, turned = "", False
    for part, following in _split(items):
        if following and all(item.symbol in familiar | _NARROWING | {"NOT"} for item in part):
            pending += part  # «moderate or severe asthma»: nothing of its own
            continue
        segments.append(_segment([*pending, *part], familiar, joined, turned=turned))
        turned = turned or segments[-1].turned
        pending, joined = [], following
    return [segment for segment in segments if segment.terms or segment.rest]


def _split(items: Sequence[Item]) -> Iterator[tuple[list[Item], str]]:
    """(items, the connective after them); of ", and" and ", or" the word counts."""
    part: list[Item] = []
    waiting = ""
    for item in items:
        if item.symbol in CONNECTIVES:
            waiting = item.symbol if waiting in {"", "COMMA"} else waiting
            continue
        if waiting and part:
            yield part, waiting
            part = []
        waiting = ""
        part.append(item)
    if part:
        yield part, ""


def _segment(items: Sequence[Item], familiar: frozenset[str], joined: str, *, turned: bool) -> _Segment:
    """Read one segment; its terms count while all words before them are familiar or only narrow."""
    terms: list[Term] = []
    negated = rest = False
    lost = turned
    for item, following in zip(items, [*items[1:], None], strict=True):
        if isinstance(item, Term) and item.symbol == "TERM":
            named = item.kind in _RENAMED and following is not None and _renames(item, following)
            if lost or named:  # "asthma nurse" is not about having asthma
                rest = lost = True
            else:
                terms.append(item)
        elif item.symbol == "NOT" and not (terms or lost or negated):
            negated = True
        elif item.symbol == "NOT":
            rest = lost = turned = True
        elif item.symbol in familiar or (item.symbol == "HEADNOUN" and terms):
            continue
        else:
            rest = True
            lost = lost or item.symbol not in _NARROWING
    return _Segment(tuple(terms), negated, rest, lost, turned, joined)


def _renames(term: Term, following: Item) -> bool:
    """«Asthma nurse», «cancer-free»."""
    hyphen = following.symbol == "TO" and following.start == term.end
    return hyphen or following.symbol in _RENAMES


def _negated(segments: Sequence[_Segment], whole: Unread, *, excludes: bool) -> Rule:
    """Settle how far a "no" reaches, then join."""
    first, *others = segments
    denied = [segment.negated for segment in segments]
    joints = {segment.joined for segment in others}
    preparing = first.kinds <= {Kind.PREGNANCY}
    if first.negated and not any(denied[1:]) and ("AND" not in joints or preparing):
        stated = _joined([replace(first, negated=False), *others], whole, any_of=True, excludes=excludes)
        return Not(stated)
    # A "no" inside a list reaches the end of it, or so far as the next one: unclear unless it stands last.
    if any(earlier and not later for earlier, later in pairwise(denied)):
        return whole
    return _joined(segments, whole, any_of=False, excludes=excludes)


def _joined(segments: Sequence[_Segment], whole: Unread, *, any_of: bool, excludes: bool) -> Rule:
    attributes, members = _parted(segments, excludes=excludes or any_of)
    joints = {segment.joined for segment in members[1:]}
    if {"AND", "OR"} <= joints:
        return whole
    rest = any(segment.rest for segment in segments)
    parts = [_part(segment, whole, rest=rest) for segment in members]
    if not excludes and "OR" not in joints and not any_of:
        parts = _cautious(members, parts, whole)
    listed = _list(members, parts, whole, any_of=any_of, excludes=excludes)
    both: list[Rule] = [*(term.rule for term in attributes), *listed]
    if rest and not listed:
        both.append(whole)
    return both[0] if len(both) == 1 else And(tuple(both))


def _parted(segments: Sequence[_Segment], *, excludes: bool) -> tuple[list[Term], list[_Segment]]:
    """Attributes that hold beside the list, and the members of the list."""
    members = list(segments)
    attributes: list[Term] = []
    while len(members) > 1 and members[1].joined != "OR" and _is_beside(members, excludes=excludes):
        attributes += members.pop(0).terms
    first = members[0]
    others = [term for term in first.terms if term.kind not in _ATTRIBUTES]
    if others and not first.negated and len(others) < len(first.terms):
        attributes += [term for term in first.terms if term.kind in _ATTRIBUTES]
        members[0] = replace(first, terms=tuple(others))
    return attributes, members


def _is_beside(members: Sequence[_Segment], *, excludes: bool) -> bool:
    """Whether the first member describes the person beside the list. «Men, under 18» excludes boys only."""
    if excludes:
        return members[0].kinds == {Kind.SEX} and members[1].kinds == {Kind.AGE}
    return _only_attributes(members[0])


def _only_attributes(segment: _Segment) -> bool:
    return bool(segment.terms) and segment.kinds <= _ATTRIBUTES and not segment.negated


def _part(segment: _Segment, whole: Unread, *, rest: bool) -> Rule:
    """One member; words left over anywhere may narrow it («hypertension or stroke within 6 months»)."""
    if not segment.terms:
        return whole
    terms = [_unsure(term) for term in segment.terms] if rest else segment.terms
    rules = (*(term.rule for term in terms), *((whole,) if rest else ()))
    stated: Rule = rules[0] if len(rules) == 1 else And(rules)
    return Not(stated) if segment.negated else stated


def _unsure(term: Term) -> Term:
    """A treatment in a sentence that is half read may be one to come, to stop or to have failed."""
    return replace(term, rule=mapped(term.rule, undecided)) if term.kind in _TREATMENTS else term


def _cautious(members: Sequence[_Segment], parts: Sequence[Rule], whole: Unread) -> list[Rule]:
    """After words we lost the thread in, a further condition may belong to them and is not demanded."""
    lost = False
    safe: list[Rule] = []
    for member, part in zip(members, parts, strict=True):
        safe.append(whole if lost and Kind.CONDITION in member.kinds else part)
        lost = lost or member.lost
    return safe


def _list(
    members: Sequence[_Segment], parts: Sequence[Rule], whole: Unread, *, any_of: bool, excludes: bool
) -> list[Rule]:
    joints = {segment.joined for segment in members[1:]}
    if len(parts) == 1:
        return [*parts]
    pregnancy = set().union(*(member.kinds for member in members)) == {Kind.PREGNANCY}
    denied = any(member.negated for member in members)
    if any_of or "OR" in joints or (pregnancy and not denied) or (excludes and joints == {"COMMA"}):
        return [Or(tuple(parts))]
    attributes = all(_only_attributes(member) for member in members)
    if not excludes and ("AND" in joints or attributes):
        return [*parts]
    return [Or((And(tuple(parts)), And((Or(tuple(parts)), whole))))]
