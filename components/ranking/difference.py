"""How far scores are from those that they stand for."""

import numpy as np

from components.shared.scorer import Scores


def largest_difference(expected: Scores, actual: Scores) -> float:
    """The largest difference, relative to the largest absolute value of its row; NaN where a value is not finite.

    Args:
      expected: floats [n, width].
      actual: floats [n, width].
    """
    if not (np.isfinite(expected).all() and np.isfinite(actual).all()):
        return float("nan")
    scale = np.maximum(np.abs(expected).max(axis=1, keepdims=True, initial=0), np.finfo(np.float32).tiny)
    return float((np.abs(expected - actual) / scale).max(initial=0))
