"""Pieces of the graphs of signatures: ids and their indexes, the best of scores, what is left out."""

import tensorflow as tf

from components.artifacts.vocabulary import RawIds
from components.serving.contract import LOWEST_SCORE, NO_ITEM, NO_ITEM_TEXT


def raw_ids(ids: RawIds) -> tf.Tensor:
    """Raw ids as a tensor, int64 or string."""
    return tf.constant(ids) if ids.dtype.kind in "iu" else tf.constant(ids.tolist(), tf.string)


def index_table(ids: RawIds) -> tf.lookup.StaticHashTable:
    """From raw ids to their indexes, int32; -1 for others."""
    indexes = tf.range(len(ids), dtype=tf.int32)
    return tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(raw_ids(ids), indexes), default_value=-1)


def no_item(dtype: tf.DType) -> tf.Tensor:
    """What stands for no item among raw ids of a type."""
    return tf.constant(NO_ITEM_TEXT if dtype == tf.string else NO_ITEM, dtype)


def best(scores: tf.Tensor, k: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The places and the values of the highest scores, best first, equal ones in their order.

    Args:
      scores: float32 [B, items].
      k: int32 [B], how many of each row.

    Returns:
      int32 and float32 [B, largest k]; -1 and the lowest float32 past a row's k, and where that is the score.
    """
    width = tf.clip_by_value(tf.reduce_max(k), 0, tf.shape(scores)[1])
    found = tf.math.top_k(scores, width)
    there = tf.logical_and(tf.range(width) < k[:, None], found.values > LOWEST_SCORE)
    return tf.where(there, found.indices, -1), tf.where(there, found.values, LOWEST_SCORE)


def known_last(items: tf.Tensor) -> tf.Tensor:
    """Indexes, int32 [B, n], in their order, after the -1 among them."""
    order = tf.argsort(tf.cast(items >= 0, tf.int32), axis=1, stable=True)
    return tf.gather(items, order, batch_dims=1)


def cells(items: tf.Tensor) -> tf.Tensor:
    """Row and item, int32 [cells, 2], of the indexes [B, n] that are not -1."""
    places = tf.where(items >= 0)
    return tf.stack([tf.cast(places[:, 0], tf.int32), tf.gather_nd(items, places)], axis=1)


def without(scores: tf.Tensor, left_out: tf.Tensor) -> tf.Tensor:
    """Scores [B, items] with the lowest float32 in some cells, int32 [n, 2]."""
    return tf.tensor_scatter_nd_update(scores, left_out, tf.fill(tf.shape(left_out)[:1], LOWEST_SCORE))


def among(scores: tf.Tensor, kept: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    """Scores [B, items] with the lowest float32 outside some cells, int32 [n, 2], in those rows, bool [B], that ask."""
    inside = tf.tensor_scatter_nd_update(
        tf.zeros(tf.shape(scores), tf.bool), kept, tf.ones(tf.shape(kept)[:1], tf.bool)
    )
    return tf.where(tf.logical_or(inside, tf.logical_not(rows)[:, None]), scores, LOWEST_SCORE)
