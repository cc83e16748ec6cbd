"""Patterns over the symbols of tokens: each symbol is one character, so that places count tokens."""

import re
from collections.abc import Iterable
from typing import Protocol

_FIRST = 0xE000
_OTHER = "-"
_codes: dict[str, str] = {}


class Symbolic(Protocol):
    """A token, or what tokens were folded into."""

    @property
    def symbol(self) -> str:
        """What the grammar reads it as."""


def pattern(written: str) -> re.Pattern[str]:
    """A pattern in which each name in capitals stands for that symbol; spaces count for nothing."""
    return re.compile(re.sub("[A-Z_]{2,}", lambda name: _code(name[0]), written).replace(" ", ""))


def coded(items: Iterable[Symbolic]) -> str:
    """The symbols of the items, for patterns; those that no pattern speaks of are all alike."""
    return "".join([_codes.get(item.symbol, _OTHER) for item in items])


def _code(symbol: str) -> str:
    return _codes.setdefault(symbol, chr(_FIRST + len(_codes)))
