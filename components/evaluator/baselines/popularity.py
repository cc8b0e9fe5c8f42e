"""Item popularity: everybody gets what most had."""

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from components.evaluator.baselines.base import Baseline, Training
from components.shared.progress import Bar


class PopularityScorer:
    """Gives every user the same order: items by their number of training interactions."""

    def __init__(self, counts: npt.NDArray[np.int64]):
        """Takes the training interactions of each item, int64 [items]."""
        self._counts = counts.astype(np.float64)

    def score_candidates(self, users: npt.NDArray[np.int32], items: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
        """See `Scorer`."""
        return self._counts[items]

    def score_all_items(self, users: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
        """See `Scorer`."""
        return np.broadcast_to(self._counts, (len(users), len(self._counts)))


class Popularity(Baseline):
    """Ranks items by their number of training interactions."""

    title: ClassVar[str] = "item popularity"
    label: ClassVar[str] = "Popularity"
    about: ClassVar[str] = "items by their number of training interactions"

    def fit(self, training: Training, bar: Bar) -> PopularityScorer:
        """See `Baseline`."""
        bar.advance()
        return PopularityScorer(training.item_counts)
