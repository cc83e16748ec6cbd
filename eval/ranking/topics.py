"""What somebody searched for, and what is right."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topic:
    """What somebody searched for: one or more wordings of the same need, and what type of need it is."""

    id: str
    wordings: tuple[str, ...]
    kind: str = ""

    @property
    def runs(self) -> dict[str, str]:
        """The wordings by their id in a run: the topic's own, or with .1, .2 … when there are several."""
        if len(self.wordings) == 1:
            return {self.id: self.wordings[0]}
        return {f"{self.id}.{number}": words for number, words in enumerate(self.wordings, 1)}


@dataclass(frozen=True, slots=True)
class Judgment:
    """How relevant one document is to one topic: 0 not, 1 possibly, 2 highly."""

    topic: str
    document: str
    grade: int
