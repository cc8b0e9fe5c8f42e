"""Scores by what users have in their histories, and how much each item there speaks for each other one."""

# The compiler infers the types.
# mypy: disable-error-code="no-untyped-def"

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import scipy.sparse

from components.kernels.compiling import compiled, entry_point
from components.shared.parallel import cores


class HistoryScorer:
    """Sums weights between the items of a user's history and others; a `Scorer`."""

    def __init__(self, history: scipy.sparse.csr_matrix, weights: scipy.sparse.csr_matrix):
        """Takes what each item of a user's history counts, and how much each speaks for each other one.

        Args:
          history: float64 [users, items].
          weights: float64 [items, items].
        """
        self._items = weights.shape[0]
        self._lists = *_ends_and_rest(history), *_ends_and_rest(weights)
        self._pool = ThreadPoolExecutor(cores())

    def score_candidates(self, users: npt.NDArray[np.int32], items: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
        """See `Scorer`."""
        scores = np.empty(items.shape)

        def some(rows: slice) -> None:
            score_candidates(users[rows], items[rows], *self._lists, np.empty(self._items), scores[rows])

        ends = np.linspace(0, len(users), cores() + 1).astype(int)
        list(self._pool.map(some, map(slice, ends[:-1], ends[1:])))
        return scores

    def score_all_items(self, users: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
        """See `Scorer`."""
        scores = np.empty((len(users), self._items))
        score_all_items(users, *self._lists, scores)
        return scores


def _ends_and_rest(matrix: scipy.sparse.csr_matrix) -> tuple[npt.NDArray[np.generic], ...]:
    return matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), matrix.data.astype(np.float64)


def compile_ahead() -> None:
    """Compiles, and keeps the code on disk."""
    scorer = HistoryScorer(scipy.sparse.csr_matrix((1, 1)), scipy.sparse.csr_matrix((1, 1)))
    nobody = np.zeros(0, np.int32)
    scorer.score_candidates(nobody, np.zeros((0, 1), np.int32))
    scorer.score_all_items(nobody)


@entry_point
def score_candidates(users, candidates, user_ends, items_of, counts, item_ends, others_of, weights, sums, scores):
    """Fills the scores of some items of each user.

    Args:
      users: int32 [n].
      candidates: int32 [n, width].
      user_ends: int64 [users + 1], where each user's history ends, after a zero.
      items_of: int32, the items of all histories.
      counts: float64, what each of them counts.
      item_ends: int64 [items + 1], where the items end that each item speaks for, after a zero.
      others_of: int32, those items.
      weights: float64, how much it speaks for each.
      sums: float64 [items], room for a row.
      scores: float64 [n, width].
    """
    for row in range(len(users)):
        _sum_up(users[row], user_ends, items_of, counts, item_ends, others_of, weights, sums)
        for column in range(candidates.shape[1]):
            scores[row, column] = sums[candidates[row, column]]


@entry_point
def score_all_items(users, user_ends, items_of, counts, item_ends, others_of, weights, scores):
    """Fills the scores of all items, float64 [n, items]; the rest as in `score_candidates`."""
    for row in range(len(users)):
        _sum_up(users[row], user_ends, items_of, counts, item_ends, others_of, weights, scores[row])


@compiled
def _sum_up(user, user_ends, items_of, counts, item_ends, others_of, weights, sums):
    """The scores of all items for a user."""
    sums[:] = 0.0
    for place in range(user_ends[user], user_ends[user + 1]):
        item, count = items_of[place], counts[place]
        for position in range(item_ends[item], item_ends[item + 1]):
            sums[others_of[position]] += count * weights[position]
