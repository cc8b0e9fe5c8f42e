"""A simple way to make users of what they did."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

DECAY = 0.5


class WeightedItems:
    """A user is the sum of vectors of the items, each of which counts for half of the one after it."""

    declared = None  # an item that is there twice counts twice

    def __init__(self, vectors: np.ndarray):
        """Takes vectors, float32 [items, width of the user table]."""
        self.vectors = tf.Variable(vectors, trainable=False)

    @property
    def variables(self) -> Sequence[tf.Variable]:
        return [self.vectors]

    def user_rows(self, items: tf.Tensor) -> tf.Tensor:
        ages = tf.cast(tf.range(tf.shape(items)[1])[::-1], tf.float32)
        weights = tf.where(items >= 0, DECAY**ages, 0.0)
        return tf.reduce_sum(weights[..., None] * tf.gather(self.vectors, tf.maximum(items, 0)), axis=1)
