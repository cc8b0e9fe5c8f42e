"""The normalised discounted cumulative gain: a hit counts for more, the higher it stands."""

import numpy as np
import numpy.typing as npt

from components.metrics.hit_rate import hit_rate


def ndcg(ranks: npt.NDArray[np.int64], k: int) -> npt.NDArray[np.float64]:
    """NDCG@k of each user: 1 / log2(rank + 1) within the first k, else 0.

    With a single relevant item the ideal gain is 1 (Järvelin and Kekäläinen, TOIS 2002; He et al., WWW 2017).

    Args:
      ranks: int64 [users], 1 = best.
      k: length of the recommended list.

    Example:
      >>> ndcg(np.array([1, 3, 4]), 3)
      array([1. , 0.5, 0. ])
    """
    gains: npt.NDArray[np.float64] = hit_rate(ranks, k) / np.log2(ranks + 1.0)
    return gains
