"""A message cut into clauses, so that what is said in one is not taken for another."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from chatbot.phrases import group

_SENTENCE = re.compile(r"[.!?…]+(?=\s|$)|[;\n\r]+")
_TURN = re.compile(r"\b(?:men|but|derimot)\s*$", re.I)


@dataclass(frozen=True, slots=True)
class Clause:
    """Characters `start` to `end` of a message; `sentence` counts the sentences.

    `turns`: it begins with «men», and what was denied before it is not denied in it.
    """

    text: str
    start: int
    end: int
    sentence: int
    turns: bool = False


def clauses(message: str) -> tuple[Clause, ...]:
    """The clauses of a message in order; they cover it, but for the marks and words between them."""
    return tuple(
        Clause(message[start:end], start, end, number, _TURN.search(message[:start]) is not None)
        for number, (first, last) in enumerate(_cut(_SENTENCE, message, 0, len(message)))
        for start, end in _cut(_clause(), message, first, last)
    )


def _cut(mark: re.Pattern[str], text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    for found in mark.finditer(text, start, end):
        if text[start : found.start()].strip():
            yield start, found.start()
            start = found.end()
    if text[start:end].strip():
        yield start, end


@cache
def _clause() -> re.Pattern[str]:
    """A comma, a «men», or an «og» before words that begin a new statement."""
    starts = "|".join(group("clause_starts"))
    joined = rf"\b(?:og|and|så)\b(?=\s+(?:{starts})\b)"
    return re.compile(rf",(?!\d)|\b(?:men|but|mens|while|selv om|though)\b|{joined}", re.IGNORECASE)
