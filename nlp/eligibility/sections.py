"""A criteria text -> pieces that tile it: headings, items, list marks and white space.

Joined, the pieces are the text; nothing is dropped. Each item knows its section, depth and subheading.
"""

import re
from collections.abc import Iterator
from csv import DictReader
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import NamedTuple

WRAPPED = 60
"""A line of at least so many characters may have been cut by hard wrapping."""

SUBHEADING = 80
"""An unmarked line that ends in a colon and is no longer than this is a subheading."""

_LINE = re.compile(r"[^\r\n]+")
_STRETCH = re.compile(r"\s+|\S+")
_MARK = re.compile(
    r"(?:(?:[*•▪●◦·‣]+|[-–—](?!\d)|o(?=\s)|\(?\d{1,2}[.)](?!\d)|\(?(?:[a-h]|[ivx]{1,4})[.)](?=\s)|\(?[A-H]\)(?=\s))\s*)+"
)
_INLINE_MARK = re.compile(r"[•▪●]\s*|(?<=[\w.;:)])\s*[-–] +(?=[A-ZÆØÅ])")

_FIRST = re.compile(r"\s*(\(?1[.)])\s")
_NUMBERED = re.compile(r"(?P<before>\w*)[.;,)]?\s+(?P<mark>\(?\d{1,2}[.)])\s+(?=[A-ZÆØÅ≥≤<>])")
_GRADED = frozenset(
    (
        *("class", "grade", "stage", "type", "phase", "level", "part", "and", "or"),
        *("klasse", "grad", "stadium", "fase", "trinn", "nivå", "del", "og", "eller"),
    )
)
"""Words whose number is their own: «NYHA class 2. Adults» counts nothing."""


class Section(StrEnum):
    """Where a criterion stands. RECORD is a field of the register, not a line of text."""

    INCLUSION = "inclusion"
    EXCLUSION = "exclusion"
    OTHER = "other"
    RECORD = "record"


class PieceKind(StrEnum):
    """What a piece of the text is. Only a GAP is all white space."""

    HEADING = "heading"
    ITEM = "item"
    MARK = "mark"
    GAP = "gap"


class Piece(NamedTuple):
    """text[start:end]. `depth` is the indent of an item, `under` the words of its headings that narrow it.

    Under "Inclusion criteria for controls:" and then "Women:", `under` is "for controls: Women:".
    """

    kind: PieceKind
    start: int
    end: int
    section: Section
    depth: int = 0
    under: str = ""


@dataclass(slots=True)
class _Span:
    """Words of a heading (a section's, or a subheading) or of an item, before they are tiled."""

    start: int
    end: int
    heading: bool = False
    section: Section | None = None
    qualifier: str = ""
    depth: int = 0
    marked: bool = False
    first: bool = False
    """Stands first after a blank line."""
    wrapped: bool = False
    """Its line is so long that the next one may continue it."""


def read_sections(text: str) -> tuple[Piece, ...]:
    """Split a criteria text into pieces; each starts where the one before it ends.

    Headings in bokmål, nynorsk and English are found on their own line, before a colon at the start of a
    line, and inside it. Text before any heading is in section OTHER. Takes time linear in the length.
    """
    return tuple(_tile(text, _joined(text, _spans(text))))


def _spans(text: str) -> Iterator[_Span]:
    last = 0
    for line in _LINE.finditer(text):
        start, end = _stripped(text, line.start(), line.end())
        if start == end:
            continue
        blank = last == 0 or text.count("\n", last, start) > 1
        for number, span in enumerate(_line_spans(text, start, end)):
            span.depth = start - line.start()
            span.first = blank and number == 0
            span.wrapped = end - line.start() >= WRAPPED
            yield span
        last = end


def _line_spans(text: str, start: int, end: int) -> Iterator[_Span]:
    """Cut one stripped line at its section headings and, if it holds a list, at the marks inside."""
    for heading in _headings(text, start, end):
        yield from _items(text, start, heading.start)
        yield heading
        start = heading.end
    yield from _items(text, start, end)


def _items(text: str, start: int, end: int) -> Iterator[_Span]:
    inside = [mark.start() for mark in _INLINE_MARK.finditer(text, start + 1, end)]
    cuts = inside if len(inside) > 1 else list(_counted(text, start, end))
    for first, last in zip([start, *cuts], [*cuts, end], strict=True):
        first, last = _stripped(text, first, last)  # noqa: PLW2901 - the same stretch, tightened
        mark = _MARK.match(text, first, last)
        words = mark.end() if mark else first
        if words < last:
            subheading = mark is None and text[last - 1] == ":" and last - first <= SUBHEADING
            qualifier = text[first:last] if subheading else ""
            yield _Span(words, last, heading=subheading, qualifier=qualifier, marked=mark is not None)


def _counted(text: str, start: int, end: int) -> Iterator[int]:
    """Where 2, 3 ... stand, marked alike, in a stretch that begins with 1: «1. Adults 2. Signed consent»."""
    first = _FIRST.match(text, start, end)
    expected = 2
    for found in _NUMBERED.finditer(text, start, end) if first else ():
        alike = first is not None and found["mark"] == first[1].replace("1", str(expected))
        if alike and found["before"].casefold() not in _GRADED:
            yield found.start("mark")
            expected += 1


