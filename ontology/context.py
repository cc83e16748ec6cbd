"""Whether a mention is denied («ikke diabetes»), of a relative («moren min har») or a figure of speech."""

from collections.abc import Mapping, Sequence

from ontology.words import Word, starts_with

_REACH = 4
_CLAUSE = 25
_FIGURE = 3


class Context:
    """Reads the words around a mention; the cues come from ontology/cues.tsv.

    After NegEx and ConText (Chapman 2001, Harkema 2009): a cue reaches forward to the end of its clause
    or to a word that turns the talk elsewhere.
    """

    def __init__(self, cues: Mapping[str, frozenset[str]]) -> None:
        self._negates, self._barrier = cues["negates"], cues["barrier"]
        self._joins, self._kin, self._self = cues["joins"], cues["kin"], cues["self"]
        self._family_after, self._elsewhere = cues["family_after"], cues["elsewhere"]
        self._affirms = [tuple(text.split()) for text in sorted(cues["affirms"])]

    def negated(self, text: Sequence[Word], first: int) -> bool:
        """Whether the mention that begins with word `first` is denied by the words before it."""
        clause = _clause_start(text, first)
        for i in range(first - 1, max(clause, first - _REACH) - 1, -1):
            word = text[i].text.casefold()
            if word in self._barrier:
                return False
            if word in self._negates:
                return not self._is_affirmed(text, i)
        return False

    def carries_on(self, text: Sequence[Word], end: int, first: int) -> bool:
        """Whether only «eller» and the like stand between a mention ending before `end` and the next."""
        between = text[end:first]
        return (
            len(between) <= 1
            and all(word.text.casefold() in self._joins for word in between)
            and not any(word.opens for word in text[end : first + 1])
        )

    def family(self, text: Sequence[Word], first: int, end: int) -> bool:
        """Whether words `first` to `end` are said of a relative, in the same clause."""
        for word in reversed(text[_clause_start(text, first) : first]):
            low = word.text.casefold()
            if low in self._kin:
                return True
            if low in self._self:
                return False
        return any(word.text.casefold() in self._family_after for word in text[end : end + _REACH])

    def figurative(self, text: Sequence[Word], end: int) -> bool:
        """Whether what falls ill stands next and is no person: «hodepine for regjeringen»."""
        for word in text[end : end + _FIGURE]:
            if word.opens:
                return False
            if word.text.casefold() in self._elsewhere:
                return True
        return False

    def _is_affirmed(self, text: Sequence[Word], at: int) -> bool:
        start = max(0, at - _REACH)
        low = [word.text.casefold() for word in text[start : at + _REACH]]
        return any(
            starts_with(low, i, cue)
            for cue in self._affirms
            for i in range(len(low))
            if i <= at - start < i + len(cue)
        )


def _clause_start(text: Sequence[Word], first: int) -> int:
    lowest = max(0, first - _CLAUSE)
    return next((i for i in range(first, lowest, -1) if text[i].opens), lowest)
