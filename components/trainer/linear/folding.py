"""Rows of the user table for users whom the model never saw, from the items that they have seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse
import tensorflow as tf

from components.artifacts.interactions import Pairs
from components.serving.contract import FoldedColumns
from components.trainer.linear.decomposition import Matrix
from components.trainer.linear.histories import Histories
from components.trainer.model import NeuMF

_RIDGE = 1e-3


@dataclass(frozen=True)
class Reading:
    """Some columns of a user's row: a weighted sum of vectors, one for each item that the user has seen.

    Attributes:
      vectors: float32 [items, width].
      number: how many of the latest items count; None: all.
      decay: the weight of an item, beside that of the one after it.
      mean: whether the sum is divided by the root of how many items count.
      offset: what is added, float32 [width]; None: nothing.
      others: what the sum is multiplied by for a user whom the model never saw, float32 [width]; None: by 1.
    """

    vectors: Matrix
    number: int | None = None
    decay: float = 1.0
    mean: bool = False
    offset: Matrix | None = None
    others: Matrix | None = None


class Folding(tf.Module):
    """Makes rows of the user table out of items."""

    def __init__(self, readings: Sequence[Reading]):
        """Takes what the columns of a row are, in their order."""
        super().__init__(name="folding")
        self._readings = [reading for reading in readings if reading.vectors.shape[1]]
        self._vectors = [tf.Variable(reading.vectors, trainable=False) for reading in self._readings]
        self.declared = [_declared(*one) for one in zip(self._readings, self._vectors, strict=True)]

    def user_rows(self, items: tf.Tensor) -> tf.Tensor:
        """Rows float32 [B, width] of users who have seen items.

        Args:
          items: int32 [B, n], each user's indexes, the latest last; -1 is none. Of an item that is there twice, the
            later place counts.
        """
        counts = tf.logical_and(items >= 0, tf.logical_not(_again_later(items)))
        # How many items that count come after each.
        age = tf.cumsum(tf.cast(counts, tf.int32), axis=1, exclusive=True, reverse=True)
        places = tf.where(counts)
        cells = tf.stack([places[:, 0], tf.cast(tf.gather_nd(items, places), tf.int64)], axis=1)
        ages = tf.gather_nd(age, places)
        number = tf.math.count_nonzero(counts, axis=1, keepdims=True, dtype=tf.float32)
        parts = [
            _read(reading, vectors, cells, ages, number, tf.shape(items)[0])
            for reading, vectors in zip(self._readings, self._vectors, strict=True)
        ]
        return tf.concat(parts, axis=1)


def _read(
    reading: Reading, vectors: tf.Variable, cells: tf.Tensor, ages: tf.Tensor, number: tf.Tensor, users: tf.Tensor
) -> tf.Tensor:
    weights = tf.cast(reading.decay, tf.float32) ** tf.cast(ages, tf.float32)
    if reading.number is not None:
        weights = tf.where(ages < reading.number, weights, 0.0)
    shape = tf.stack([tf.cast(users, tf.int64), vectors.shape[0]])
    total = tf.sparse.sparse_dense_matmul(tf.SparseTensor(cells, weights, shape), vectors)
    if reading.mean:
        total /= tf.sqrt(tf.maximum(number, 1.0))
    if reading.others is not None:
        total *= reading.others
    return total if reading.offset is None else total + reading.offset


def _declared(reading: Reading, vectors: tf.Variable) -> FoldedColumns[tf.Variable]:
    width = vectors.shape[1]
    others = np.ones(width, np.float32) if reading.others is None else reading.others
    offset = np.zeros(width, np.float32) if reading.offset is None else reading.offset
    return FoldedColumns(
        vectors,
        others=tf.Variable(others, dtype=tf.float32, trainable=False),
        offset=tf.Variable(offset, dtype=tf.float32, trainable=False),
        decay=tf.Variable(reading.decay, dtype=tf.float32, trainable=False),
        number=tf.Variable(reading.number or 0, dtype=tf.int64, trainable=False),
        mean=tf.Variable(reading.mean, dtype=tf.bool, trainable=False),
    )


def _again_later(items: tf.Tensor) -> tf.Tensor:
    """Whether the same item comes again after a place: bool [B, n]."""
    places = tf.range(tf.shape(items)[1])
    same = items[:, :, None] == items[:, None, :]
    return tf.reduce_any(tf.logical_and(same, places[None, :] > places[:, None]), axis=2)


def moved_rows(model: NeuMF, readings: Sequence[Reading], histories: Histories, pairs: Pairs) -> Matrix:
    """Trained rows of users, moved by what later interactions change in the rows that their items would be folded into.

    A trained row knows what its user did in training. With one item more, a folded row is another one; the difference
    of the two stands for what training with that item would have changed.

    Args:
      model: the trained model.
      readings: of the columns of its user table; see `fold_trained`.
      histories: what users did in training.
      pairs: what they did in all, the training interactions among it.

    Returns:
      float32 [users, columns].
    """
    change = _means(histories.all_of(pairs)) - _means(histories.seen)
    rows: Matrix = np.array(model.user_table) + change @ np.concatenate([own.vectors for own in readings], axis=1)
    return rows


def fold_trained(model: NeuMF, histories: Histories) -> list[Reading]:
    """What the columns of the GMF tower, and those of the MLP tower, are read as in a trained model.

    The trained rows of users are fitted, by least squares, with the sums of the items' rows that each user has seen,
    divided by the root of their number, and a constant: as in FISM (Kabbur et al., KDD 2013), found after the training.
    """
    items, users = (np.array(table) for table in (model.item_table, model.user_table))
    kernel, offset = _fitted(_means(histories.seen) @ items, users)
    vectors = (items @ kernel).astype("f4")
    parts = (slice(0, model.num_factors), slice(model.num_factors, None))
    return [Reading(vectors[:, part], mean=True, offset=offset[part]) for part in parts]


def grown_rows(
    rows: Matrix,
    known: npt.NDArray[np.bool_],
    before: scipy.sparse.csr_matrix,
    now: scipy.sparse.csr_matrix,
    others: Matrix,
) -> Matrix:
    """Trained rows of a table, moved by what the sums of the other side's rows say that interactions since changed.

    Args:
      rows: of users, or of items, float32 [n, width].
      known: which of them are trained, bool [n]; the others are made of all their interactions, as in `fold_trained`.
      before: which of the other side each had when it was trained, float32 [n, m]; none where it was not.
      now: which it has now, likewise.
      others: rows of the other side, float32 [m, width].
    """
    earlier, later = (_means(seen) @ others for seen in (before, now))
    kernel, offset = _fitted(earlier[known], rows[known])
    grown: Matrix = (np.where(known[:, np.newaxis], rows, offset) + (later - earlier) @ kernel).astype("f4")
    return grown


def _fitted(sums: Matrix, rows: Matrix) -> tuple[npt.NDArray[np.float64], Matrix]:
    """The map [width, width] and the offset [width] that make rows of sums, by least squares."""
    features = np.concatenate([sums, np.ones((len(sums), 1), np.float32)], axis=1).astype("f8")
    gram = features.T @ features
    damped = gram + _RIDGE * np.trace(gram) / len(gram) * np.eye(len(gram))
    solution: Any = np.linalg.solve(damped, features.T @ rows.astype("f8"))
    return solution[:-1], solution[-1].astype("f4")


def _means(seen: scipy.sparse.csr_matrix) -> scipy.sparse.csr_matrix:
    """The rows of users, each divided by the root of how many items it has."""
    means: scipy.sparse.csr_matrix = scipy.sparse.diags_array(np.maximum(seen.sum(axis=1).A1, 1) ** -0.5) @ seen
    return means.astype(np.float32)
