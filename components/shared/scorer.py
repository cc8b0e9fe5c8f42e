"""What can be ranked: the model and every baseline."""

from typing import Protocol

import numpy as np


class Scorer(Protocol):
    """Gives scores, higher is better, to users and items named by their dense indexes."""

    def score_candidates(self, users: np.ndarray, items: np.ndarray) -> np.ndarray:
        """Scores some items of each user.

        Args:
          users: int32 [n].
          items: int32 [n, width].

        Returns:
          Floats [n, width].
        """

    def score_all_items(self, users: np.ndarray) -> np.ndarray:
        """Scores every item for each user.

        Args:
          users: int32 [n].

        Returns:
          Floats [n, items].
        """
