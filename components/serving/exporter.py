"""The SavedModel that serves, with its signatures."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from components.artifacts.vocabulary import RawIds, Vocabulary
from components.serving.contract import (
    LOWEST_SCORE,
    MEASURED_USERS,
    NO_ITEM,
    NO_ITEM_TEXT,
    RECOMMEND,
    RECOMMEND_FOR_ITEMS,
    SAVED_MODEL_FILE,
    SCORE_ALL_ITEMS,
    SCORE_CANDIDATES,
    SCORING_WEIGHTS,
    SERVE,
    SERVED_USERS,
    Signature,
    Weights,
)
from components.serving.seen_items import SeenItems
from components.serving.titles import write_titles
from components.shared.errors import UserError
from components.shared.files.folders import written_at_once

# How TensorFlow reports a full disk, a quota, a file size limit and missing permission.
_WRITE_ERRORS = (tf.errors.ResourceExhaustedError, tf.errors.OutOfRangeError, tf.errors.PermissionDeniedError)


# How many of all items cost as much as one that is looked up by itself; the more, the wider the rows that are moved.
_WORTH, _WORTH_WITH_MLP, _WORTH_OF_COLUMNS = 8, 2, 1 / 128


class PairModel(Protocol):
    """A model of pairs whose items can be projected ahead; `components.trainer.model.NeuMF` is one."""

    variables: Sequence[Any]
    user_table: Any
    item_table: Any

    def project_items(self, rows: Any) -> Any:
        """Rows of the item table to projected ones, float32 [items, ...] both."""

    def project_users(self, rows: Any) -> Any:
        """Rows of the user table to projected ones, float32 [users, ...] both."""

    def user_rows(self, user: Any) -> Any:
        """Projected rows of users, by their indexes, int32 [...]."""

    def score(self, user_rows: Any, item_rows: Any) -> Any:
        """Logits of projected rows of users with those of items."""

    def score_all(self, user_rows: Any, item_rows: Any) -> Any:
        """Logits, float32 [users, items], of projected rows of users with those of all items."""

    def scoring_weights(self, item_rows: Any) -> Weights[Any] | None:
        """Its variables behind `score_all`, with the projected rows of all items; None without an MLP tower."""


class Folding(Protocol):
    """What makes a row of a model's user table from what somebody did, with the items as they are."""

    @property
    def variables(self) -> Sequence[tf.Variable]:
        """What it computes with, to be saved with the model."""

    def user_rows(self, items: tf.Tensor) -> tf.Tensor:
        """The rows, not projected, float32 [B, width of the user table].

        Args:
          items: int32 [B, n], indexes of what each did, oldest first; before the first of them, -1. What a row
            gets that has nothing but -1 does not matter.
        """