def _headings(text: str, start: int, end: int) -> Iterator[_Span]:
    """Section headings of one line: one that opens it, and any inside it that has a colon."""
    mark = _MARK.match(text, start, end)
    position = mark.end() if mark else start
    opening = _grammar().opening.match(text, position, end)
    if not opening and text[end - 1] in ":?":
        opening = _grammar().whole.fullmatch(text, position, end) or (
            None if mark else _grammar().verdict.fullmatch(text, position, end)
        )
    if opening:
        yield _heading(opening)
        position = opening.end()
    yield from map(_heading, _grammar().inside.finditer(text, position, end))


def _heading(found: re.Match[str]) -> _Span:
    name = next(name for name in ("title", "bare", "lead", "verdict") if found.groupdict().get(name))
    section = _grammar().sections[found[name].casefold()]
    around = found.string[found.start() : found.start(name)] + found.string[found.end(name) : found.end()]
    qualifier = "" if name == "lead" else around.strip()
    return _Span(found.start(), found.end(), heading=True, section=section, qualifier=qualifier)


def _joined(text: str, spans: Iterator[_Span]) -> Iterator[_Span]:
    """Put wrapped lines together again."""
    current: _Span | None = None
    for span in spans:
        if current and _continues(text, current, span):
            current.end, current.wrapped = span.end, span.wrapped
            continue
        if current:
            yield current
        current = span
    if current:
        yield current


def _continues(text: str, current: _Span, span: _Span) -> bool:
    """Whether `span` is a later line of the item `current`."""
    if current.heading or span.section or span.marked or span.first:
        return False
    return current.wrapped or text[span.start].islower()


def _tile(text: str, spans: Iterator[_Span]) -> Iterator[Piece]:
    section, title, subtitle, position = Section.OTHER, "", "", 0
    for span in spans:
        yield from _between(text, position, span.start, section)
        if span.section:
            section, title, subtitle = span.section, span.qualifier, ""
        elif span.heading:
            subtitle = span.qualifier
        kind = PieceKind.HEADING if span.heading else PieceKind.ITEM
        yield Piece(kind, span.start, span.end, section, span.depth, f"{title} {subtitle}".strip())
        position = span.end
    yield from _between(text, position, len(text), section)


def _between(text: str, start: int, end: int, section: Section) -> Iterator[Piece]:
    for part in _STRETCH.finditer(text, start, end):
        kind = PieceKind.GAP if part[0].isspace() else PieceKind.MARK
        yield Piece(kind, part.start(), part.end(), section)


def _stripped(text: str, start: int, end: int) -> tuple[int, int]:
    words = text[start:end]
    return start + len(words) - len(words.lstrip()), end - len(words) + len(words.rstrip())


@dataclass(frozen=True, slots=True)
class _Grammar:
    """What headings look like, built from headings.tsv."""

    sections: dict[str, Section]
    opening: re.Pattern[str]
    whole: re.Pattern[str]
    verdict: re.Pattern[str]
    inside: re.Pattern[str]


@cache
def _grammar() -> _Grammar:
    phrases: dict[str, list[str]] = {"title": [], "bare": [], "lead": [], "verdict": [], "before": []}
    sections: dict[str, Section] = {}
    with (files("nlp.eligibility") / "headings.tsv").open(encoding="utf-8") as lines:
        for row in DictReader(lines, delimiter="\t"):
            listed = row["phrases"].split(" | ")
            phrases[row["how"]] += listed
            if row["how"] != "before":
                sections |= dict.fromkeys(listed, Section(row["section"]))
    title, bare, lead, verdict, before = map(_any_of, phrases.values())
    opening = (
        rf"(?:{before}\s+){{0,4}}(?:(?P<title>{title})\b(?:[^:.;\n]{{0,80}}[:?]|\s*\([^)]*\)[.:]?$|\s+(?:for|in|related)\b[^:.;]{{0,50}}$|\s*[.,–*-]{{0,3}}$)"
        rf"|(?P<bare>{bare})\b\s*(?:[:?]|\**$)|(?P<lead>{lead})\b(?:\s+(?:du|you)\b)?\s*:?)"
    )
    return _Grammar(
        sections,
        re.compile(opening, re.IGNORECASE),
        re.compile(rf"[^.;:]{{0,100}}\b(?P<title>{title})\b[^.;:]{{0,60}}:", re.IGNORECASE),
        re.compile(rf"[^.;:]{{0,100}}\b(?P<verdict>{verdict})\b[^.;:]{{0,60}}:", re.IGNORECASE),
        re.compile(
            rf"(?<![\w-])(?=[A-ZÆØÅ])(?i:(?:{before}\s+){{0,4}}(?:(?P<title>{title})|(?P<bare>{bare}))\s*[:?]"
            rf"|(?<=[.!?]\s)(?P<lead>{lead})\b(?:\s+(?:du|you)\b)?\s*:?)"
        ),
    )


def _any_of(phrases: list[str]) -> str:
    longest_first = sorted(phrases, key=len, reverse=True)
    return "(?:" + "|".join(re.escape(phrase).replace(r"\ ", r"\s+") for phrase in longest_first) + ")"
