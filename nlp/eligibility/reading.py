"""An item of a criteria list, with the items nested under it -> what it states, as a logic tree."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from nlp.eligibility.grammar import fold
from nlp.eligibility.logic import And, AtLeast, Or, Rule, Unread, is_read, relations, undecided
from nlp.eligibility.meant import meant, methods
from nlp.eligibility.measurements import Item, Term
from nlp.eligibility.relations import Kind, Relation
from nlp.eligibility.sections import Piece, PieceKind, Section
from nlp.eligibility.sentence import DOUBTFUL, read_sentence
from nlp.eligibility.statements import Statement, statements
from nlp.eligibility.units import units
from nlp.eligibility.variables import variable
from nlp.eligibility.vocabulary import Token, tokens, tokens_of
from ontology.concept import Concept, Ontology
from ontology.concept import Kind as ConceptKind
from ontology.found import How
from ontology.linker import Linker, Mention

EVENTS = ("G45", "I21", "I22", "I60", "I61", "I62", "I63", "I64", "S", "T")
"""ICD-10: what happens rather than lasts. Somebody "with" a stroke is somebody who has had one."""

DEEPEST = 10
"""Levels. Real lists have four at most."""

TITLE = 5
"""Words that the name of a questionnaire may have, its condition among them."""

SHORT = 3
"""Letters: abbreviations up to this length mean too many things to stand alone."""

_TOLD_ALONE = frozenset(
    {"ACS", "AF", "AKI", "AML", "BPH", "CKD", "CLL", "CML", "CRC", "DKA", "DM", "DVT", "ECT", "GDM"}
    | {"HBV", "HCC", "HCV", "HF", "HIV", "IBD", "IBS", "ILD", "IPF", "MDS", "MI", "OCD", "OSA", "PAD"}
    | {"PAH", "PCI", "PPI", "SLE", "T1D", "T2D", "TBI", "TIA", "UTI"}
)
"""Short abbreviations that mean one thing in any study."""

_NO_DISEASE = ("V", "W", "X", "Y", "Z")
"""ICD-10 chapters of circumstances and contacts."""

DRUG_ALLERGY = "drug-allergy"
"""An allergy to some drug that the ontology has no allergy of."""

_UNDERGONE = frozenset({"vaccination"})
"""Circumstances that are done to a person."""

_LEADS_TO_METHODS = frozenset(
    {"WORD", "PREP", "LEVEL", "CLINICAL", "AT_LEAST", "NUMBER", "ALL_OF", "HEADNOUN", "amount", "negative"}
)
_FOLLOWS_METHODS = frozenset({"WORD", "FILLER", "LEVEL", "BELONGING"})
_IN_BLOOD = frozenset({"mass_concentration", "molar_concentration", "activity"})
_LINKING = frozenset({"FILLER", "OF", "NARROW", "TO"})

_NAMES = frozenset({"VARIABLE", "FACT", "LACKS", "ALLERGY", "TITLE"})
_NOTHING = frozenset({"BELONGING", "TITLE"})
"""Symbols that tell what the names beside them are, and say nothing themselves."""

_FILLS = frozenset({"FILLER", "OF", "PREP", "LEVEL", "EQUALS", "TO", "MUST"})
_OF_NUMBERS = frozenset({"AT_LEAST", "OVER", "AT_MOST", "UNDER", "NUMBER", "BETWEEN"})
_KINDS = {
    ConceptKind.CONDITION: Kind.CONDITION,
    ConceptKind.SYMPTOM: Kind.CONDITION,
    ConceptKind.DRUG: Kind.DRUG,
    ConceptKind.PROCEDURE: Kind.PROCEDURE,
}
_CERTAIN = frozenset({How.EXACT, How.INFLECTED, How.ABBREVIATION, How.SHARED})
_LEADING = frozenset(
    {"FILLER", "FOLLOWING", "ANY_OF", "ALL_OF", "PREP", "AT_LEAST", "NUMBER", "COMMA", "STOP"}
)
"""A lead-in of nothing but these says how its items are joined and no more."""


@dataclass(frozen=True, slots=True)
class Node:
    """An item of the text and the items nested under it."""

    piece: Piece
    children: tuple["Node", ...] = ()

    @property
    def end(self) -> int:
        """Where the last word of the item or of its nested items ends."""
        return self.children[-1].end if self.children else self.piece.end


def nodes(pieces: Sequence[Piece]) -> Iterator[Node]:
    """Nest items by their indent, at most DEEPEST deep; a heading ends every nest."""
    stack: list[tuple[Piece, list[Node]]] = []
    for piece in pieces:
        if piece.kind is PieceKind.ITEM:
            while stack and (stack[-1][0].depth >= piece.depth or len(stack) == DEEPEST):
                yield from _close(stack)
            stack.append((piece, []))
        elif piece.kind is PieceKind.HEADING:
            while stack:
                yield from _close(stack)
    while stack:
        yield from _close(stack)


def _close(stack: list[tuple[Piece, list[Node]]]) -> Iterator[Node]:
    piece, children = stack.pop()
    node = Node(piece, tuple(children))
    if stack:
        stack[-1][1].append(node)
    else:
        yield node


class Reader:
    """Reads the items of one criteria text.

    Conditions are those that `linker` is certain of. `subject`: ids of what the study is about. `language`:
    that of the text, where it is known.
    """

    def __init__(
        self, text: str, linker: Linker, ontology: Ontology, subject: Set[str], language: str | None = None
    ) -> None:
        self.text = text
        self._ontology = ontology
        self._subject = subject
        self._mentions = self._conditions(list(linker.names(text, language)))
        self._starts = [mention.start for mention in self._mentions]
        self._folded: dict[int, list[Item]] = {}

    def items(self, piece: Piece) -> list[Item]:
        """The folded items of a piece. Under the subheading «Age:», "18 and over" is an age."""
        if piece.start not in self._folded:
            named = {token.name or token.symbol for token in tokens_of(piece.under)}
            is_age = "age" in named and named <= {"age", "EQUALS"}
            before = [Token("VARIABLE", piece.start, piece.start, name="age")] if is_age else []
            read = _without_legends([*self._unfolded(piece.start, piece.end)])
            self._folded[piece.start] = fold([*before, *_told_apart(self.text, read)])
        return self._folded[piece.start]

    def _unfolded(self, start: int, end: int) -> Iterator[Item]:
        """Tokens, and in place of those that name a condition its term; a longer name of a variable wins."""
        first, last = bisect_left(self._starts, start), bisect_left(self._starts, end)
        read = tokens(self.text, start, end)
        named = [
            (token, next((each for each in read[number + 1 :] if each.symbol not in _FILLS), None))
            for number, token in enumerate(read)
            if token.symbol in _NAMES
        ]
        mentions = [
            each
            for each in self._mentions[first:last]
            if each.end <= end and not any(_yields(each, token, after) for token, after in named)
        ]
        done = start
        allergy: Token | None = None
        for token in read:
            while mentions and mentions[0].start < token.end:
                mention = self._allergy(mentions[0], certain=not allergy.name) if allergy else mentions[0]
                mentions.pop(0)
                if max(done, token.start) < mention.start:
                    yield from tokens(self.text, max(done, token.start), mention.start)
                yield from self._narrowing(mention)
                yield self._term(mention)
                done = self._after_hyphen(mention)
            if token.symbol in {"ALLERGY", "STOP"}:
                allergy = token if token.symbol == "ALLERGY" else None
            if token.start >= done:
                yield token
            elif token.end > done:
                yield from tokens(self.text, done, token.end)

    def _after_hyphen(self, mention: Mention) -> int:
        """Where a mention ends, with the hyphen that stands for a shared part: «lever- og nyresykdom»."""
        return mention.end + (mention.how is How.SHARED and self.text[mention.end : mention.end + 1] == "-")

    def stated(self, node: Node) -> Rule:
        """What an item states, the polarity of its section apart."""
        excludes = node.piece.section is Section.EXCLUSION
        own = self.items(node.piece)
        if not node.children:
            return _sentences(own, Unread(node.piece.start, node.piece.end), excludes=excludes)
        return self._nested(node, own, excludes=excludes)

    def all_items(self, node: Node) -> Iterator[Item]:
        """The folded items of an item and of those under it."""
        yield from self.items(node.piece)
        for child in node.children:
            yield from self.all_items(child)

    def statements(self, node: Node) -> tuple[Statement, ...]:
        """Every relation that an item and the items under it state."""
        own = statements(self.items(node.piece))
        return (*own, *(each for child in node.children for each in self.statements(child)))

    def _nested(self, node: Node, lead: Sequence[Item], *, excludes: bool) -> Rule:
        whole = Unread(node.piece.start, node.end)
        parts = tuple(self.stated(child) for child in node.children)
        if any(isinstance(item, Term) for item in lead):
            own = _sentences(lead, whole, excludes=excludes)
            return whole if excludes and is_read(own) else And((own, whole))
        if not lead or not _is_clean(lead):
            return whole
        symbols = [item.symbol for item in lead]
        if _alternatives(symbols) or any(ends_in_or(self.items(child.piece)) for child in node.children):
            count = _count(lead)
            return AtLeast(count, parts) if count > 1 else Or(parts)
        if "ALL_OF" in symbols:
            return And(parts)
        return Or(parts) if excludes else Or((And(parts), And((Or(parts), whole))))

    def _narrowing(self, mention: Mention) -> Iterator[Token]:
        """Qualifiers within a synonym («uncontrolled hypertension») that the concept's own names lack."""
        own = self._asked(mention).names
        if mention.matched.casefold() in own:
            return
        for token in tokens_of(mention.matched):
            if token.symbol == "NARROW" and mention.matched[token.start : token.end].casefold() not in own:
                yield token._replace(start=mention.start + token.start, end=mention.start + token.end)

    def _asked(self, mention: Mention) -> "_Asked":
        return _asked(self._ontology, mention.concept)

    def _allergy(self, mention: Mention, *, certain: bool) -> Mention:
        """The allergy to a drug (penicillins, penicillin-allergy); if `certain`, for others that to any."""
        for name in (f"{mention.concept}-allergy", f"{mention.concept.removesuffix('s')}-allergy"):
            if name in self._ontology.concepts:
                return replace(mention, concept=name)
        known = certain and DRUG_ALLERGY in self._ontology.concepts
        is_drug = self._ontology.get(mention.concept).kind is ConceptKind.DRUG
        return replace(mention, concept=DRUG_ALLERGY) if is_drug and known else mention

    def _term(self, mention: Mention) -> Term:
        asked, start, end = self._asked(mention), mention.start, mention.end
        relation = Relation(asked.kind, asked.variable, concept=mention.concept, start=start, end=end)
        return Term(relation if asked.decides else undecided(relation), asked.kind, start, end)

    def _conditions(self, mentions: Sequence[Mention]) -> list[Mention]:
        """Certain mentions in order of place, each as the concept that it asks a person for.

        Left out: a form with two meanings, and a short abbreviation that nothing else here spells out («HL»).
        """
        by_place: dict[tuple[int, int], list[Mention]] = {}
        for mention in mentions:
            if concept := meant(mention):
                told = mention if concept == mention.concept else replace(mention, concept=concept)
                by_place.setdefault((mention.start, mention.end), []).append(told)
        named = {each.concept for each in mentions if each.how is not How.ABBREVIATION} | self._subject
        single = [readings[0] for _, readings in sorted(by_place.items()) if len(readings) == 1]
        return [mention for mention in single if self._is_certain(mention, named)]

    def _is_certain(self, mention: Mention, named: Set[str]) -> bool:
        asked = self._asked(mention)
        loose = asked.symptom and mention.how not in {How.EXACT, How.SHARED}
        if mention.how not in _CERTAIN or loose or not asked.can_be_had:
            return False
        short = mention.how is How.ABBREVIATION and mention.end - mention.start <= SHORT
        cut = self.text[max(0, mention.start - 1) : mention.start].isalnum()  # «HOPE4HF»
        short = short and (cut or mention.matched not in _TOLD_ALONE)
        return not short or mention.concept in named


