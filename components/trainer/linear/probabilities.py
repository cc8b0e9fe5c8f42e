"""What the logits of a whole model stand for, found on the items held out for validation."""

import numpy as np
from sklearn.linear_model import LogisticRegression

from components.serving.saved.probabilities import Probabilities
from components.trainer.linear.full_ranking import Sample, Scores

_DRAWN = 100
_LEAST_SLOPE = 1e-3


def fit_probabilities(sample: Sample, scores: Scores, negatives: int, random: np.random.Generator) -> Probabilities:
    """Fits how likely an item is the held-out one, beside `negatives` unseen ones that are drawn, by its logit.

    Args:
      sample: the users of validation.
      scores: logits of all items, float32 [users, items], by what the users did in training; -inf for what they saw.
      negatives: how many, 0 being taken for 1.
      random: draws them; more than are asked for, each of which counts for less.
    """
    rows, mix = np.arange(len(sample.users)), max(negatives, 1)
    positive = scores[rows, sample.items]
    drawn = random.integers(scores.shape[1], size=(len(rows), _DRAWN))
    others = scores[rows[:, None], drawn][drawn != sample.items[:, None]]
    positive, others = positive[np.isfinite(positive)], others[np.isfinite(others)]
    logits = np.concatenate([positive, others]).astype(np.float64)
    deviation = float(logits.std()) if len(logits) else 0.0
    if not (len(positive) and len(others) and np.isfinite(deviation) and deviation):
        return Probabilities(negatives=mix)
    center = float(logits.mean())
    labels = np.repeat([1, 0], [len(positive), len(others)])
    weights = np.where(labels, 1.0, mix * len(positive) / len(others))
    fitted = LogisticRegression().fit((logits[:, None] - center) / deviation, labels, weights)
    # One that ranks held-out items below others has no say in how sure it is, but keeps its order.
    slope = max(float(fitted.coef_[0, 0]), _LEAST_SLOPE) / deviation
    return Probabilities(slope, float(fitted.intercept_[0]) - slope * center, mix)
