"""What the logits of a whole model stand for, found on the items held out for validation."""

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from components.serving.contract import DEFAULT_K
from components.serving.saved.probabilities import Probabilities
from components.trainer.linear.full_ranking import Sample, Scores

_LEAST_SLOPE = 1e-3


def fit_probabilities(sample: Sample, scores: Scores) -> Probabilities | None:
    """Fits how likely an unseen item is the held-out one, by its logit: a logistic regression on each user's ten best.

    They are what is told. On all items, let alone on drawn ones, the many that are out of the question would decide:
    fitted on all, the ten add up to .09 on average, where the held-out item is among them for .16 of the users
    (games of Amazon; on the best hundred, .10).

    Args:
      sample: the users of validation.
      scores: logits of all items, float32 [users, items], by what the users did in training; -inf for what they saw.

    Returns:
      None where the logits tell nothing: all are the same, or no held-out item is among the best.
    """

    def best(block: slice) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
        items = np.argpartition(-scores[block], min(DEFAULT_K, scores.shape[1]) - 1, axis=1)[:, :DEFAULT_K]
        return np.take_along_axis(scores[block], items, axis=1), items == sample.items[block, np.newaxis]

    logits, held_out = (np.concatenate(part) for part in zip(*sample.each_block(best), strict=True))
    finite = np.isfinite(logits)
    logits, held_out = logits[finite].astype(np.float64), held_out[finite]
    deviation = float(logits.std()) if len(logits) else 0.0
    if not deviation or held_out.all() or not held_out.any():
        return None
    center = float(logits.mean())
    fitted = LogisticRegression().fit((logits[:, np.newaxis] - center) / deviation, held_out)
    # One that ranks held-out items below others has no say in how sure it is, but keeps its order.
    slope = max(float(fitted.coef_[0, 0]), _LEAST_SLOPE) / deviation
    return Probabilities(slope, float(fitted.intercept_[0]) - slope * center)
