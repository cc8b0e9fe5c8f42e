"""Models that version 0.2 pushed: one number for all rows, logits for scores."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from components.serving.contract import FORMER_RECOMMEND, FORMER_RECOMMEND_FOR_ITEMS, SIGNATURES
from components.serving.loader import ServedModel
from components.shared.errors import UserError

ITEMS = 4
USERS = np.array([7])


class Former(tf.Module):
    """Recommends items 0, 1, ... to everybody, with logits above 1."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int64), tf.TensorSpec([], tf.int32)])
    def recommend(self, user_id: tf.Tensor, k: tf.Tensor) -> dict[str, tf.Tensor]:
        return {**self._first(tf.size(user_id), k), "known_user": user_id > 0}

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.int64), tf.TensorSpec([], tf.int32)])
    def recommend_for_items(self, item_ids: tf.Tensor, k: tf.Tensor) -> dict[str, tf.Tensor]:
        rows = tf.shape(item_ids)[0]
        return {**self._first(rows, k), "known_items": tf.ones(rows, tf.int32)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int64), tf.TensorSpec([None, None], tf.int64)])
    def serve(self, user_id: tf.Tensor, item_ids: tf.Tensor) -> dict[str, tf.Tensor]:
        scores = 9 - tf.cast(item_ids, tf.float32)
        return {"scores": scores, "known_user": user_id > 0, "known_item": item_ids > 0}

    def _first(self, rows: tf.Tensor, k: tf.Tensor) -> dict[str, tf.Tensor]:
        places = tf.tile(tf.range(tf.minimum(k, ITEMS))[None], [rows, 1])
        return {"item_ids": tf.cast(places, tf.int64), "scores": 9 - tf.cast(places, tf.float32)}


@pytest.fixture(scope="module")
def former(tmp_path_factory: pytest.TempPathFactory) -> ServedModel:
    folder, model = str(tmp_path_factory.mktemp("former") / "1"), Former()
    signatures = {
        "recommend": model.recommend, "recommend_for_items": model.recommend_for_items, "serving_default": model.serve
    }  # fmt: skip
    tf.saved_model.save(model, folder, signatures=signatures)
    return ServedModel(folder, ITEMS, [one for one in SIGNATURES if not one.name.startswith("score_")])


@pytest.mark.parametrize("k", [3, 9])
def test_they_recommend(former: ServedModel, k: int) -> None:
    found = former.recommend(USERS, k)
    assert found["item_ids"].tolist() == [[*range(min(k, ITEMS))]]
    assert found.keys() == FORMER_RECOMMEND.outputs.keys()
    found = former.recommend_for_items(np.array([[5, 6]]), k)
    assert found["item_ids"].tolist() == [[*range(min(k, ITEMS))]]
    assert found.keys() == FORMER_RECOMMEND_FOR_ITEMS.outputs.keys()


def test_what_they_serve_is_what_they_rank_by(former: ServedModel) -> None:
    asked = USERS, np.array([[1, 3]])
    np.testing.assert_array_equal(former.score_by_id(*asked)["scores"], [[8, 6]])
    np.testing.assert_array_equal(former.serve(*asked)["scores"], [[8, 6]])


def test_what_they_do_not_answer_is_said(former: ServedModel, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="lacks the signature recommend_filtered; train it again"):
        former.recommend(USERS, 3, exclude=np.array([[1]]))
    with pytest.raises(UserError, match="lacks the signature similar_items_top; train it again"):
        former.similar_items(np.array([1]), 3)
    assert former.catalog() is None
