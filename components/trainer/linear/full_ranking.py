"""Ranks the held-out items of a sample of users among all that they have not seen in training."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from components.metrics.by_user import summarise
from components.trainer.linear.histories import Histories

_PAIRS = 1 << 24
_LEAST_USERS = 500
_USERS_AT_ONCE = 256

Scores = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Sample:
    """Users with an item for validation.

    Attributes:
      users: int32 [n], ascending.
      items: int32 [n], their held-out items.
      seen: rows, 0 to n - 1, and items of what they have seen in training.
    """

    users: npt.NDArray[np.int32]
    items: npt.NDArray[np.int32]
    seen: tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]

    @classmethod
    def draw(cls, histories: Histories, random: np.random.Generator) -> "Sample":
        """Draws so many users that they make some ten million pairs with all items, or takes all of them."""
        users, items = histories.validation
        number = max(_LEAST_USERS, _PAIRS // histories.items)
        if number < len(users):
            chosen = np.sort(random.choice(len(users), number, replace=False))
            users, items = users[chosen], items[chosen]
        rows = histories.seen[users].tocoo()
        return cls(users, items, (rows.row.astype("i8"), rows.col.astype("i4")))

    def without_seen(self, scores: Scores) -> Scores:
        """Scores float32 [n, items], where what was seen has the lowest of all."""
        scores[self.seen] = -np.inf
        return scores

    def blocks(self) -> list[slice]:
        """Some of the users at a time, as rows of the sample."""
        return [slice(begin, begin + _USERS_AT_ONCE) for begin in range(0, len(self.users), _USERS_AT_ONCE)]

    def metrics(self, score: Callable[[slice], Scores], k: int) -> dict[str, float]:
        """The metrics at K, by name; a tie counts against the held-out item.

        Args:
          score: of the rows of a block, float32 [rows, items], to be ranked without what was seen.
          k: the K.
        """
        return summarise(np.concatenate([self._ranks(block, score(block)) for block in self.blocks()]), (k,))

    def _ranks(self, block: slice, scores: Scores) -> npt.NDArray[np.int64]:
        items = self.items[block]
        # The item itself is among those that are not below it.
        ranks: npt.NDArray[np.int64] = (~(scores < scores[np.arange(len(items)), items][:, None])).sum(axis=1)
        return ranks
