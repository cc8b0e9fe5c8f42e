"""A linear model from all items to each item, in closed form."""

from typing import ClassVar

import numpy as np
import numpy.typing as npt
import scipy.linalg.lapack
import scipy.sparse
from pydantic import Field
from threadpoolctl import threadpool_limits

from components.evaluator.baselines.base import Baseline, Training
from components.evaluator.baselines.co_occurrences import co_occurrences
from components.shared.progress import Bar

_DECIMALS = 10


class Ease(Baseline):
    """Predicts each item from the user's other items by ridge regression (Steck, WWW 2019).

    With G the items' co-occurrences and P the inverse of G + l2 I, the weight of item i for item j is -P_ij / P_jj.
    """

    title: ClassVar[str] = "EASE"
    label: ClassVar[str] = "EASE"
    about: ClassVar[str] = (
        "a linear model from all items to each one, in closed form (EASE^R: Steck, WWW 2019). One of the most accurate "
        "of the simple models"
    )

    ease_l2: float = Field(
        500.0,
        gt=0,
        allow_inf_nan=False,
        description="L2 of EASE, in users: added to the number of users of each item.",
    )
    ease_most_items: int = Field(
        12_000,
        ge=1,
        description="EASE is left out where there are more items: its memory grows with their square (12,000 items "
        "take 2.3 GB), its time with their cube.",
    )

    def steps(self, training: Training) -> int:
        """See `Baseline`."""
        # The inverse takes about as long as all the counting.
        return 2 * training.items

    def obstacle(self, training: Training) -> str | None:
        """See `Baseline`."""
        if training.items <= self.ease_most_items:
            return None
        return f"{training.items:,} items are more than evaluator.ease_most_items ({self.ease_most_items:,})"

    def fit(self, training: Training, bar: Bar) -> "LinearScorer":
        """See `Baseline`."""
        gram = np.empty((training.items, training.items), order="F")
        for some, shared in co_occurrences(training.matrix):
            gram[:, some] = shared.T
            bar.advance(some.stop - some.start)
        weights = closed_form(gram, self.ease_l2)
        bar.advance(training.items)
        return LinearScorer(training.matrix, weights)


def closed_form(gram: npt.NDArray[np.float64], l2: float) -> npt.NDArray[np.float64]:
    """The weights of all items for each item, none for itself: float64 [items, items], one column for each.

    They are rounded, as the last digits depend on the CPU: items with the same users then tie everywhere.

    Args:
      gram: co-occurrences, float64 [items, items] in Fortran's order; spent, as there may be no room for another.
      l2: strength of L2.
    """
    gram[np.diag_indices_from(gram)] += l2
    # With more threads, BLAS sums in another order.
    with threadpool_limits(1, "blas"):
        factor, _ = scipy.linalg.lapack.dpotrf(gram, lower=1, clean=0, overwrite_a=1)
        inverse, _ = scipy.linalg.lapack.dpotri(factor, lower=1, overwrite_c=1)
    _mirror(inverse)
    diagonal = inverse.diagonal().copy()
    inverse /= -diagonal
    np.fill_diagonal(inverse, 0)
    weights: npt.NDArray[np.float64] = np.round(inverse, _DECIMALS, out=inverse)
    return weights


def _mirror(lower: npt.NDArray[np.float64]) -> None:
    """Fills the upper triangle with the lower one, a column at a time, so that no second matrix is needed."""
    for column in range(len(lower)):
        lower[column, column + 1 :] = lower[column + 1 :, column]


class LinearScorer:
    """Sums weights between seen items and others; a `Scorer`."""

    def __init__(self, seen: scipy.sparse.csr_matrix, weights: npt.NDArray[np.float64]):
        """Takes what users have interacted with, float64 [users, items], and the weights, float64 [items, items]."""
        self._seen, self._weights = seen, np.ascontiguousarray(weights)

    def score_candidates(self, users: npt.NDArray[np.int32], items: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
        """See `Scorer`."""
        scores = np.zeros(items.shape)
        for row, user in enumerate(users):
            seen = self._seen.indices[self._seen.indptr[user] : self._seen.indptr[user + 1]]
            scores[row] = self._weights[seen[:, None], items[row]].sum(axis=0)
        return scores

    def score_all_items(self, users: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
        """See `Scorer`."""
        scores: npt.NDArray[np.float64] = self._seen[users] @ self._weights
        return scores
