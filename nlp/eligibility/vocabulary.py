"""The words that criteria are built from: text -> tokens, each with the symbol that the grammar reads.

vocabulary.tsv gives the symbols of words and phrases in bokmål, nynorsk and English, variables.tsv the names
of what criteria ask about (VARIABLE, or FACT for a yes-or-no one), units.tsv those of units. NUMBER is a
number, ROMAN a Roman one, LETTER a grade, WORD what the tables do not know.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from csv import DictReader
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from importlib.resources import files
from itertools import product
from typing import NamedTuple

from nlp.numbers import number_words

_SAME = str.maketrans(
    "×⋅·∙²³⁴⁵⁶⁹¹⁰－–—−‐‑˚º％µ₁₂₃₄₉＞＜（）：；，≧≦\\", "x***23456910------°°%μ12349><():;,≥≤ "
)
"""Characters that mean the same in criteria. One for one, so that places stay."""

_WORD = re.compile(
    r"[IV]{1,3}(?=-[IV])"
    r"|[^\W\d_Ⅰ-Ⅻ]+(?:[.](?=[^\W\d_][.]?(?:\W|$))[^\W\d_])*(?:['’-][^\W\d_]+)*|[<>=]=?|[Ⅰ-Ⅻ]"
    r"|\d{2}\+[0-6](?!\d)|\d{1,3}(?:[., ]\d{3})+(?![\d.,]*\d)|\d+(?:[.,]\d+)?|\S"
)
_BRACES = re.compile(r"\{(.*?)\}")
_ROMAN = {"I": 1, "II": 2, "III": 3, "IV": 4, "V": 5, "Ⅰ": 1, "Ⅱ": 2, "Ⅲ": 3, "Ⅳ": 4, "Ⅴ": 5}
_GRADES = frozenset("ABC")
_LONGEST_GRADE = 3
_ONE = dict.fromkeys(("ett", "eitt", "én"), 1)
"""Where criteria are read «one of» and the like are phrases, and what is left is a number."""
_ONES = frozenset({"one", "én", "ett", "eitt"})
_SHORT_UNIT = 2
"""Letters. A unit so short is one only beside a number: «l», «d», «in»."""


class Token(NamedTuple):
    """text[start:end], a word or a phrase of the tables.

    `value` is that of a number; `other` what else it may be («1.500»). `name` is the variable, the unit or
    the letter, or what an operator speaks of («older than»: age).
    """

    symbol: str
    start: int
    end: int
    value: float = 0.0
    name: str = ""
    other: float | None = None


_token = partial(tuple.__new__, Token)
"""Makes a token in half the time."""


def tokens(text: str, start: int = 0, end: int | None = None) -> list[Token]:
    """The tokens of text[start:end], longest phrases first; together they cover all but white space."""
    found = _parted(text[start:end].translate(_SAME))
    words = [word.casefold() for word, _, _ in found]
    lengths, following = vocabulary().lengths, [*words[1:], ""]
    read: list[Token] = []
    symbol = ""
    position = 0
    while position < len(words):
        beside = symbol in _COUNTS
        pair = words[position], following[position]
        length, token = _phrase(words, position, beside=beside) if pair in lengths else _NO_PHRASE
        written, first, last = found[position]
        if not length:
            length, token = 1, _alone(written, beside)
        elif length > 1:
            last = found[position + length - 1][2]
        if symbol == "NUMBER" and words[position] in _SUFFIXES and read[-1].end == start + first:
            read[-1] = read[-1]._replace(end=start + last)  # «stage 3a»
        else:
            symbol, _, _, value, name, other = token
            if symbol == "UNIT" and read and words[position - 1] in _ONES and read[-1].symbol == "ANY_OF":
                read[-1] = read[-1]._replace(symbol="NUMBER", value=1.0)  # «within one month»
            read.append(_token((symbol, start + first, start + last, value, name, other)))
        position += length
    return _said_once(read)


@lru_cache(maxsize=1 << 12)
def tokens_of(text: str) -> tuple[Token, ...]:
    """The tokens of a heading or a name; the same few stand again and again."""
    return tuple(tokens(text))


_Found = tuple[str, int, int]
_UNKNOWN = Token("WORD", 0, 0)
_NO_PHRASE = 0, _UNKNOWN
_SUFFIXES = frozenset("ab")
_COUNTS = frozenset({"NUMBER", "TIMES", "ROMAN"})
"""Right after these a short word may be a unit."""


def _parted(written: str) -> list[_Found]:
    """Words with their places; a hyphenated one is parted where its parts are known and it is not."""
    if "-" not in written:
        return [(match[0], match.start(), match.end()) for match in _WORD.finditer(written)]
    known = vocabulary().first
    found: list[_Found] = []
    for match in _WORD.finditer(written):
        word = match[0]
        low = word.casefold() if "-" in word else ""
        if "-" in low[1:] and low not in known and any(part in known for part in _tellings(low)):
            found += _parts(word, match.start())
        else:
            found.append((word, match.start(), match.end()))
    return found


def _tellings(word: str) -> list[str]:
    """The parts of a hyphenated word that tell whether to part it; the «ikke» of «ikke-korrigert» is none."""
    first, *others = word.split("-")
    if first in {"ikke", "ikkje", "non"}:
        return [part for part in others if (part,) in vocabulary().phrases]
    return [first, *others]


def _parts(word: str, start: int) -> Iterator[_Found]:
    for part in re.finditer(r"[^-]+|-", word):
        yield part[0], start + part.start(), start + part.end()


def _phrase(words: Sequence[str], position: int, *, beside: bool) -> tuple[int, Token]:
    """(number of words, token without a place) of the longest phrase of several words here; (0, _) for none.

    `beside`: a number stands before it, so that it may be a unit that means something else elsewhere.
    """
    known = vocabulary()
    for length in known.lengths[words[position], words[position + 1]]:
        phrase = tuple(words[position : position + length])
        token = known.phrases.get(phrase)
        if token is not None and (beside or token.symbol != "UNIT" or not _is_no_unit(phrase)):
            return len(phrase), token
    return _NO_PHRASE


def _is_no_unit(phrase: Sequence[str]) -> bool:
    return len("".join(phrase)) <= _SHORT_UNIT or (len(phrase) > 1 and not phrase[0].isalpha())


@lru_cache(maxsize=1 << 14)
def _alone(written: str, beside: bool) -> Token:
    """The token without a place of one word, of a number or an unknown word."""
    word = written.casefold()
    token = vocabulary().phrases.get((word,))
    if token is not None and (beside or token.symbol != "UNIT" or not _is_no_unit((word,))):
        return _graded(token, written)
    if word[0].isdecimal():
        value, other = _number(word)
        return Token("NUMBER", 0, 0, value, "", other)
    return _graded(_UNKNOWN, written)


def _graded(token: Token, written: str) -> Token:
    if len(written) > _LONGEST_GRADE:
        return token
    if written in _ROMAN:
        return Token("ROMAN", 0, 0, float(_ROMAN[written]))
    return Token("LETTER", 0, 0, name=written) if written in _GRADES else token


def _number(word: str) -> tuple[float, float | None]:
    """Its value and what else it may be: a dot or comma before three digits parts thousands or decimals."""
    if " " in word or word.count(".") + word.count(",") > 1:
        return float(re.sub(r"[., ]", "", word)), None
    if "+" in word:  # «11+3»: weeks and days
        weeks, days = word.split("+")
        return int(weeks) + round(int(days) / 7, 2), None
    whole, mark, rest = word.partition("." if "." in word else ",")
    decimal = float(f"{whole}.{rest or 0}")
    if not mark or len(rest) != 3 or whole.startswith("0") or len(whole) > 3:
        return decimal, None
    return (float(whole + rest), decimal) if mark == "," else (decimal, float(whole + rest))


def _said_once(read: list[Token]) -> list[Token]:
    """«Eighteen (18)» is one number."""
    symbols = [token.symbol for token in read]
    if "OPEN" not in symbols:
        return read
    kept: list[Token] = []
    position = 0
    while position < len(read):
        token = read[position]
        kept.append(token)
        position += 1
        same = symbols[position - 1 : position + 3] == ["NUMBER", "OPEN", "NUMBER", "CLOSE"]
        if same and read[position + 1].value == token.value:
            position += 3
    return kept


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The token of each phrase, how phrases begin, and how long those of two words and more are.

    `lengths` are by the first two words, longest first.
    """

    phrases: Mapping[tuple[str, ...], Token]
    first: frozenset[str]
    lengths: Mapping[tuple[str, str], tuple[int, ...]]


