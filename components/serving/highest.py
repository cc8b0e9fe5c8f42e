"""The highest of some scores."""

import numpy as np
import numpy.typing as npt


def highest(scores: npt.NDArray[np.float32], k: int) -> npt.NDArray[np.intp]:
    """The places of the `k` highest of some scores, or of all, highest first; of equal ones the first comes first.

    Example:
      Of [2, 3, 1, 3], the two highest are at 1 and 3.
    """
    if (k := min(k, len(scores))) < 1:
        return np.zeros(0, np.intp)
    least = np.partition(scores, len(scores) - k)[len(scores) - k]
    candidates = np.flatnonzero(scores >= least)
    return candidates[np.argsort(-scores[candidates], kind="stable")][:k]
