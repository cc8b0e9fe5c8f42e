"""The mean reciprocal rank: what counts is how soon the held-out item comes."""

import numpy as np
import numpy.typing as npt

from components.metrics.hit_rate import hit_rate


def mrr(ranks: npt.NDArray[np.int64], k: int) -> npt.NDArray[np.float64]:
    """MRR@k of each user: 1 / rank within the first k, else 0 (Voorhees, TREC-8, 1999).

    Args:
      ranks: int64 [users], 1 = best.
      k: length of the recommended list.

    Example:
      >>> mrr(np.array([1, 2, 4]), 3)
      array([1. , 0.5, 0. ])
    """
    return hit_rate(ranks, k) / ranks