class ServingModel(tf.Module):
    """A trained model with its vocabulary inside, and what its users have seen: raw ids in, scores or raw ids out.

    Scores are logits, higher being better. An unknown user gets the popularity of items, log(1 + interactions in
    training), and `known_user` false; an unknown item scores the lowest float32 and has `known_item` false.
    """

    def __init__(
        self,
        model: PairModel,
        vocabulary: Vocabulary,
        seen: SeenItems,
        folding: Folding | None = None,
        served_users: npt.NDArray[np.float32] | None = None,
    ):
        """Joins a model with what it is served with.

        Args:
          model: the model.
          vocabulary: that it was trained with.
          seen: what is not to be recommended to whom.
          folding: makes users of what somebody did; None: the model has no signature `recommend_for_items`.
          served_users: a user table, float32 [users, width], that raw ids are scored by in place of the model's own.
        """
        super().__init__(name="serving_model")
        self._model, self._vocabulary, self._folding = model, vocabulary, folding
        # Named here so that they are saved: tf.Module does not look into Keras models.
        self._weights = [variable.value for variable in model.variables if variable is not model.item_table]
        self._served_users = None if served_users is None else tf.Variable(served_users, trainable=False)
        if self._served_users is not None:
            setattr(self, SERVED_USERS, self._served_users)
            setattr(self, MEASURED_USERS, model.user_table.value)
        self._folding_weights = list(folding.variables) if folding else []
        # Each item goes through its share of the first layer here, once, and not in each request.
        self._item_rows = tf.Variable(model.project_items(model.item_table.value), trainable=False, name="item_rows")
        weights = model.scoring_weights(self._item_rows)
        width = int(self._item_rows.shape[1])
        self._worth = (_WORTH if weights is None else _WORTH_WITH_MLP) + int(width * _WORTH_OF_COLUMNS)
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
        functions = [
            (SERVE, self.serve),
            (RECOMMEND, self.recommend),
            (SCORE_CANDIDATES, self.score_candidates),
            (SCORE_ALL_ITEMS, self.score_all_items),
            *([(RECOMMEND_FOR_ITEMS, self.recommend_for_items)] if self._folding else []),
        ]
        signatures = {
            signature.name: tf.function(function).get_concrete_function(**self._specs(signature))
            for signature, function in functions
        }
        with model_written_at_once(folder, SAVED_MODEL_FILE) as temporary:
            tf.saved_model.save(self, temporary, signatures=signatures)
            write_titles(temporary, self._vocabulary)

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
        scores = self._score(self._served_rows(user), item)
        scores = tf.where(known_user[:, None], scores, tf.gather(self._popularity, item))
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
        scores = self._model.score_all(self._served_rows(user), self._item_rows)
        scores = tf.where(known_user[:, None], scores, self._popularity)
        return {**self._best(self._without_seen(scores, user, known_user), k), "known_user": known_user}

    def recommend_for_items(self, item_ids: tf.Tensor, k: tf.Tensor) -> dict[str, tf.Tensor]:
        """Signature of that name: what somebody did, raw ids [B, n], and a number to the best other items, best first.

        Returns:
          `item_ids` raw ids [B, k], `scores` float32 [B, k], `known_items` int32 [B]; k is at most the number of items.
          Where there are fewer than k others, given ones come after them, whose scores are the lowest float32.

        Raises:
          LookupError: the model was made without a folding.
        """
        if self._folding is None:
            raise LookupError("without a folding there is no user to recommend to")
        items = self._known_last(item_ids)
        known_items = tf.reduce_sum(tf.cast(items >= 0, tf.int32), axis=1)
        user_rows = self._model.project_users(self._folding.user_rows(items))
        scores = tf.where(known_items[:, None] > 0, self._model.score_all(user_rows, self._item_rows), self._popularity)
        cells = tf.where(items >= 0)
        cells = tf.stack([tf.cast(cells[:, 0], tf.int32), tf.gather_nd(items, cells)], axis=1)
        return {**self._best(_without(scores, cells), k), "known_items": known_items}

    def score_candidates(self, user: tf.Tensor, item: tf.Tensor) -> dict[str, tf.Tensor]:
        """Signature of that name: indexes int32 [B] and [B, n] to `scores` float32 [B, n]."""
        return {"scores": self._score(self._model.user_rows(user), item)}

    def score_all_items(self, user: tf.Tensor) -> dict[str, tf.Tensor]:
        """Signature of that name: indexes int32 [B] to `scores` float32 [B, items], in the order of item indexes."""
        return {"scores": self._model.score_all(self._model.user_rows(user), self._item_rows)}

    def _score(self, user_rows: tf.Tensor, item: tf.Tensor) -> tf.Tensor:
        """Scores [B, n] of projected rows [B, width] with some items each, int32 [B, n].

        All items are one matrix product, where each user's own are one vector after another: where those are a good
        part of all, they are picked out of the product.
        """
        return tf.cond(
            tf.shape(item)[1] * self._worth >= tf.size(self._popularity),
            lambda: tf.gather(self._model.score_all(user_rows, self._item_rows), item, batch_dims=1),
            lambda: self._model.score(user_rows[:, None], tf.gather(self._item_rows, item)),
        )

    def _served_rows(self, user: tf.Tensor) -> tf.Tensor:
        """Projected rows [B, width] of users, int32 [B], by all that they did."""
        if self._served_users is None:
            return self._model.user_rows(user)
        return self._model.project_users(tf.gather(self._served_users, user))

    def _best(self, scores: tf.Tensor, k: tf.Tensor) -> dict[str, tf.Tensor]:
        """The raw ids of the items with the highest of the scores [B, items], and those: [B, k] each."""
        best = tf.math.top_k(scores, tf.minimum(k, tf.size(self._popularity)))
        return {"item_ids": tf.gather(self._item_ids, best.indices), "scores": best.values}

    def _known_last(self, item_ids: tf.Tensor) -> tf.Tensor:
        """Indexes, int32 [B, n], of raw ids: in their order, after a -1 for each that is not known."""
        padding = NO_ITEM_TEXT if item_ids.dtype == tf.string else NO_ITEM
        items = tf.where(item_ids == padding, -1, self._items.lookup(item_ids))
        order = tf.argsort(tf.cast(items >= 0, tf.int32), axis=1, stable=True)
        return tf.gather(items, order, batch_dims=1)

    def _without_seen(self, scores: tf.Tensor, user: tf.Tensor, known_user: tf.Tensor) -> tf.Tensor:
        """Scores [B, items] with the lowest float32 for what users, int32 [B], have seen, if they are known."""
        begins, ends = tf.gather(self._seen_bounds, user), tf.gather(self._seen_bounds, user + 1)
        places = tf.ragged.range(begins, tf.where(known_user, ends, begins))
        cells = tf.stack([tf.cast(places.value_rowids(), tf.int32), tf.gather(self._seen, places.values)], axis=1)
        return _without(scores, cells)


def _without(scores: tf.Tensor, cells: tf.Tensor) -> tf.Tensor:
    """Scores [B, items] with the lowest float32 in some cells, int32 [n, 2]."""
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