def _without_legends(items: list[Item]) -> list[Item]:
    """Leave out what the ends of a scale mean: «(0 = no pain, 10 = worst pain)»."""
    if not any(item.symbol == "EQUALS" for item in items):
        return items
    kept: list[Item] = []
    legend = False
    for number, item in enumerate(items):
        if item.symbol == "OPEN":
            legend = [each.symbol for each in items[number : number + 3]] == ["OPEN", "NUMBER", "EQUALS"]
        if not legend:
            kept.append(item)
        legend = legend and item.symbol != "CLOSE"
    return kept


def _told_apart(text: str, items: list[Item]) -> Iterator[Item]:
    """Leave out what only names something else.

    That is «tumour» in "tumour biopsy", «asthma» in "asthma nurse", «lidocaine» before "allergy",
    «infection» after "hepatitis C", and the examination that something was found by.
    """
    led = ""
    for number, item in enumerate(items):
        name = getattr(item, "name", "")
        if isinstance(item, Term):
            yield _meant(item, text, items, number, led)
        elif item.symbol in _NOTHING or (name == "ige" and led in {"WORD", "TERM"}):  # «birch IgE»
            yield Token("WORD", item.start, item.end)
        else:
            yield item
        if item.symbol not in _LINKING:
            led = name or item.symbol


