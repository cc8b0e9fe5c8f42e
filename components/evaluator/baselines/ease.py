"""A linear model from all items to each item, in closed form."""

from typing import Annotated, ClassVar

import numpy as np
import numpy.typing as npt
import scipy.sparse
from pydantic import Field

from components.evaluator.baselines.base import AUTO, Training
from components.evaluator.baselines.linear.inverse import invert
from components.evaluator.baselines.linear.ridge_scorers import ByItems, ByUsers
from components.evaluator.baselines.search import Point
from components.evaluator.baselines.tuned import TunedBaseline
from components.shared.parameters import Auto
from components.shared.progress import Bar
from components.shared.scorer import Scorer

_CELLS_AT_ONCE = 1 << 22  # 32 MiB


class Ease(TunedBaseline):
    """Predicts each item from the user's other items by ridge regression (Steck, WWW 2019).

    What has to be inverted is as large as there are items, or users where these are fewer.
    """

    title: ClassVar[str] = "EASE"
    label: ClassVar[str] = "EASE"
    about: ClassVar[str] = (
        "a linear model from all items to each one, in closed form (EASE^R: Steck, WWW 2019). One of the most accurate "
        "of the simple models"
    )

    grid: ClassVar = {"ease_l2": (10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)}
    usual: ClassVar = {"ease_l2": 100.0}
    most_tries: ClassVar = 7
    most_users: ClassVar = 3000  # the time of a try grows with the cube

    ease_l2: Annotated[float, Field(gt=0, allow_inf_nan=False)] | Auto = Field(
        AUTO,
        description="L2 of EASE, in users: added to the number of users of each item. auto: the best of 10 to 1000 on "
        "validation, tried on 3,000 users at most, and then times the root of how many times as many there are.",
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
        l2 = self.value("ease_l2")
        inverse[np.diag_indices_from(inverse)] += l2
        invert(inverse)
        bar.advance(_order(training))
        return ByItems(training.matrix, inverse) if by_items else ByUsers(training.matrix, inverse, l2)

    def scaled(self, best: Point, share: float) -> Point:
        """See `TunedBaseline`; with a third of the users, the best L2 is about half as large."""
        return {name: round(float(l2 / np.sqrt(share)), 1) for name, l2 in best.items()}


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
