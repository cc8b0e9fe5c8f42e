"""Scores by what users have in their histories, and how much each item there speaks for each other one."""

import numpy as np
import numpy.typing as npt
import scipy.sparse


class HistoryScorer:
    """Sums weights between the items of a user's history and others; a `Scorer`."""

    def __init__(self, history: scipy.sparse.csr_matrix, weights: scipy.sparse.csr_matrix):
        """Takes what each item of a user's history counts, and how much each speaks for each other one.

        Args:
          history: float64 [users, items].
          weights: float64 [items, items].
        """
        self._history, self._weights, self._by_target = history, weights, weights.T.tocsr()

    def score_candidates(self, users: npt.NDArray[np.int32], items: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
        """See `Scorer`."""
        # Of the candidates alone: scoring all items takes many times as long where there are many.
        scores, history = np.zeros(items.shape), np.zeros(self._weights.shape[0])
        for row, user in enumerate(users):
            own = slice(self._history.indptr[user], self._history.indptr[user + 1])
            history[self._history.indices[own]] = self._history.data[own]
            scores[row] = self._by_target[items[row]] @ history
            history[self._history.indices[own]] = 0
        return scores

    def score_all_items(self, users: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
        """See `Scorer`."""
        scores: npt.NDArray[np.float64] = (self._history[users] @ self._weights).toarray()
        return scores
