"""The hit rate: whether the held-out item is in the recommended list."""

import numpy as np
import numpy.typing as npt


def hit_rate(ranks: npt.NDArray[np.int64], k: int) -> npt.NDArray[np.float64]:
    """HR@k of each user: 1 where the held-out item is among the first k, else 0 (He et al., WWW 2017).

    Args:
      ranks: int64 [users], 1 = best.
      k: length of the recommended list.

    Example:
      >>> hit_rate(np.array([1, 3, 4]), 3)
      array([1., 1., 0.])
    """
    return (ranks <= k).astype(np.float64)
