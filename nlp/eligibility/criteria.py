"""A study's criteria text and its age and sex fields -> criteria with the rule that each sets."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from nlp.eligibility.logic import Rule, Unread, is_read, mapped, opposite, pruned, relations
from nlp.eligibility.measurements import Item, Term
from nlp.eligibility.reading import Node, Reader, ends_in_or, leads_to_demands, nodes
from nlp.eligibility.relations import Bound, Kind, Relation
from nlp.eligibility.sections import Piece, PieceKind, Section, read_sections
from nlp.eligibility.sentence import DOUBTFUL
from nlp.eligibility.statements import Statement
from nlp.eligibility.variables import Answerer, variable
from nlp.eligibility.vocabulary import tokens_of
from ontology.concept import Ontology, load_ontology
from ontology.linker import Linker
from ontology.wording import say
from registry.study import Sex, Study

_SPECIAL = frozenset({"GROUP", "OTHERS", "KIN", "FEMALE", "MALE", "NARROW"})
"""Under a heading that holds one of these, the criteria are for some participants only."""

_ANYTHING = frozenset(Kind)
_ATTRIBUTES = frozenset({Kind.AGE, Kind.SEX})
"""What can be taken as asked for even outside every section: people state whom they take in."""


class Parsed(StrEnum):
    """How much of a criterion was understood.

    FULL: its rule decides all of it. PARTIAL: its rule decides some of it, or something was read in it that
    is not certain enough to decide. NONE: nothing was read.
    """

    FULL = "full"
    PARTIAL = "partial"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Criterion:
    """One criterion of a study. Its id is unique within the study.

    `text` is study.criteria[start:end], exactly; a RECORD criterion has start = end = 0 and a text in the
    study's language. `stated` is every relation in it as the text states it, certain or not. `rule` is what
    the study requires of a person: polarity is applied, so that an exclusion holds a Not, and "met" always
    speaks for the person. None: nothing in it is certain enough to decide, ask the study.
    """

    id: str
    text: str
    start: int
    end: int
    section: Section
    rule: Rule | None
    parsed: Parsed
    answerable_by: Answerer
    stated: tuple[Statement, ...] = ()


def read_criteria(study: Study, linker: Linker, ontology: Ontology | None = None) -> tuple[Criterion, ...]:
    """The criteria of a study: first those of its age and sex fields, then those of its text, in order.

    `ontology` (default: the shipped one) is the linker's. Every item of the text becomes one criterion;
    an item with items nested under it becomes one together with them.
    """
    return (*_record_criteria(study), *_text_criteria(study, linker, ontology or load_ontology()))


def _text_criteria(study: Study, linker: Linker, ontology: Ontology) -> Iterator[Criterion]:
    subject = _subject(study, linker, ontology)
    reader = Reader(study.criteria, linker, ontology, subject, study.language)
    scope = _Scope(study.criteria, reader)
    found = tuple(nodes(read_sections(study.criteria)))
    names = _bare_names(found, reader)
    for number, node in enumerate(found, start=1):
        stated = reader.stated(node)
        if node.piece.start in names or not scope.trusts(node, stated):
            stated = Unread(node.piece.start, node.end)
        agreed = pruned(_agreed(stated, node.piece.section, study, subject))
        required = opposite(agreed) if node.piece.section is Section.EXCLUSION else agreed
        name = f"{node.piece.section}-{number}"
        yield _criterion(name, reader, node, required)


def read_line(text: str, section: Section, linker: Linker, ontology: Ontology | None = None) -> Criterion:
    """One line of a criteria list, read by itself."""
    words = text.rstrip()
    node = Node(Piece(PieceKind.ITEM, len(words) - len(words.lstrip()), len(words), section))
    if node.piece.start == node.piece.end:
        return Criterion(section, "", 0, 0, section, None, Parsed.NONE, Answerer.STUDY_TEAM)
    reader = Reader(text, linker, ontology or load_ontology(), frozenset())
    stated = pruned(reader.stated(node))
    required = opposite(stated) if section is Section.EXCLUSION else stated
    return _criterion(section, reader, node, required)


def _record_criteria(study: Study) -> tuple[Criterion, ...]:
    return tuple(
        Criterion(
            id=f"record-{relation.variable}",
            text=_record_text(relation, study.language),
            start=0,
            end=0,
            section=Section.RECORD,
            rule=relation,
            parsed=Parsed.FULL,
            answerable_by=Answerer.PATIENT,
        )
        for relation in (_record_age(study), _record_sex(study))
        if relation is not None
    )


def _record_age(study: Study) -> Relation | None:
    if study.minimum_age is None and study.maximum_age is None:
        return None
    lower, upper = (
        None if age is None else Bound(float(age)) for age in (study.minimum_age, study.maximum_age)
    )
    return Relation(Kind.AGE, "age", lower=lower, upper=upper, unit="year")


def _record_sex(study: Study) -> Relation | None:
    if study.sex is None:
        return None
    values = (Sex.FEMALE, Sex.MALE) if study.sex is Sex.ALL else (study.sex,)
    return Relation(Kind.SEX, "sex", values=tuple(value.value for value in values))


def _record_text(relation: Relation, language: str) -> str:
    if relation.kind is Kind.SEX:
        return say(f"eligibility.record_sex_{'_'.join(relation.values)}", language)
    ends = {"from": relation.lower, "to": relation.upper}
    stated = {name: f"{bound.value:g}" for name, bound in ends.items() if bound is not None}
    return say(f"eligibility.record_age_{'_'.join(stated)}", language, **stated)


def _criterion(name: str, reader: Reader, node: Node, rule: Rule) -> Criterion:
    start, end, section = node.piece.start, node.end, node.piece.section
    words, stated = reader.text[start:end], reader.statements(node)
    found = list(relations(rule))
    if not found:
        clinical = any(item.symbol in {"CLINICAL", "VARIABLE"} for item in reader.all_items(node))
        who = Answerer.CLINICIAN if clinical else Answerer.STUDY_TEAM
        parsed = Parsed.PARTIAL if stated else Parsed.NONE
        return Criterion(name, words, start, end, section, None, parsed, who, stated)
    parsed = Parsed.FULL if is_read(rule) else Parsed.PARTIAL
    answerers = {variable(relation.variable).answerable_by for relation in found}
    who = next(answerer for answerer in Answerer if answerer in answerers)
    return Criterion(name, words, start, end, section, rule, parsed, who, stated)


class _Scope:
    """Follows the list, and tells which items stand for themselves and for everybody in the study."""

    def __init__(self, text: str, reader: Reader) -> None:
        self._text, self._reader = text, reader
        self._place: tuple[Section, str] | None = None
        self._free = _ANYTHING
        self._runs_on = False

    def trusts(self, node: Node, stated: Rule) -> bool:
        """Whether what the next item states is asked of everybody.

        Not under "Cohort B:", nor beside a final "or"; outside every section, and after a lead-in whose
        items are not nested, only some kinds of facts are.
        """
        piece = node.piece
        if (piece.section, piece.under) != self._place:
            self._place, self._runs_on = (piece.section, piece.under), False
            self._free = self._under_heading(piece)
        items = self._reader.items(piece)
        starts_with_or = bool(items) and items[0].symbol == "OR"
        alone = not (self._runs_on or ends_in_or(items) or starts_with_or)
        kinds = {relation.kind for relation in relations(stated)}
        trusted = alone and kinds <= self._free and (self._free == _ANYTHING or is_read(stated))
        if self._text[piece.end - 1] == ":" and not node.children:
            self._free &= _after_lead_in(items, excludes=piece.section is Section.EXCLUSION)
        self._runs_on = ends_in_or(items)
        return trusted

    def _under_heading(self, piece: Piece) -> frozenset[Kind]:
        if {token.symbol for token in tokens_of(piece.under)} & _SPECIAL:
            return frozenset()
        return _ATTRIBUTES if piece.section is Section.OTHER else _ANYTHING


def _bare_names(found: Sequence[Node], reader: Reader) -> frozenset[int]:
    """Where items of inclusion start that only name a condition, when several do: mostly one is enough."""
    names = {
        node.piece.start
        for node in found
        if node.piece.section is Section.INCLUSION
        and not node.children
        and (items := [item for item in reader.items(node.piece) if item.symbol not in {"STOP", "PREP"}])
        and len(items) == 1
        and isinstance(items[0], Term)
        and items[0].kind is Kind.CONDITION
    }
    return frozenset(names) if len(names) > 1 else frozenset()


def _after_lead_in(items: Sequence[Item], *, excludes: bool) -> frozenset[Kind]:
    if leads_to_demands(items, excludes=excludes):
        return _ANYTHING
    turned = any(item.symbol in {"NOT", "EXCEPT", *DOUBTFUL} for item in items)
    return frozenset() if turned else _ANYTHING - {Kind.CONDITION}


def _subject(study: Study, linker: Linker, ontology: Ontology) -> frozenset[str]:
    """The conditions a study is about, and all that contain them."""
    named = linker.names("; ".join(study.conditions))
    return frozenset(each for m in named for each in (m.concept, *ontology.ancestors(m.concept)))


def _agreed(stated: Rule, section: Section, study: Study, subject: frozenset[str]) -> Rule:
    """What is stated, less what contradicts the register's own fields: that was probably misread."""
    excludes = section is Section.EXCLUSION

    def agrees(relation: Relation) -> bool:
        match relation.kind:
            case Kind.AGE:
                return _age_agrees(relation, study, excludes=excludes)
            case Kind.SEX:
                everybody = len(relation.values) > 1
                return not excludes if everybody else study.sex is not Sex.ALL
            case Kind.CONDITION:
                return not (excludes and relation.concept in subject)
            case _:
                return True

    return mapped(stated, lambda each: each if agrees(each) else Unread(each.start, each.end))


def _age_agrees(relation: Relation, study: Study, *, excludes: bool) -> bool:
    """Whether nobody the register's age limits let in (give or take a year) would be turned away.

    A register that states one limit only means it for the youngest; the oldest age is often left out.
    """
    youngest, oldest = study.minimum_age, study.maximum_age
    lower, upper = relation.lower, relation.upper
    if youngest is None and oldest is None:
        return True
    if excludes:
        too_young = upper is not None and youngest is not None and upper.value <= youngest + 1
        return too_young or (lower is not None and (oldest is None or lower.value >= oldest - 1))
    low_enough = lower is None or (youngest is not None and lower.value <= youngest + 1)
    return low_enough and (upper is None or oldest is None or upper.value >= oldest - 1)
