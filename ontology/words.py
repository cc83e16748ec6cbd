"""The one tokenizer, and the keys under which differently written words meet."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache, partial
from importlib.resources import files
from itertools import takewhile
from typing import NamedTuple

from ontology.table import read_roles, read_table

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|\d+(?:[.,]\d+)*")
_BREAK = re.compile(r"[.;:!?()\n]")
_MARKS = re.compile(r"[æøåäö]")
_ACCENTS = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]")
_FOLDED = (("ø", "o"), ("æ", "a"), ("ß", "ss"), ("đ", "d"), ("ł", "l"), ("'", ""), ("’", ""))
_DIGRAPHS = (("aa", "a"), ("ae", "a"), ("oe", "o"))
_ENDINGS = {
    "s": ("enes", "anes", "s"),
    "e": ("ene", "ane", "e"),
    "a": ("a",),
    "n": ("en", "an"),
    "t": ("et",),
    "r": ("er", "ar"),
}
_SHORTEST_STEM = 4
_WOUND = "sar"
_TAKEN_OFF = frozenset(("", "a", "e", "i", "y", "r", "s"))
_PUT_ON = re.compile("a|e|i|y|n|t|d|r|s|en|et|er|ar|ne|te|ed|es|ens|ets|ene|ane|enes|anes|ers|ies")
_SOUNDS = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"z", "s"),
        (r"ph", "f"),
        (r"th", "t"),
        (r"rh", "r"),
        (r"[st]i(?=on)", "S"),
        (r"sch|skj|kj|tj|sj|sh", "S"),
        (r"^(?:hj|gj|lj)", "j"),
        (r"^hv", "v"),
        (r"ch|ck|q", "k"),
        (r"x", "ks"),
        (r"w", "v"),
        (r"y", "i"),
        (r"(?<=\w)h(?=[^aeiou]|$)", ""),
        (r"(.)\1+", r"\1"),
    )
)


class Word(NamedTuple):
    """A word or number of a text: its span, and whether a clause ends between it and the word before."""

    text: str
    start: int
    end: int
    opens: bool


_word = partial(tuple.__new__, Word)
"""Makes a word in half the time."""


def words(text: str) -> list[Word]:
    """The words and numbers of `text` with their spans; letters and digits part («type2» is two words)."""
    found: list[Word] = []
    before = 0
    for match in _WORD.finditer(text):
        start, end = match.span()
        opens = before == 0 or (text[before:start] != " " and bool(_BREAK.search(text, before, start)))
        found.append(_word((match[0], start, end, opens)))
        before = end
    return found


def keys(texts: Iterable[str]) -> Iterator[tuple[list[str], list[str]]]:
    """The plain spellings and the stems of the words of each text; no text holds a line break."""
    stems: dict[str, str] = {}
    for folded in _fold("\n".join(texts)).split("\n"):
        spelt = folded.split() if folded.replace(" ", "").isalpha() else _WORD.findall(folded)
        for word in spelt:
            if word not in stems:
                stems[word] = _stem(word)
        yield spelt, [stems[word] for word in spelt]


@lru_cache(maxsize=1 << 14)
def plain(word: str) -> str:
    """`word` in lower case without the marks people leave out: æ, ae and ä give a; ø, oe and ö give o."""
    return _fold(word)


@lru_cache(maxsize=1 << 14)
def levelled(word: str) -> str:
    """`word` as `plain` has it, its parts of ontology/parts.tsv as in bokmål: hjartesjuk is hjertesyk."""
    return _replaced(plain(word), _plain_parts())


def _replaced(text: str, parts: Iterable[tuple[str, str]]) -> str:
    for part, meant in parts:
        text = text.replace(part, meant)
    return text


@cache
def _parts() -> tuple[tuple[str, str], ...]:
    rows = read_table(files("ontology") / "parts.tsv", "part meant")
    pairs = ((row.cells["part"], row.cells["meant"]) for row in rows)
    return tuple(sorted(pairs, key=lambda pair: -len(pair[0])))


@cache
def _plain_parts() -> tuple[tuple[str, str], ...]:
    return tuple((plain(part), plain(meant)) for part, meant in _parts())


def _fold(text: str) -> str:
    folded = text.casefold()
    for letter, meant in _FOLDED:
        folded = folded.replace(letter, meant)
    if not folded.isascii():
        folded = _ACCENTS.sub("", unicodedata.normalize("NFKD", folded))
    for digraph, letter in _DIGRAPHS:
        folded = folded.replace(digraph, letter)
    return folded


@lru_cache(maxsize=1 << 14)
def stem(word: str) -> str:
    """The key that a word shares with its inflected forms: kolsen, KOLS and kols; diabetikere, diabetiker.

    Scandinavian and English endings come off while four letters remain; a double end consonant and a
    final y are simplified, so that sykdommer meets sykdom and allergy meets allergi. The words of
    ontology/spoken.tsv share the key of the word they stand for: hovve and huet that of hodet.
    """
    return _stem(plain(word))


def _stem(spelt: str) -> str:
    key = _bare(spelt)
    return _spoken().get(key, key)


@cache
def _spoken() -> Mapping[str, str]:
    roles = read_roles(files("ontology") / "spoken.tsv")
    return {_bare(plain(word)): _bare(plain(meant)) for meant, spoken in roles.items() for word in spoken}


def is_spoken(spelt: str) -> bool:
    """Whether a plain word is one of ontology/spoken.tsv, which stands for another."""
    return _bare(spelt) in _spoken()


def _bare(spelt: str) -> str:
    key = spelt
    while (shorter := _without_ending(key)) != key:
        key = shorter
    if len(key) > _SHORTEST_STEM and key[-1] == key[-2]:
        key = key[:-1]
    return key[:-1] + "i" if key.endswith("y") and len(key) > 1 else key


def _without_ending(key: str) -> str:
    if key.endswith(_WOUND) and not key.endswith("s" + _WOUND):
        return key
    for ending in _ENDINGS.get(key[-1:], ()):
        if key.endswith(ending) and len(key) - len(ending) >= _SHORTEST_STEM:
            return key[: -len(ending)]
    if key[-2:] in ("en", "et", "er") and len(key) > _SHORTEST_STEM:
        return key[:-1]
    return key


def inflects(typed: str, listed: str) -> bool:
    """Whether two plain words with one stem are forms of one word: vorter and vorte, not paris and pariet.

    The listed word is taken to be in its plainest form, so that hardly more than a vowel comes off it. A
    word of ontology/spoken.tsv is a form of any word that it shares its stem with.
    """
    if is_spoken(typed):
        return True
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(typed, listed, strict=False)))
    double = typed[shared - 1 : shared]
    off, on = listed[shared:].removeprefix(double), typed[shared:].removeprefix(double)
    if on and (off == "s" or not _PUT_ON.fullmatch(on)):
        return False
    return bool(on) if off in ("er", "ar") else off in _TAKEN_OFF or (off, on) == ("et", "a")


@lru_cache(maxsize=1 << 16)
def sound(word: str) -> str:
    """How `word` is heard, roughly, in Norwegian: allsheimer and Alzheimer give the same key."""
    key = plain(word)
    for pattern, heard in _SOUNDS:
        key = pattern.sub(heard, key)
    return key


def same_marks(text: str, form: str, *, strictly: bool = False) -> bool:
    """Whether `text` has the marked letters of `form` or, in a longer word, none: «står» is not «stær».

    Both in lower case. Swedish ä and ö count as æ and ø; accents do not count. `strictly`: none is wrong.
    """
    typed, meant = _marks(text), _marks(form)
    return typed == meant or (not typed and not strictly and len(form) > _SHORTEST_STEM)


def _marks(text: str) -> str:
    if text.isascii():
        return ""
    alike = _replaced(text.replace("ä", "æ").replace("ö", "ø"), _parts())
    return "".join(_MARKS.findall(alike))


def starts_with(sequence: Sequence[str], at: int, part: Sequence[str]) -> bool:
    """Whether `part` stands in `sequence` from position `at` on."""
    return tuple(sequence[at : at + len(part)]) == tuple(part)
