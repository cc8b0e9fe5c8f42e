"""The data that was tuned for, in the few numbers that rules for defaults can go by."""

from dataclasses import dataclass
from typing import Self

from components.artifacts.interactions_summary import InteractionsSummary

_TIMES = {"random": "none", "given": "not known: the split was given"}


@dataclass(frozen=True)
class Data:
    """Counts of a data set.

    Attributes:
      name: of the data set, or its path.
      users: how many.
      items: how many.
      interactions: those that training sees.
      times: whether interactions have times, in a few words.
    """

    name: str
    users: int
    items: int
    interactions: int
    times: str

    @classmethod
    def read(cls, interactions: str) -> Self:
        """Reads it off the artifact at that URI."""
        summary = InteractionsSummary.read(interactions)
        times = _TIMES.get(summary.holdout, "known")
        return cls(summary.dataset, summary.users, summary.items, summary.interactions["train"], times)

    def counts(self) -> list[tuple[str, str]]:
        """Titles and values, for a table."""
        return [
            ("users", f"{self.users:,}"),
            ("items", f"{self.items:,}"),
            ("training interactions", f"{self.interactions:,}"),
            ("a user's mean", f"{self.interactions / self.users:.1f}"),
            ("times", self.times),
        ]
