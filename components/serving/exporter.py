"""The SavedModel that serves, with its signatures."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from components.artifacts.vocabulary import RawIds, Vocabulary
from components.serving.contract import LOWEST_SCORE, SAVED_MODEL_FILE, SCORING_WEIGHTS, SIGNATURES, Signature, Weights
from components.serving.seen_items import SeenItems
from components.shared.errors import UserError
from components.shared.files.folders import written_at_once

# How TensorFlow reports a full disk, a quota, a file size limit and missing permission.
_WRITE_ERRORS = (tf.errors.ResourceExhaustedError, tf.errors.OutOfRangeError, tf.errors.PermissionDeniedError)


class PairModel(Protocol):
    """A model of pairs whose items can be projected ahead; `components.trainer.model.NeuMF` is one."""

    variables: Sequence[Any]
    item_table: Any

    def project_items(self, rows: Any) -> Any:
        """Rows of the item table to projected ones, float32 [items, ...] both."""

    def user_rows(self, user: Any) -> Any:
        """Rows of users, by their indexes, int32 [...]."""

    def score(self, user_rows: Any, item_rows: Any) -> Any:
        """Logits of rows of users with projected rows of items."""

    def score_all(self, user_rows: Any, item_rows: Any) -> Any:
        """Logits, float32 [users, items], of rows of users with all projected items."""

    def scoring_weights(self, item_rows: Any) -> Weights[Any] | None:
        """Its variables behind `score_all`, with the projected rows of all items; None without an MLP tower."""


class ServingModel(tf.Module):
    """A trained model with its vocabulary inside, and what its users have seen: raw ids in, scores or raw ids out.

    Scores are logits, higher being better. An unknown user gets the popularity of items, log(1 + interactions in
    training), and `known_user` false; an unknown item scores the lowest float32 and has `known_item` false.
    """

    def __init__(self, model: PairModel, vocabulary: Vocabulary, seen: SeenItems):
        """Joins a model, the vocabulary that it was trained with, and what is not to be recommended to whom."""
        super().__init__(name="serving_model")
        self._model = model
        # Named here so that they are saved: tf.Module does not look into Keras models.
        self._weights = [variable.value for variable in model.variables if variable is not model.item_table]
        # Each item goes through its share of the first layer here, once, and not in each request.
        self._item_rows = tf.Variable(model.project_items(model.item_table.value), trainable=False, name="item_rows")
        weights = model.scoring_weights(self._item_rows)
        setattr(self, SCORING_WEIGHTS, None if weights is None else vars(weights))
        self._popularity = tf.Variable(np.log1p(vocabulary.item_counts), dtype=tf.float32, trainable=False)
        self._item_ids = tf.Variable(_raw_ids(vocabulary.item_ids), trainable=False)
        self._seen = tf.Variable(seen.items, dtype=tf.int32, trainable=False)
        self._seen_bounds = tf.Variable(np.concatenate([[0], seen.ends]), dtype=tf.int64, trainable=False)
        self._users = _index_table(vocabulary.user_ids)
        self._items = _index_table(vocabulary.item_ids)

    def save(self, folder: str) -> None:
        """Writes the SavedModel, whole or not at all.

        Raises:
          UserError: the disk is full, or the folder cannot be written.
        """
        functions = (self.serve, self.recommend, self.score_candidates, self.score_all_items)
        signatures = {
            signature.name: tf.function(function).get_concrete_function(**self._specs(signature))
            for signature, function in zip(SIGNATURES, functions, strict=True)
        }
        with model_written_at_once(folder, SAVED_MODEL_FILE) as temporary:
            tf.saved_model.save(self, temporary, signatures=signatures)

    def _specs(self, signature: Signature) -> dict[str, tf.TensorSpec]:
        """The inputs of a signature as TensorFlow describes them."""
        raw = {"user id": self._users.key_dtype, "item id": self._items.key_dtype}
        return {
            name: tf.TensorSpec([None] * len(tensor.shape), raw.get(tensor.kind, tensor.kind), name)
            for name, tensor in signature.inputs.items()
        }

    def serve(self, user_id: tf.Tensor, item_ids: tf.Tensor) -> dict[str, tf.Tensor]:
        """Signature `serving_default`: raw ids [B] and [B, n] to `scores`, `known_user` [B] and `known_item` [B, n]."""
        user, item = self._users.lookup(user_id), self._items.lookup(item_ids)
        known_user, known_item = user >= 0, item >= 0
        user, item = tf.maximum(user, 0), tf.maximum(item, 0)
        scores = tf.where(known_user[:, None], self._score(user, item), tf.gather(self._popularity, item))
        scores = tf.where(known_item, scores, LOWEST_SCORE)
        return {"scores": scores, "known_user": known_user, "known_item": known_item}

    def recommend(self, user_id: tf.Tensor, k: tf.Tensor) -> dict[str, tf.Tensor]:
        """Signature of that name: raw ids [B] and a number to the best unseen items, best first.

        Returns:
          `item_ids` raw ids [B, k], `scores` float32 [B, k], `known_user` bool [B]; k is at most the number of items.
          A user with fewer than k unseen items gets seen ones after them, whose scores are the lowest float32.
        """
        user = self._users.lookup(user_id)
        known_user = user >= 0
        user = tf.maximum(user, 0)
        scores = tf.where(known_user[:, None], self._score_all(user), self._popularity)
        best = tf.math.top_k(self._without_seen(scores, user, known_user), tf.minimum(k, tf.size(self._popularity)))
        return {"item_ids": tf.gather(self._item_ids, best.indices), "scores": best.values, "known_user": known_user}

    def score_candidates(self, user: tf.Tensor, item: tf.Tensor) -> dict[str, tf.Tensor]:
        """Signature of that name: indexes int32 [B] and [B, n] to `scores` float32 [B, n]."""
        return {"scores": self._score(user, item)}

    def score_all_items(self, user: tf.Tensor) -> dict[str, tf.Tensor]:
        """Signature of that name: indexes int32 [B] to `scores` float32 [B, items], in the order of item indexes."""
        return {"scores": self._score_all(user)}

    def _score(self, user: tf.Tensor, item: tf.Tensor) -> tf.Tensor:
        return self._model.score(self._model.user_rows(user[:, None]), tf.gather(self._item_rows, item))

    def _score_all(self, user: tf.Tensor) -> tf.Tensor:
        return self._model.score_all(self._model.user_rows(user), self._item_rows)

    def _without_seen(self, scores: tf.Tensor, user: tf.Tensor, known_user: tf.Tensor) -> tf.Tensor:
        """Scores [B, items] with the lowest float32 for what users, int32 [B], have seen, if they are known."""
        begins, ends = tf.gather(self._seen_bounds, user), tf.gather(self._seen_bounds, user + 1)
        places = tf.ragged.range(begins, tf.where(known_user, ends, begins))
        cells = tf.stack([tf.cast(places.value_rowids(), tf.int32), tf.gather(self._seen, places.values)], axis=1)
        return tf.tensor_scatter_nd_update(scores, cells, tf.fill(tf.shape(cells)[:1], LOWEST_SCORE))


def _index_table(ids: RawIds) -> tf.lookup.StaticHashTable:
    indexes = tf.range(len(ids), dtype=tf.int32)
    return tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(_raw_ids(ids), indexes), default_value=-1)


def _raw_ids(ids: RawIds) -> tf.Tensor:
    return tf.constant(ids) if ids.dtype.kind in "iu" else tf.constant(ids.tolist(), tf.string)


@contextlib.contextmanager
def model_written_at_once(folder: str, last: str) -> Iterator[str]:
    """A folder of this machine for a model's files, which then take the place of those of `folder`.

    Args:
      folder: where they go, on this machine or elsewhere.
      last: name of the file that makes it whole.

    Raises:
      UserError: the disk is full, or the folder cannot be written.
    """
    try:
        with written_at_once(folder, last) as temporary:
            yield temporary
    except (*_WRITE_ERRORS, OSError) as error:
        reason = getattr(error, "message", None) or str(error)
        # TensorFlow puts the name of its operation in front, in braces.
        reason = reason.splitlines()[0].rpartition("}} ")[2]
        raise UserError(
            f"cannot write the model to {folder}: {reason}; free some space or choose another --root"
        ) from error
