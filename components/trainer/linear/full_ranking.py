"""Ranks the held-out items of a sample of users among all that they have not seen in training."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from components.metrics.by_user import summarise
from components.shared.parallel import cores
from components.shared.random_streams import stream_key
from components.shared.stable_samples import draw_ids
from components.trainer.linear.histories import Histories
from components.trainer.linear.loops import rank_under_weights

# With a quarter of them, what was chosen ranked the test items of two sets of Amazon worse by three parts in a hundred.
_PAIRS = 1 << 26
PAIRS_OF_SOME = 1 << 24
"""So many pairs of users and items answer for all where they are asked after each epoch."""

_LEAST_USERS = 500
_USERS_AT_ONCE = 128

Scores = npt.NDArray[np.float32]
Ranks = npt.NDArray[np.int64]

_Found = TypeVar("_Found")


@dataclass(frozen=True)
class Sample:
    """Users with an item for validation.

    Attributes:
      users: int32 [n], ascending.
      items: int32 [n], their held-out items.
      seen: rows, 0 to n - 1 and ascending, and items of what they have seen in training.
    """

    users: npt.NDArray[np.int32]
    items: npt.NDArray[np.int32]
    seen: tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]

    @classmethod
    def draw(cls, histories: Histories, seed: int, pairs: int = _PAIRS) -> "Sample":
        """Draws so many users that they make about so many pairs with all items, at least 500, or takes all of them.

        They are drawn by their raw ids: were it others each time that data came, what they choose would move by chance.
        """
        users, items = histories.validation
        ids = users if histories.user_ids is None else histories.user_ids[users]
        number = max(_LEAST_USERS, pairs // histories.items)
        chosen = draw_ids(ids, number, stream_key(seed, "users of validation"))
        users, items = users[chosen], items[chosen]
        rows = histories.seen[users].tocoo()
        return cls(users, items, (rows.row.astype("i8"), rows.col.astype("i4")))

    def every(self, step: int) -> "Sample":
        """One of so many users, beginning with the first."""
        rows, items = self.seen
        kept = rows % step == 0
        return Sample(self.users[::step], self.items[::step], (rows[kept] // step, items[kept]))

    def without_seen(self, scores: Scores, block: slice = slice(None)) -> Scores:
        """Scores float32 [n, items] of the rows of a block, where what was seen has the lowest of all."""
        rows, items = self.seen
        begin, end, _ = block.indices(len(self.users))
        inside = slice(*np.searchsorted(rows, [begin, end]))
        scores[rows[inside] - begin, items[inside]] = -np.inf
        return scores

    def each_block(self, function: Callable[[slice], _Found]) -> list[_Found]:
        """What a function finds for some of the users at a time, given as rows of the sample, on all cores."""
        begins = range(0, len(self.users), _USERS_AT_ONCE)
        blocks = [slice(begin, min(begin + _USERS_AT_ONCE, len(self.users))) for begin in begins]
        # A product has one thread of BLAS: so it has the same bits on any number of cores.
        with threadpool_limits(1, "blas"), ThreadPoolExecutor(cores()) as pool:
            return list(pool.map(function, blocks))

    def ranks(self, block: slice, base: Scores, part: Scores, weights: Sequence[float]) -> Ranks:
        """Ranks by `base + weight * part`, int64 [weights, rows]; a tie counts against the held-out item.

        Args:
          block: rows.
          base: their scores, float32 [rows, items].
          part: others, likewise; where the weight is 0 they do not matter.
          weights: of the part.
        """
        ranks = np.empty((len(weights), len(base)), np.int64)
        rank_under_weights(base, part, np.array(weights, np.float32), self.items[block], ranks)
        return ranks

    def ranks_by(self, score: Callable[[slice], Scores]) -> Ranks:
        """The rank of each user's held-out item, int64 [n], 1 = best; a tie counts against it.

        Args:
          score: of the rows of a block, float32 [rows, items], to be ranked without what was seen.
        """

        def ranks(block: slice) -> Ranks:
            scores = score(block)
            of_weight: Ranks = self.ranks(block, scores, scores, [0.0])[0]
            return of_weight

        return np.concatenate(self.each_block(ranks))

    def metrics(self, score: Callable[[slice], Scores], k: int) -> dict[str, float]:
        """The metrics at K of what `ranks_by` gives, by name."""
        return summarise(self.ranks_by(score), (k,))
