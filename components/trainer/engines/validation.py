"""The ranks of held-out items among sampled ones, compiled for whatever trains the model."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from keras import ops

from components.trainer.model import NeuMF

Tensor = Any

Ranking = Callable[[Any, Any, Any], npt.NDArray[np.int64]]


def make_ranking(model: NeuMF) -> Ranking:
    """Compiles the ranking of evaluation records by a model.

    Returns:
      A function of a batch, `user`, `item` (int32 [U, width], the positive first) and `mask` (uint8 [U, width], 1 for a
      row that does not count), to the ranks of those positives that count, 1 = best: int64 [users].
    """

    def rank(user: tf.Tensor, item: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        return rank_of_positive(model(user[:, :1], item), mask)

    compiled = tf.function(rank, jit_compile=True)

    def ranks(user: tf.Tensor, item: tf.Tensor, mask: tf.Tensor) -> npt.NDArray[np.int64]:
        # A user whose positive is masked fills the batch up.
        found: npt.NDArray[np.int64] = compiled(user, item, mask).numpy().astype(np.int64)
        counts: npt.NDArray[np.bool_] = mask.numpy()[:, 0] == 0
        return found[counts]

    return ranks


def rank_of_positive(scores: Tensor, mask: Tensor) -> Tensor:
    """The rank of each user's positive among its negatives.

    A tie counts against the positive, and so does a negative whose score is not a number.

    Args:
      scores: float [users, width], the positive's score first.
      mask: integer [users, width], 1 for a row that does not count.

    Returns:
      int32 [users], 1 = best; `width + 1` where the positive's score is not a number.

    Example:
      >>> rank_of_positive(np.array([[2.0, 3.0, 1.0]]), np.zeros((1, 3))).numpy()
      array([2], dtype=int32)
    """
    positive, negatives = scores[:, :1], scores[:, 1:]
    before = ops.logical_and(ops.logical_not(positive > negatives), ops.equal(mask[:, 1:], 0))
    rank = ops.sum(ops.cast(before, "int32"), axis=1)
    return 1 + ops.where(ops.isnan(positive[:, 0]), scores.shape[1], rank)
