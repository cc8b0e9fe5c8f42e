"""What can be ranked: the model and every baseline."""

from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

Scores: TypeAlias = npt.NDArray[np.floating[Any]]
"""Higher is better; of either precision."""


class Scorer(Protocol):
    """Gives scores, higher is better, to users and items named by their dense indexes."""

    def score_candidates(self, users: npt.NDArray[np.int32], items: npt.NDArray[np.int32]) -> Scores:
        """Scores some items of each user.

        Args:
          users: int32 [n].
          items: int32 [n, width].

        Returns:
          Floats [n, width].
        """

    def score_all_items(self, users: npt.NDArray[np.int32]) -> Scores:
        """Scores every item for each user.

        Args:
          users: int32 [n].

        Returns:
          Floats [n, items].
        """
