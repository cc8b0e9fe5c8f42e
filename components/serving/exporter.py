"""The SavedModel that serves, with its signatures."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from components.artifacts.vocabulary import Vocabulary
from components.serving.contract import (
    CATALOG,
    DEFAULT_K,
    FOLDING,
    LOWEST_SCORE,
    MEASURED_USERS,
    RECOMMEND,
    RECOMMEND_FILTERED,
    RECOMMEND_FOR_ITEMS,
    RECOMMEND_FOR_ITEMS_TOP,
    RECOMMEND_TOP,
    SAVED_MODEL_FILE,
    SCORE_ALL_ITEMS,
    SCORE_BY_ID,
    SCORE_CANDIDATES,
    SCORING_WEIGHTS,
    SERVE,
    SERVED_USERS,
    SIMILAR_ITEMS,
    SIMILAR_ITEMS_TOP,
    VECTORS,
    Catalog,
    Signature,
    Vectors,
)
from components.serving.saved import graph
from components.serving.saved.probabilities import Probabilities
from components.serving.saved.protocols import Folding, PairModel
from components.serving.saved.warmup import write_warmup
from components.serving.saved.writing import model_written_at_once
from components.serving.seen_items import SeenItems
from components.serving.titles import write_titles
from components.serving.trained import Trained, write_trained

# How many of all items cost as much as one that is looked up by itself; the more, the wider the rows that are moved.
_WORTH, _WORTH_WITH_MLP, _WORTH_OF_COLUMNS = 8, 2, 1 / 128

Tensors = dict[str, tf.Tensor]


class ServingModel(tf.Module):
    """A trained model with its vocabulary inside, and what its users have seen: raw ids in, scores or raw ids out.

    Items are ranked by logits, higher being better, and told with probabilities. An unknown user gets the popularity of
    items, as `Probabilities` has it, and `known_user` false; an unknown item scores the lowest float32 and has
    `known_item` false.
    """

    def __init__(
        self,
        model: PairModel,
        vocabulary: Vocabulary,
        seen: SeenItems,
        folding: Folding | None = None,
        served_users: npt.NDArray[np.float32] | None = None,
        probabilities: Probabilities | None = None,
    ):
        """Joins a model with what it is served with.

        Args:
          model: the model.
          vocabulary: that it was trained with.
          seen: what is not to be recommended to whom.
          folding: makes users of what somebody did; None: the model has no signature that goes by items.
          served_users: a user table, float32 [users, width], that raw ids are scored by in place of the model's own.
          probabilities: what the model's logits stand for; None: what those of a trained network do.
        """
        super().__init__(name="serving_model")
        # Not as an attribute that TensorFlow sees: it would save the tables of users and items once more.
        object.__setattr__(self, "_model", model)
        self._vocabulary, self._folding = vocabulary, folding
        self._probabilities = probabilities or Probabilities()
        # Named here so that they are saved: all that a signature takes from the model.
        self._weights = {
            variable.path.replace("/", "_"): variable.value
            for variable in model.variables
            if variable is not model.item_table
        }
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
        self._popularity = tf.Variable(self._probabilities.popularity(vocabulary.item_counts), trainable=False)
        self._item_ids = tf.Variable(graph.raw_ids(vocabulary.item_ids), trainable=False)
        self._seen = tf.Variable(seen.items, dtype=tf.int32, trainable=False)
        self._seen_bounds = tf.Variable(np.concatenate([[0], seen.ends]), dtype=tf.int64, trainable=False)
        user_ids = tf.Variable(graph.raw_ids(vocabulary.user_ids), trainable=False)
        slope, offset = self._probabilities.slope, self._probabilities.offset
        catalog = Catalog(
            user_ids=user_ids,
            item_ids=self._item_ids,
            item_counts=tf.Variable(vocabulary.item_counts, dtype=tf.int64, trainable=False),
            popularity=self._popularity,
            seen_items=self._seen,
            seen_bounds=self._seen_bounds,
            probabilities=tf.Variable([slope, offset], dtype=tf.float32, trainable=False),
        )
        users = model.user_table.value if self._served_users is None else self._served_users
        vectors = Vectors(users, self._item_rows, model.head_kernel.value, model.head_bias.value)
        setattr(self, CATALOG, vars(catalog))
        setattr(self, VECTORS, vars(vectors))
        columns = folding.declared if folding else None
        setattr(self, FOLDING, None if columns is None else [vars(some) for some in columns])
        self._users = graph.index_table(vocabulary.user_ids)
        self._items = graph.index_table(vocabulary.item_ids)

    def save(self, folder: str, trained: Trained | None = None) -> None:
        """Writes the SavedModel, whole or not at all.

        Args:
          folder: where to.
          trained: what the next training is to start from; None: nothing of the kind is kept.

        Raises:
          UserError: the disk is full, or the folder cannot be written.
        """
        functions: list[tuple[Signature, Callable[..., Tensors]]] = [
            (SERVE, self.serve),
            (SCORE_BY_ID, self.score_by_id),
            (RECOMMEND, self.recommend),
            (RECOMMEND_TOP, self.recommend),
            (RECOMMEND_FILTERED, self.recommend),
            (SCORE_CANDIDATES, self.score_candidates),
            (SCORE_ALL_ITEMS, self.score_all_items),
        ]
        by_items: list[tuple[Signature, Callable[..., Tensors]]] = [
            (RECOMMEND_FOR_ITEMS, self.recommend_for_items),
            (RECOMMEND_FOR_ITEMS_TOP, self.recommend_for_items),
            (SIMILAR_ITEMS, self.similar_items),
            (SIMILAR_ITEMS_TOP, self.similar_items),
        ]
        functions += by_items if self._folding else []
        signatures = {
            signature.name: tf.function(function, autograph=False).get_concrete_function(**self._specs(signature))
            for signature, function in functions
        }
        with model_written_at_once(folder, SAVED_MODEL_FILE) as temporary:
            tf.saved_model.save(self, temporary, signatures=signatures)
            write_titles(temporary, self._vocabulary)
            if trained is not None:
                write_trained(temporary, trained)
            write_warmup(temporary, [asked for asked, _ in functions if asked.by_raw_ids], self._vocabulary)

    def _specs(self, signature: Signature) -> dict[str, tf.TensorSpec]:
        """The inputs of a signature as TensorFlow describes them."""
        raw = {"user id": self._users.key_dtype, "item id": self._items.key_dtype}
        return {
            name: tf.TensorSpec([None] * len(tensor.shape), raw.get(tensor.kind, tensor.kind), name)
            for name, tensor in signature.inputs.items()
        }

    def serve(self, user_id: tf.Tensor, item_ids: tf.Tensor) -> Tensors:
        """Signature `serving_default`: as `score_by_id`, with probabilities for `scores`."""
        found = self.score_by_id(user_id, item_ids)
        return {**found, "scores": self._told(found["scores"])}

    def score_by_id(self, user_id: tf.Tensor, item_ids: tf.Tensor) -> Tensors:
        """Signature of that name: raw ids [B] and [B, n] to `scores`, `known_user` [B] and `known_item` [B, n]."""
        user, item = self._users.lookup(user_id), self._items.lookup(item_ids)
        known_user, known_item = user >= 0, item >= 0
        user, item = tf.maximum(user, 0), tf.maximum(item, 0)
        scores = self._score(self._served_rows(user), item)
        scores = tf.where(known_user[:, None], scores, tf.gather(self._popularity, item))
        scores = tf.where(known_item, scores, LOWEST_SCORE)
        return {"scores": scores, "known_user": known_user, "known_item": known_item}

    def recommend(
        self,
        user_id: tf.Tensor,
        k: tf.Tensor | None = None,
        exclude: tf.Tensor | None = None,
        only: tf.Tensor | None = None,
    ) -> Tensors:
        """Signatures `recommend`, `recommend_top` and `recommend_filtered`: the best unseen items, best first.

        Args:
          user_id: raw ids [B].
          k: int32 [B], how many; None: `DEFAULT_K` each.
          exclude: raw ids [B, n] of items that are not wanted.
          only: raw ids [B, m] of items that are; a row without any says nothing.

        Returns:
          `item_ids` raw ids [B, k], `scores` float32 [B, k], `known_user` bool [B]. Where there are fewer items, no
          item with the lowest float32.
        """
        user = self._users.lookup(user_id)
        known_user = user >= 0
        user = tf.maximum(user, 0)
        scores = self._model.score_all(self._served_rows(user), self._item_rows)
        scores = tf.where(known_user[:, None], scores, self._popularity)
        scores = graph.without(scores, self._seen_cells(user, known_user))
        if exclude is not None:
            scores = graph.without(scores, graph.cells(self._indexes(exclude)))
        if only is not None:
            asked = tf.reduce_any(only != graph.no_item(only.dtype), axis=1)
            scores = graph.among(scores, graph.cells(self._indexes(only)), asked)
        return {**self._best(scores, k), "known_user": known_user}

    def recommend_for_items(self, item_ids: tf.Tensor, k: tf.Tensor | None = None) -> Tensors:
        """Signatures `recommend_for_items` and `..._top`: what somebody did to the best other items, best first.

        Args:
          item_ids: raw ids [B, n].
          k: int32 [B], how many; None: `DEFAULT_K` each.

        Returns:
          `item_ids` raw ids [B, k], `scores` float32 [B, k], `known_items` int32 [B]. Where there are fewer others, no
          item with the lowest float32.
        """
        items = graph.known_last(self._indexes(item_ids))
        known_items = tf.reduce_sum(tf.cast(items >= 0, tf.int32), axis=1)
        scores = tf.where(known_items[:, None] > 0, self._scores_by_items(items), self._popularity)
        return {**self._best(graph.without(scores, graph.cells(items)), k), "known_items": known_items}

    def similar_items(self, item_id: tf.Tensor, k: tf.Tensor | None = None) -> Tensors:
        """Signatures `similar_items` and `..._top`: to what items one leads, the most first.

        Args:
          item_id: raw ids [B].
          k: int32 [B], how many; None: `DEFAULT_K` each.

        Returns:
          `item_ids` raw ids [B, k], `similarities` float32 [B, k], `known_item` bool [B]. Where there are fewer others,
          and of an unknown item, no item with the lowest float32.
        """
        items = self._indexes(item_id)[:, None]
        known_item = items[:, 0] >= 0
        of_nobody = self._scores_by_items(tf.fill([1, 1], -1))
        lifts = tf.where(known_item[:, None], self._scores_by_items(items) - of_nobody, LOWEST_SCORE)
        places, found = graph.best(graph.without(lifts, graph.cells(items)), self._numbers(k, known_item))
        similarities = tf.where(places >= 0, tf.tanh(self._probabilities.slope * found / 2), LOWEST_SCORE)
        return {"item_ids": self._ids(places), "similarities": similarities, "known_item": known_item}

    def score_candidates(self, user: tf.Tensor, item: tf.Tensor) -> Tensors:
        """Signature of that name: indexes int32 [B] and [B, n] to `scores` float32 [B, n]."""
        return {"scores": self._score(self._model.user_rows(user), item)}

    def score_all_items(self, user: tf.Tensor) -> Tensors:
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

    def _scores_by_items(self, items: tf.Tensor) -> tf.Tensor:
        """Scores [B, items] for somebody who did items, int32 [B, n], oldest first, after a -1 for each that is none.

        Raises:
          LookupError: the model was made without a folding.
        """
        if self._folding is None:
            raise LookupError("without a folding there is no user to recommend to")
        return self._model.score_all(self._model.project_users(self._folding.user_rows(items)), self._item_rows)

    def _served_rows(self, user: tf.Tensor) -> tf.Tensor:
        """Projected rows [B, width] of users, int32 [B], by all that they did."""
        if self._served_users is None:
            return self._model.user_rows(user)
        return self._model.project_users(tf.gather(self._served_users, user))

    def _best(self, scores: tf.Tensor, k: tf.Tensor | None) -> Tensors:
        """The raw ids of the items with the highest of the scores [B, items], and their probabilities: [B, k] each."""
        places, found = graph.best(scores, self._numbers(k, scores))
        return {"item_ids": self._ids(places), "scores": self._told(found)}

    def _numbers(self, k: tf.Tensor | None, rows: tf.Tensor) -> tf.Tensor:
        """How many items each row asks for: int32 [B]."""
        return tf.fill(tf.shape(rows)[:1], DEFAULT_K) if k is None else k

    def _told(self, logits: tf.Tensor) -> tf.Tensor:
        """Probabilities, and the lowest float32 where that is the logit."""
        return tf.where(logits == LOWEST_SCORE, LOWEST_SCORE, self._probabilities.of(logits))

    def _ids(self, places: tf.Tensor) -> tf.Tensor:
        """Raw ids of items by their indexes, int32; no item for -1."""
        return tf.where(
            places >= 0, tf.gather(self._item_ids, tf.maximum(places, 0)), graph.no_item(self._item_ids.dtype)
        )

    def _indexes(self, item_ids: tf.Tensor) -> tf.Tensor:
        """Indexes of raw ids, int32 of their shape; -1 for what is none, or not known."""
        return tf.where(item_ids == graph.no_item(item_ids.dtype), -1, self._items.lookup(item_ids))

    def _seen_cells(self, user: tf.Tensor, known_user: tf.Tensor) -> tf.Tensor:
        """Row and item, int32 [n, 2], of what users, int32 [B], have seen, if they are known."""
        begins, ends = tf.gather(self._seen_bounds, user), tf.gather(self._seen_bounds, user + 1)
        places = tf.ragged.range(begins, tf.where(known_user, ends, begins))
        return tf.stack([tf.cast(places.value_rowids(), tf.int32), tf.gather(self._seen, places.values)], axis=1)