@cache
def vocabulary() -> Vocabulary:
    """The three tables, in the words that `tokens` finds."""
    phrases: dict[tuple[str, ...], Token] = {}
    lengths: dict[tuple[str, str], set[int]] = {}
    for symbol, name, phrase in entries():
        for each in _spelt_out(phrase.casefold().translate(_SAME)):
            words = tuple(_WORD.findall(each))
            value = float(name) if symbol == "NUMBER" else 0.0
            phrases[words] = Token(symbol, 0, 0, value, name)
            if len(words) > 1:
                lengths.setdefault((words[0], words[1]), set()).add(len(words))
    longest_first = {pair: tuple(sorted(each, reverse=True)) for pair, each in lengths.items()}
    return Vocabulary(phrases, frozenset(words[0] for words in phrases), longest_first)


def _spelt_out(phrase: str) -> Iterator[str]:
    """«{,x }10^9/{l,liter}» in its four spellings; parts with a comma in them are parted by semicolons."""
    parts = [
        part.split(";" if ";" in part else ",") if number % 2 else [part]
        for number, part in enumerate(_BRACES.split(phrase))
    ]
    return map("".join, product(*parts))


def entries() -> Iterator[tuple[str, str, str]]:
    """Every (symbol, name, phrase) of the tables."""
    folder = files("nlp.eligibility")
    with (folder / "vocabulary.tsv").open(encoding="utf-8") as lines:
        for row in DictReader(lines, delimiter="\t"):
            symbol, _, name = row["symbol"].partition(" ")
            yield from ((symbol, name, phrase) for phrase in row["phrases"].split(" | "))
    with (folder / "units.tsv").open(encoding="utf-8") as lines:
        for row in DictReader(lines, delimiter="\t"):
            symbol = "LIMIT" if row["dimension"] in {"uln", "lln"} else "UNIT"
            yield from ((symbol, row["unit"], phrase) for phrase in row["phrases"].split(" | "))
    with (folder / "variables.tsv").open(encoding="utf-8") as lines:
        for row in DictReader(lines, delimiter="\t"):
            symbol = "FACT" if row["question"] == "yes_no" else "VARIABLE"
            names = () if row["aliases"] == "-" else row["aliases"].split(" | ")
            yield from ((symbol, row["variable"], phrase) for phrase in names)
    yield from (("NUMBER", str(value), word) for word, value in (_ONE | number_words()).items())
