"""What others went on to soon after what the user had last: the simplest reading of the order."""

from typing import Annotated, ClassVar

import numpy as np
import numpy.typing as npt
import scipy.sparse
from pydantic import Field

from components.evaluator.baselines.base import AUTO, Training
from components.evaluator.baselines.linear.history_scorer import HistoryScorer
from components.evaluator.baselines.tuned import TunedBaseline
from components.shared.parameters import Auto
from components.shared.progress import Bar
from components.shared.sequences import count_following, latest_items


class RecentItems(TunedBaseline):
    """Sums, over a user's latest items, how closely others followed them.

    An item a few places after another in somebody's history follows it, the closer the more: with the weight 1 over the
    distance. The sums of these are divided by the roots of what follows the first in all, plus a shrinkage, and of what
    the second follows in all, plus the same. The validation item, which is the latest before the test item, counts as
    the user's; but what follows what is read off training interactions alone, unless the model learnt from more.
    """

    title: ClassVar[str] = "recent items"
    label: ClassVar[str] = "Recent"
    about: ClassVar[str] = (
        "items by how closely others followed the user's latest ones, where times are known. No user has taste of its "
        "own in it: what it is ahead by is what the order is worth"
    )

    grid: ClassVar = {
        "recent_items_decay": (0.5, 0.6, 0.7, 0.8, 0.9),
        "recent_items_shrinkage": (1.0, 3.0, 10.0, 30.0, 100.0, 300.0),
    }
    usual: ClassVar = {"recent_items_decay": 0.7, "recent_items_shrinkage": 10.0}

    recent_items_length: int = Field(10, ge=1, description="How many of a user's latest items count.")
    recent_items_decay: Annotated[float, Field(gt=0, le=1)] | Auto = Field(
        AUTO,
        description="Weight of a latest item, as a multiple of that of the next one. auto: the best of 0.5 to 0.9 on "
        "validation.",
    )
    recent_items_distance: int = Field(
        5, ge=1, description="By how many places at most an item follows another one in somebody's history."
    )
    recent_items_shrinkage: Annotated[float, Field(ge=0, allow_inf_nan=False)] | Auto = Field(
        AUTO,
        description="Added to the sums that divide: the greater, the less counts what few users stand for. auto: the "
        "best of 1 to 300 on validation.",
    )

    def obstacle(self, training: Training) -> str | None:
        """See `Baseline`."""
        return None if training.by_time else "it is not known which of a user's items were the latest"

    def fit(self, training: Training, bar: Bar) -> HistoryScorer:
        """See `Baseline`."""
        following = count_following(*training.pairs, training.items, self.recent_items_distance)
        latest = latest_items(
            *training.with_validation().pairs,
            (training.users, training.items),
            self.recent_items_length,
            self.value("recent_items_decay"),
        )
        bar.advance()
        return HistoryScorer(latest, _normalised(following, self.value("recent_items_shrinkage")))


def _normalised(following: scipy.sparse.csr_matrix, shrinkage: float) -> scipy.sparse.csr_matrix:
    before, after = (_reciprocal_roots(following.sum(axis=axis).A1 + shrinkage) for axis in (1, 0))
    normalised: scipy.sparse.csr_matrix = scipy.sparse.diags(before) @ following @ scipy.sparse.diags(after)
    return normalised


def _reciprocal_roots(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """1 over the root; 0 of 0."""
    return np.divide(1, np.sqrt(values), out=np.zeros(len(values)), where=values > 0)
