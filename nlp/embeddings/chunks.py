"""A study in, its passages out: what the encoder reads and what a hit can show as its best passage."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from registry.study import Study

LENGTH = 800
"""Longest chunk in characters: about 200 tokens of Norwegian or English."""

CHUNKS_OF = {"title": 1, "conditions": 1, "summary": 2}
"""The fields that are embedded, and how many chunks of each. The sparse leg reads the whole study.

Criteria and descriptions were embedded once; on sigir2016 (1,024 studies) that made meaning alone worse for
case histories (nDCG@10 .141 against .167; keywords .281 against .277), and indexing took half as long again.
"""

_HEADING = re.compile(
    r"(?:^|(?<=\n)|(?<=[.;:]\s))[^\S\n]*[-*•#\d.) ]*(?:key|main|major|general|viktige|viktigste)?\s*"
    r"(?P<polarity>inclusion|inklusjon|exclusion|eksklusjon)s?[ -]*"
    r"(?:criteria|criterion|kriterie[rt]?|kriterium)?"
    r"[^\S\n]*(?:\([^)\n]*\))?[^\S\n]*(?::|(?=\n)|$)",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=\S)|\s*\n\s*")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage of one field; `text` is `field_text(study, field)[start:end]`."""

    study_id: str
    field: str
    start: int
    end: int
    text: str


def field_text(study: Study, field: str) -> str:
    """The text that the offsets of a chunk of `field` point into."""
    if field == "conditions":
        return "; ".join(study.conditions)
    if field == "inclusion":
        return study.criteria
    return str(getattr(study, field))


def chunk_study(study: Study) -> tuple[Chunk, ...]:
    """The passages of a study in reading order, at most LENGTH characters each, cut between sentences.

    The exclusion part of the criteria is left out: a condition that keeps people out of a study must
    not make the study look like one about that condition.
    """
    return tuple(chunk for field, most in CHUNKS_OF.items() for chunk in _field_chunks(study, field)[:most])


def as_read(study: Study, chunk: Chunk) -> str:
    """What the encoder reads of a chunk: it says more with the title of its study before it."""
    return chunk.text if chunk.field == "title" else f"{study.title}\n{chunk.text}"


def inclusion_spans(criteria: str) -> tuple[tuple[int, int], ...]:
    """(start, end) of every part of `criteria` that does not stand under an exclusion heading."""
    headings = list(_HEADING.finditer(criteria))
    starts = [0, *(heading.end() for heading in headings)]
    ends = [*(heading.start() for heading in headings), len(criteria)]
    wanted = [True, *(heading["polarity"].lower().startswith("in") for heading in headings)]
    return tuple(
        (a, b) for a, b, keep in zip(starts, ends, wanted, strict=True) if keep and criteria[a:b].strip()
    )


def pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Spans of at most LENGTH characters over `text[start:end]`, whole sentences where they fit."""
    opened: int | None = None
    closed = start
    for begin, finish in _sentences(text, start, end):
        if opened is not None and finish - opened > LENGTH:
            yield opened, closed
            opened = None
        opened = begin if opened is None else opened
        closed = finish
    if opened is not None:
        yield opened, closed


def _field_chunks(study: Study, field: str) -> list[Chunk]:
    text = field_text(study, field)
    spans = inclusion_spans(text) if field == "inclusion" else ((0, len(text)),)
    return [
        Chunk(study.id, field, begin, finish, text[begin:finish])
        for start, end in spans
        for begin, finish in pieces(text, start, end)
    ]


def _sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Non-empty sentence spans without outer white space; one that is too long is cut between words."""
    cuts = [start, *(m.end() for m in _SENTENCE_END.finditer(text, start, end)), end]
    for begin, finish in pairwise(cuts):
        yield from _cut(text, *_trim(text, begin, finish))


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    inner = text[start:end]
    return start + len(inner) - len(inner.lstrip()), end - len(inner) + len(inner.rstrip())


def _cut(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while end - start > LENGTH:
        space = max(text.rfind(" ", start + 1, start + LENGTH), text.rfind("\n", start + 1, start + LENGTH))
        middle = space if space > start else start + LENGTH
        yield _trim(text, start, middle)
        start, _ = _trim(text, middle, end)
    if start < end:
        yield start, end
