"""A linear model from all items to each item, in closed form."""

from typing import ClassVar

import numpy as np
import numpy.typing as npt
import scipy.sparse
from pydantic import Field

from components.evaluator.baselines.base import Baseline, Training
from components.evaluator.baselines.inverse import invert
from components.evaluator.baselines.linear_scorers import ByItems, ByUsers
from components.shared.progress import Bar
from components.shared.scorer import Scorer

_CELLS_AT_ONCE = 1 << 22  # 32 MiB


class Ease(Baseline):
    """Predicts each item from the user's other items by ridge regression (Steck, WWW 2019).

    What has to be inverted is as large as there are items, or users where these are fewer.
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
        description="EASE is left out where there are more items, and more users too: its memory grows with the square "
        "of the lesser number (12,000 take 1.2 GB), its time with the cube.",
    )

    def steps(self, training: Training) -> int:
        """See `Baseline`."""
        return 2 * _order(training)

    def obstacle(self, training: Training) -> str | None:
        """See `Baseline`."""
        if _order(training) <= self.ease_most_items:
            return None
        return (
            f"{training.items:,} items, and {training.users:,} users, are more than evaluator.ease_most_items "
            f"({self.ease_most_items:,})"
        )

    def fit(self, training: Training, bar: Bar) -> Scorer:
        """See `Baseline`."""
        by_items = training.items <= training.users
        inverse = _gram(training.matrix if by_items else training.matrix.T.tocsr(), bar)
        inverse[np.diag_indices_from(inverse)] += self.ease_l2
        invert(inverse)
        bar.advance(_order(training))
        return ByItems(training.matrix, inverse) if by_items else ByUsers(training.matrix, inverse, self.ease_l2)


def _order(training: Training) -> int:
    return min(training.items, training.users)


def _gram(seen: scipy.sparse.csr_matrix, bar: Bar) -> npt.NDArray[np.float64]:
    """How many rows two columns share, float64 [columns, columns]; the bar moves on by one for each column."""
    by_column, columns = seen.T.tocsr(), seen.shape[1]
    gram = np.empty((columns, columns))
    at_once = max(1, _CELLS_AT_ONCE // columns)
    for begin in range(0, columns, at_once):
        some = slice(begin, min(begin + at_once, columns))
        gram[some] = (by_column[some] @ seen).toarray()
        bar.advance(some.stop - some.start)
    return gram