def _meant(term: Term, text: str, items: Sequence[Item], number: int, led: str) -> Item:
    """A term, or what it is where it only names something else; `led` is the symbol or name before it."""
    before = items[number - 1] if number else None
    after = items[number + 1] if number + 1 < len(items) else None
    named = (
        _only_names(term, after)
        or (_is_condition(term) and _is_titled(text, items[number : number + TITLE]))
        or (_is_drug(term) and _is_measured(items[number + 1 : number + 4]))
    )
    if named or _is_method(term, led, after):
        return Token("WORD", term.start, term.end)
    if _beside(before, term) and _concept(term) == "infection" and _is_condition(before):
        return Token("HEADNOUN", term.start, term.end)
    return term


def _is_titled(text: str, items: Sequence[Item]) -> bool:
    """«Anxiety Sensitivity Index»: a condition, and words with capitals up to that for an instrument."""
    for before, item in pairwise(items):
        if text[before.end : item.start] != " " or not text[item.start].isupper():
            return False
        if getattr(item, "name", "") == "instrument":
            return True
    return False


def _is_measured(after: Sequence[Item]) -> bool:
    """«Calcitonin ≥ 50 ng/L»: a drug with an amount in blood behind it is what is measured there."""
    if len(after) < 3 or after[0].symbol not in _OF_NUMBERS or after[1].symbol != "NUMBER":
        return False
    unit = after[2]
    return isinstance(unit, Token) and unit.symbol == "UNIT" and units()[unit.name].dimension in _IN_BLOOD


