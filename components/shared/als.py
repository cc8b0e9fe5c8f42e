"""The baseline of matrix factorisation by alternating least squares (iALS).

Hu, Koren and Volinsky, Collaborative Filtering for Implicit Feedback Datasets, ICDM 2008, by the library `implicit`.
Well tuned, it is as accurate as the neural models (Rendle et al., Revisiting the Performance of iALS on Item
Recommendation Benchmarks, RecSys 2022).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse
from implicit.cpu.als import AlternatingLeastSquares
from threadpoolctl import threadpool_limits

from components.shared import parallel
from components.shared.progress import Bar


@dataclass(frozen=True)
class AlsSettings:
    """How the factors are fitted.

    Attributes:
      factors: width of a user's or item's vector.
      iterations: each solves for all users, then for all items.
      regularization: strength of L2, as a multiple of the average weight that a row has in the loss; so that one
        strength suits data of any size and density.
      unobserved_weight: weight of a pair without interaction, that of an interaction being 1.
    """

    factors: int
    iterations: int
    regularization: float
    unobserved_weight: float


class Als:
    """Scores by the product of a user's and an item's factors; a `Scorer`."""

    def __init__(self, user_factors: npt.NDArray[np.float32], item_factors: npt.NDArray[np.float32]):
        """Takes the factors, float32 [users, factors] and [items, factors]."""
        self.user_factors, self.item_factors = user_factors, item_factors

    def score_candidates(self, users: npt.NDArray[np.int32], items: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
        """See `Scorer`."""
        products: npt.NDArray[np.float32] = np.matmul(self.item_factors[items], self.user_factors[users][:, :, None])
        return products[..., 0]

    def score_all_items(self, users: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
        """See `Scorer`."""
        return self.user_factors[users] @ self.item_factors.T


def fit_als(
    users: npt.NDArray[np.int32],
    items: npt.NDArray[np.int32],
    shape: tuple[int, int],
    settings: AlsSettings,
    seed: int,
    bar: Bar,
) -> Als:
    """Fits the factors; the same seed gives the same, whatever the number of cores.

    Args:
      users: int32 [interactions], the users of the training interactions.
      items: int32 [interactions], their items.
      shape: number of users and of items.
      settings: how they are fitted.
      seed: what the factors' initial values are drawn from, at least 0.
      bar: moves on by one for each iteration.
    """
    interactions = scipy.sparse.csr_matrix((np.ones(len(users), np.float32), (users, items)), shape)
    # With threads of its own in every product, BLAS would get in the way of the library's, and sum in another order.
    with threadpool_limits(1, "blas"):
        model = AlternatingLeastSquares(
            factors=settings.factors,
            iterations=settings.iterations,
            alpha=1 / settings.unobserved_weight,
            regularization=_library_regularization(len(users), shape, settings),
            num_threads=parallel.cores(),
            random_state=seed % 2**32,
        )
        model.fit(interactions, show_progress=False, callback=lambda *_: bar.advance())
    return Als(model.user_factors, model.item_factors)


def _library_regularization(interactions: int, shape: tuple[int, int], settings: AlsSettings) -> float:
    """The strength as the library takes it: one number for all rows, where a pair without interaction has weight 1."""
    users, items = shape
    weight = interactions / settings.unobserved_weight + users * items
    return settings.regularization * 2 * weight / (users + items)
