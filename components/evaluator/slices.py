"""Cuts the test records into quartiles: by the activity of the user, and by the popularity of the held-out item."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Integers: TypeAlias = npt.NDArray[np.integer[Any]]
"""Indexes or counts, of whatever width."""


@dataclass(frozen=True)
class Slice:
    """The records whose count is `low` to `high`, both included."""

    name: str
    low: int
    high: int


@dataclass(frozen=True)
class Slicing:
    """One way to cut records.

    Attributes:
      by_user: whether the count is that of a record's user, else that of its held-out item.
      counts: training interactions of each user or item, integers.
      slices: the quartiles, ascending.
    """

    by_user: bool
    counts: Integers
    slices: tuple[Slice, ...]

    def members(self, users: Integers, items: Integers) -> Iterator[tuple[Slice, npt.NDArray[np.bool_]]]:
        """Each slice, and which records belong to it: bool [n].

        Args:
          users: integers [n], the users of the records that were cut, or of some of them.
          items: integers [n], their held-out items.
        """
        counts = self.counts[users if self.by_user else items]
        for part in self.slices:
            yield part, (part.low <= counts) & (counts <= part.high)


def slicings(users: Integers, items: Integers, user_counts: Integers, item_counts: Integers) -> dict[str, Slicing]:
    """The ways to cut these test records: `activity` and `item_popularity`.

    Args:
      users: integers [n], indexes of the records' users.
      items: integers [n], indexes of the held-out items.
      user_counts: training interactions of each user, integers [users].
      item_counts: training interactions of each item, integers [items].
    """
    return {
        "activity": Slicing(True, user_counts, quartiles(user_counts[users])),
        "item_popularity": Slicing(False, item_counts, quartiles(item_counts[items])),
    }


def quartiles(counts: Integers) -> tuple[Slice, ...]:
    """Cuts counts into quartiles of about equal size.

    Equal counts stay together; a quartile that nothing is left for is left out.

    Args:
      counts: integers [n].
    """
    number = quartile_numbers(counts)
    parts = [(quarter, counts[number == quarter]) for quarter in range(4)]
    return tuple(
        Slice(f"quartile {quarter + 1}", int(part.min()), int(part.max())) for quarter, part in parts if len(part)
    )


def quartile_numbers(counts: Integers) -> npt.NDArray[np.int64]:
    """The quartile, 0 to 3, that each count is in: int64 [n].

    Args:
      counts: integers [n].
    """
    if not len(counts):
        return np.zeros(0, np.int64)
    largest = np.quantile(counts, [0.25, 0.5, 0.75], method="inverted_cdf")
    return np.searchsorted(largest, counts, side="left")
