"""Right, given and gold: what precision, recall and F1 are made of."""

from dataclasses import dataclass


@dataclass(slots=True)
class Score:
    """How many are right, how many were given, and how many the gold holds."""

    right: int = 0
    given: int = 0
    gold: int = 0

    @property
    def precision(self) -> float:
        """Share of the given ones that are right; 0 when none was given."""
        return self.right / self.given if self.given else 0.0

    @property
    def recall(self) -> float:
        """Share of the gold that was found; 0 when there is none."""
        return self.right / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of both."""
        return 2 * self.right / (self.given + self.gold) if self.right else 0.0

    def row(self) -> dict[str, float]:
        """The counts and the shares, for a table or for JSON."""
        shares = {"precision": self.precision, "recall": self.recall, "f1": self.f1}
        return {"right": self.right, "given": self.given, "gold": self.gold} | shares
