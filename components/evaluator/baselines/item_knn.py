"""Neighbourhoods of items: who has interacted with this one has interacted with those."""

from typing import ClassVar

import numpy as np
import numpy.typing as npt
import scipy.sparse
from pydantic import Field

from components.evaluator.baselines.base import Baseline, Training
from components.evaluator.baselines.co_occurrences import co_occurrences
from components.shared.progress import Bar


class ItemKnn(Baseline):
    """Sums the similarities between an item and those of its neighbours that the user has seen.

    Sarwar et al., WWW 2001, for interactions without ratings as in Deshpande and Karypis, TOIS 2004.
    """

    title: ClassVar[str] = "item-kNN"
    label: ClassVar[str] = "Item-kNN"
    about: ClassVar[str] = (
        "items by their cosine similarity to the user's seen items (Sarwar et al., WWW 2001; Deshpande and Karypis, "
        "TOIS 2004)"
    )

    item_knn_neighbours: int = Field(
        100, ge=1, description="By how many of its most similar items, if the user has seen them, an item is scored."
    )
    item_knn_shrinkage: float = Field(
        10.0,
        ge=0,
        allow_inf_nan=False,
        description="Added to the denominator of the cosine, in users: the greater, the less a similarity counts that "
        "few users stand for.",
    )

    def steps(self, training: Training) -> int:
        """See `Baseline`."""
        return training.items

    def fit(self, training: Training, bar: Bar) -> "NeighbourScorer":
        """See `Baseline`."""
        parts = [scipy.sparse.csr_matrix((0, training.items))]
        sizes = np.sqrt(training.matrix.sum(axis=0)).A1
        for some, shared in co_occurrences(training.matrix):
            similarities = _cosines(shared, sizes[some], sizes, self.item_knn_shrinkage)
            similarities[np.arange(len(similarities)), np.arange(some.start, some.stop)] = 0
            parts.append(scipy.sparse.csr_matrix(keep_largest(similarities, self.item_knn_neighbours)))
            bar.advance(len(similarities))
        return NeighbourScorer(training.matrix, scipy.sparse.vstack(parts).T.tocsr())


def _cosines(
    shared: npt.NDArray[np.float64], rows: npt.NDArray[np.float64], columns: npt.NDArray[np.float64], shrinkage: float
) -> npt.NDArray[np.float64]:
    """Shared users over the roots of the numbers of users, plus the shrinkage; 0 where nobody is shared."""
    return np.divide(shared, np.outer(rows, columns) + shrinkage, out=np.zeros(shared.shape), where=shared > 0)


def keep_largest(values: npt.NDArray[np.float64], number: int) -> npt.NDArray[np.float64]:
    """Sets all but the largest of each row to 0; of equal values, the first ones stay.

    Args:
      values: float64 [n, width], at least 0.
      number: how many stay.

    Example:
      >>> keep_largest(np.array([[3.0, 1.0, 2.0, 2.0]]), 2)
      array([[3., 0., 2., 0.]])
    """
    if number >= values.shape[1]:
        return values
    least = np.partition(values, -number, axis=1)[:, -number, None]
    larger, equal = values > least, values == least
    left = number - larger.sum(axis=1, keepdims=True)
    return np.where(larger | (equal & (np.cumsum(equal, axis=1) <= left)), values, 0)


class NeighbourScorer:
    """Sums weights between seen items and others; a `Scorer`."""

    def __init__(self, seen: scipy.sparse.csr_matrix, weights: scipy.sparse.csr_matrix):
        """Takes what users have interacted with, float64 [users, items], and float64 weights [items, items]."""
        self._seen, self._weights, self._by_target = seen, weights, weights.T.tocsr()

    def score_candidates(self, users: npt.NDArray[np.int32], items: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
        """See `Scorer`."""
        # Of the candidates alone: scoring all items takes many times as long where there are many.
        scores, seen = np.zeros(items.shape), np.zeros(self._weights.shape[0])
        for row, user in enumerate(users):
            own = self._seen.indices[self._seen.indptr[user] : self._seen.indptr[user + 1]]
            seen[own] = 1
            scores[row] = self._by_target[items[row]] @ seen
            seen[own] = 0
        return scores

    def score_all_items(self, users: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
        """See `Scorer`."""
        scores: npt.NDArray[np.float64] = (self._seen[users] @ self._weights).toarray()
        return scores
