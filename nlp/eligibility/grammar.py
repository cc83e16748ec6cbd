"""Tokens of a sentence -> the same tokens with every relation in them folded into one term."""

from collections.abc import Iterator, Sequence

from nlp.eligibility.logic import Not, Or, Rule, Unread, undecided
from nlp.eligibility.measurements import Item, Term, fold_measurements
from nlp.eligibility.qualifiers import fold_qualifiers
from nlp.eligibility.quantities import fold_quantities
from nlp.eligibility.relations import Kind, Relation
from nlp.eligibility.symbols import coded, pattern
from nlp.eligibility.variables import Answerer, variable, variables
from nlp.eligibility.vocabulary import Token
from nlp.eligibility.windows import fold_windows

_SEX = pattern(
    r"(?:SEX (?:(?:PREP|FILLER) )?)?"
    r"(?:FEMALE (?:(?:COMMA|SLASH) )?(?:AND |OR |TO )?MALE|MALE (?:(?:COMMA|SLASH) )?(?:AND |OR |TO )?FEMALE"
    r"|BOTH_SEXES|FEMALE|MALE) (?:SEX )?"
)
_LANGUAGES = frozenset(name for name, row in variables().items() if row.about is Kind.LANGUAGE)
_SEXES = frozenset({"FEMALE", "MALE", "BOTH_SEXES"})
_WHEN = frozenset({"BEFORE", "AFTER", "FROM", "UNIT", "when", "from"})
_DOSES = frozenset({"dose", "first"})
_DATED = _DOSES | {"informed_consent"}
_FACTS = frozenset({"FACT", "LACKS", "SPEAKER"})
_VAGUE = frozenset({"alcohol", "substance_use"}) | frozenset(
    {"residence", "language_other", "healthy", "participation_other_trial", "capacity_to_consent"}
)
"""Facts that the text states more narrowly than a question can: where one must live, which trial counts."""

_PLAIN = {
    **dict.fromkeys(("LETTER", "LEVEL", "LIMIT", "CHANGE", "SCALE", "TIMES", "ANCHOR"), "WORD"),
    **dict.fromkeys(("ROMAN", "EQUALS", "WITHIN", "BEFORE", "AFTER", "FUTURE"), "PREP"),
    "SLASH": "OR",
}
"""Symbols that count only beside a number, and what the words are elsewhere."""


def fold(items: Sequence[Item]) -> list[Item]:
    """Fold measurements, ages, sexes and facts of one word into terms; every other item is left as it is."""
    named = {item.name for item in items if isinstance(item, Token)}
    folded: list[Item] = fold_quantities([*_dated(items)] if named & _DATED else items)
    symbols = {item.symbol for item in folded}
    if "TERM" in symbols:
        folded = fold_qualifiers(folded)
    if "QUANTITY" in symbols:
        folded = fold_measurements(folded)
    if symbols & _SEXES:
        folded = _fold_sexes(folded)
    spoken = "SPEAK" in symbols
    stated = [_fact(item, spoken=spoken) if item.symbol in _FACTS else item for item in folded]
    if "QUANTITY" in symbols:
        stated = fold_windows(stated)
    return [_plain(item) if item.symbol in _PLAIN else item for item in stated]


def _dated(items: Sequence[Item]) -> Iterator[Item]:
    """The same, where what only tells when is no demand.

    That is the consent of «within 30 days of signing the consent form», and the drug of "for a month after
    the last dose of omalizumab".
    """
    before, dose = "", False
    for item in items:
        name = item.name if isinstance(item, Token) else ""
        told = name == "informed_consent" or (dose and isinstance(item, Term) and item.kind is Kind.DRUG)
        dates = (told and before in _WHEN) or (dose and name == "participation_other_trial")
        yield Token("ANCHOR", item.start, item.end) if dates else item
        dose = name in _DOSES or (dose and item.symbol in {"FILLER", "PREP", "NARROW"})
        if (item.symbol not in {"FILLER", "OF", "PREP"} and name not in _DOSES) or name == "from":
            before = name if name in {"when", "from"} else item.symbol


def _plain(item: Item) -> Item:
    return Token(_PLAIN[item.symbol], item.start, item.end)


def _fact(item: Item, *, spoken: bool) -> Item:
    if not isinstance(item, Token):
        return item
    name = item.name
    if name in _LANGUAGES and not (spoken or item.symbol == "SPEAKER"):
        return Token("WORD", item.start, item.end)
    kind = variable(name).about
    relation = Relation(kind, name, start=item.start, end=item.end)
    rule: Rule = relation
    if item.symbol == "LACKS":
        rule = Not(relation)
    elif (variable(name).answerable_by is not Answerer.PATIENT and kind is Kind.OTHER) or name in _VAGUE:
        rule = undecided(relation)
    elif name == "contraception":
        # Who cannot become pregnant needs none, and the text rarely says who that is.
        rule = Or((relation, Unread(item.start, item.end)))
    return Term(rule, kind, item.start, item.end)


def _fold_sexes(items: Sequence[Item]) -> list[Item]:
    folded: list[Item] = []
    done = 0
    for found in _SEX.finditer(coded(items)):
        first, last = found.span()
        folded += items[done:first]
        folded.append(_sex(items[first:last], somebody_else=_of_others(items[last : last + 2])))
        done = last
    return [*folded, *items[done:]]


def _of_others(after: Sequence[Item]) -> bool:
    """«Female partner», "male sexual partners"."""
    symbols = [item.symbol for item in after]
    return symbols[:1] == ["OTHERS"] or (symbols[1:] == ["OTHERS"] and symbols[0] in {"WORD", "NARROW"})


def _sex(items: Sequence[Item], *, somebody_else: bool) -> Item:
    if somebody_else:
        return Token("WORD", items[0].start, items[-1].end)
    symbols = {item.symbol for item in items}
    values = tuple(
        value
        for value, symbol in (("female", "FEMALE"), ("male", "MALE"))
        if symbols & {symbol, "BOTH_SEXES"}
    )
    start, end = items[0].start, items[-1].end
    return Term(Relation(Kind.SEX, "sex", values=values, start=start, end=end), Kind.SEX, start, end)