def _is_method(item: Item, led: str, after: Item | None) -> bool:
    """«Documented by MRI», "normal ECG", "MRI evidence": `led` is the symbol or the name before the item."""
    if not isinstance(item, Term) or _concept(item) not in methods():
        return False
    return led in _LEADS_TO_METHODS or (after is not None and after.symbol in _FOLLOWS_METHODS)


def _beside(item: Item | None, after: Item | None) -> bool:
    """Whether two terms stand with nothing but a space between."""
    return isinstance(item, Term) and isinstance(after, Term) and after.start - item.end <= 1


def _is_drug(item: Item | None) -> bool:
    return isinstance(item, Term) and item.kind is Kind.DRUG


def _is_condition(item: Item | None) -> bool:
    return isinstance(item, Term) and item.kind is Kind.CONDITION


def _concept(item: Item | None) -> str:
    return next((each.concept for each in relations(item.rule)), "") if isinstance(item, Term) else ""


def _only_names(item: Item, after: Item | None) -> bool:
    if not isinstance(item, Term) or after is None or after.start - item.end > 1:
        return False
    if isinstance(after, Term):
        treatment = _is_condition(item) and after.kind in {Kind.DRUG, Kind.PROCEDURE}
        return treatment or (item.kind is Kind.DRUG and _concept(after).endswith("allergy"))
    name = getattr(after, "name", "")
    if item.kind is Kind.DRUG:
        return name in {"amount", "any"}  # «folate level», «insulin antibodies»
    return _is_condition(item) and (after.symbol == "BELONGING" or name == "instrument")


def _yields(mention: Mention, token: Token, following: Token | None) -> bool:
    """Whether the tables know a mention better: as part of a longer name, as a fact or as a measure."""
    if _cuts(mention, token):
        return True
    within = token.symbol == "VARIABLE" and mention.start <= token.start < mention.end
    if within and variable(token.name).about is Kind.SCORE:
        return True  # «Child-Pugh B»
    if mention.how is How.SHARED or (mention.start, mention.end) != (token.start, token.end):
        return False
    return token.symbol in {"FACT", "LACKS"} or (following is not None and following.symbol in _OF_NUMBERS)


