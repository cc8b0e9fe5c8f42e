"""Rankings that a model has to beat."""

import numpy as np


class Popularity:
    """Gives every user the same order: items by their number of training interactions."""

    def __init__(self, counts: np.ndarray):
        """Takes the training interactions of each item, integers [items]."""
        self._counts = counts.astype(np.float64)

    def score_candidates(self, users: np.ndarray, items: np.ndarray) -> np.ndarray:
        """See `Scorer`."""
        return self._counts[items]

    def score_all_items(self, users: np.ndarray) -> np.ndarray:
        """See `Scorer`."""
        return np.broadcast_to(self._counts, (len(users), len(self._counts)))
