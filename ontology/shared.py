"""Names that share a part in a list: «lever- og nyresykdom», "hepatic or renal failure"."""

import re
from collections.abc import Iterator, Sequence

from ontology.found import Found, How, Scan, scan
from ontology.names import Names

_JOINTS = frozenset(("og", "eller", "and", "or", "samt"))
_PUNCTUATION = frozenset((",", "/"))
_HANGING = re.compile(r"(?<=\w)-(?=[ ,])")
_SHORTEST_HEAD = 4
_SHORTEST_MODIFIER = 3
_LONGEST_MODIFIER = 2
"""Words: «type 1» of "type 1 or type 2 diabetes"."""


class Shared:
    """Completes the shortened members of lists with what their neighbour spells out."""

    def __init__(self, names: Names) -> None:
        self._names = names

    def find(self, read: Scan, whole: Sequence[Found]) -> Iterator[Found]:
        """The shortened names beside those that stand `whole` in the text."""
        taken = {number for found in whole for number in range(found.first, found.end)}
        for found in whole:
            if found.end - found.first > 1:
                yield from self._before(read, found, taken)
                yield from self._after(read, found, taken)
        hanging = {found.start() for found in _HANGING.finditer(read.text)}
        for number, word in enumerate(read.words if hanging else ()):
            if word.end in hanging and number not in taken:
                yield from self._hyphened(read, number)

    def _before(self, read: Scan, whole: Found, taken: set[int]) -> Iterator[Found]:
        """«Hepatic» of "cardiac, hepatic or renal disease", and «cardiac»."""
        words = [word.text for word in read.words[whole.first : whole.end]]
        position = whole.first
        while (end := self._joined_to(read, position)) is not None:
            found = next(self._modified(read, end, words, taken), None)
            if found is None:
                return
            yield found
            position = found.first

    def _modified(self, read: Scan, end: int, whole: Sequence[str], taken: set[int]) -> Iterator[Found]:
        """As many words before `end` as they replace at the beginning of the whole name."""
        for first in range(end - 1, max(end - 1 - _LONGEST_MODIFIER, -1), -1):
            modifier = [word.text for word in read.words[first:end]]
            if first in taken:
                return
            if len(modifier[0]) < _SHORTEST_MODIFIER:
                continue
            tail = whole[len(modifier) :]
            if tail and (found := self._named(read, [*modifier, *tail], first, end)):
                yield found

    def _after(self, read: Scan, whole: Found, taken: set[int]) -> Iterator[Found]:
        """«Flutter» of "atrial fibrillation or flutter"."""
        after = whole.end
        while after < len(read.words) and read.words[after].text.casefold() in _JOINTS:
            after += 1
        if whole.end < after < len(read.words) and after not in taken:
            head = [word.text for word in read.words[whole.first : whole.end - 1]]
            if found := self._named(read, [*head, read.words[after].text], after, after + 1):
                yield found

    def _hyphened(self, read: Scan, number: int) -> Iterator[Found]:
        """«Lever-» of «lever- og nyresykdom»: the longest end of the next word that makes a name of it."""
        after = number + 1
        while after < len(read.words) and (
            read.words[after].text.casefold() in _JOINTS or read.text[read.words[after].end :][:1] == "-"
        ):
            after += 1
        if after == number + 1 or after == len(read.words):
            return
        begun, other = read.words[number].text, read.words[after].text
        for cut in range(2, len(other) - _SHORTEST_HEAD + 1):
            if found := self._named(read, [begun + other[cut:]], number, number + 1):
                yield found
                return

    @staticmethod
    def _joined_to(read: Scan, position: int) -> int | None:
        """Where the list member before `position` ends, if one is joined to it."""
        end = position
        while end and read.words[end - 1].text.casefold() in _JOINTS:
            end -= 1
        if not end:
            return None
        gap = read.text[read.words[end - 1].end : read.words[end].start].strip()
        return end if gap in _PUNCTUATION or (end < position and not gap) else None

    def _named(self, read: Scan, spelt: list[str], first: int, end: int) -> Found | None:
        """The name that words spell out, as found at `first` to `end`."""
        whole = scan(" ".join(spelt), read.language, read.forgiving)
        named = self._names.run_at(whole, 0)
        if named is None or named.end < len(whole.words):
            return None
        return Found(first, end, named.readings).found_by(How.SHARED)