def _cuts(mention: Mention, token: Token) -> bool:
    """«Depression» in «Hamilton Depression Rating Scale», «low T» in «low T-MoCA»."""
    apart = mention.end <= token.start or token.end <= mention.start
    return not apart and (token.start < mention.start or mention.end < token.end)


class _Asked(NamedTuple):
    """What a concept asks a person for. `names` are its own, in small letters.

    `can_be_had`: it is a disease or symptom that a person can have, a drug to take or a procedure to go
    through. `decides`: an answer settles it.
    """

    kind: Kind
    variable: str
    names: str
    symptom: bool
    can_be_had: bool
    decides: bool


@lru_cache(maxsize=1 << 13)
def _asked(ontology: Ontology, concept_id: str) -> _Asked:
    concept = ontology.get(concept_id)
    kind = Kind.PROCEDURE if concept.id in _UNDERGONE else _KINDS[concept.kind]
    happens = bool(concept.icd10) and all(code.startswith(EVENTS) for code in concept.icd10)
    return _Asked(
        kind,
        f"{'history' if happens else kind}:{concept.id}",
        f"{concept.nb} {concept.nn} {concept.en}".casefold(),
        concept.kind is ConceptKind.SYMPTOM,
        kind is not Kind.CONDITION or not all(code.startswith(_NO_DISEASE) for code in concept.icd10),
        (kind is not Kind.CONDITION or _is_disease(concept)) and concept.id != DRUG_ALLERGY,
    )


def _is_disease(concept: Concept) -> bool:
    """Whether a person can have it: «screening» and «healthy volunteers» stand among the concepts too."""
    return (
        concept.kind is ConceptKind.CONDITION
        and bool(concept.icd10)
        and not any(code.startswith(_NO_DISEASE) for code in concept.icd10)
    )


def leads_to_demands(items: Sequence[Item], *, excludes: bool) -> bool:
    """Whether each item after a lead-in that nests none can be read as if it stood alone."""
    return _is_clean(items) and (excludes or not _alternatives([item.symbol for item in items]))


def ends_in_or(items: Sequence[Item]) -> bool:
    """Whether an item runs on into the next one."""
    return bool(items) and items[-1].symbol == "OR"


def _is_clean(lead: Sequence[Item]) -> bool:
    return all(item.symbol in _LEADING for item in lead)


def _alternatives(symbols: Sequence[str]) -> bool:
    return "ANY_OF" in symbols or ("NUMBER" in symbols and "FOLLOWING" in symbols)


def _count(lead: Sequence[Item]) -> int:
    numbers = [int(item.value) for item in lead if isinstance(item, Token) and item.symbol == "NUMBER"]
    return max(numbers, default=1)


def _sentences(items: Sequence[Item], whole: Unread, *, excludes: bool) -> Rule:
    """The sentences of one item. One that is not understood may take back what another says."""
    found = _parts(items)
    if not found:
        return whole
    rules = [read_sentence(part, excludes=excludes) for part in found]
    if len(rules) == 1:
        return rules[0]
    doubtful = any(item.symbol in DOUBTFUL for item in items)
    if doubtful or (excludes and not all(map(is_read, rules))) or not any(map(_says_something, rules)):
        return whole
    return Or(tuple(rules)) if excludes else And(tuple(rules))


def _parts(items: Sequence[Item]) -> list[list[Item]]:
    """Cut at full stops and semicolons; a note is an aside to the sentence before it."""
    parts: list[list[Item]] = [[]]
    for position, item in enumerate(items):
        if item.symbol == "NOTE":
            doubtful = any(each.symbol in DOUBTFUL for each in items[position:])
            before = next((part for part in reversed(parts) if part), parts[-1])
            before.append(Token("DOUBT" if doubtful else "ASIDE", item.start, item.end))
            break
        if item.symbol == "STOP":
            parts.append([])
        else:
            parts[-1].append(item)
    return [part for part in parts if part]


def _says_something(rule: Rule) -> bool:
    return any(True for _ in relations(rule))
