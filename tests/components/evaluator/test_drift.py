"""The data beside that of a model that was really exported, by what it tells of itself."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from components.artifacts.evaluation import Drift
from components.artifacts.vocabulary import RawIds, Vocabulary
from components.evaluator.drift import measure_drift, total_variation
from components.serving.contract import SERVE
from components.serving.exporter import ServingModel
from components.serving.loader import ServedModel
from components.serving.seen_items import SeenItems
from components.trainer.model import NeuMF

# The champion has the users 3 to 12, and the items 0 to 5 with so many interactions.
COUNTS = np.array([900_000, 40, 7, 1, 0, 52])


def pushed(folder: Path, ids: Callable[[range], RawIds], layers: tuple[int, ...] = (8, 4)) -> ServedModel:
    users, items = ids(range(3, 13)), ids(range(6))
    vocabulary = Vocabulary(users, items, np.ones(10, np.int64), COUNTS)
    ServingModel(NeuMF(10, 6, 4, layers), vocabulary, SeenItems.nothing(10)).save(str(folder))
    return ServedModel(str(folder), None, (SERVE,))


def numbers(values: range) -> RawIds:
    return 100 + 7 * np.array(values)


def texts(values: range) -> RawIds:
    return np.array([f"é{value:03}" for value in values], object)


@pytest.fixture(scope="module")
def champion(tmp_path_factory: pytest.TempPathFactory) -> ServedModel:
    return pushed(tmp_path_factory.mktemp("champion"), numbers)


@pytest.mark.parametrize("ids", [numbers, texts])
def test_users_items_rows_and_popularity_are_held_side_by_side(
    tmp_path: Path, champion: ServedModel, ids: Callable[[range], RawIds]
) -> None:
    champion = champion if ids is numbers else pushed(tmp_path, ids)
    counts = np.array([30, 0, 70])  # of the items 4, 5 and 6, the last of which is new
    found = measure_drift(champion, ids(range(20)), ids(range(4, 7)), counts, at_once=8)

    assert found == Drift(
        users=20,
        new_users=10,
        champion_users=10,
        items=3,
        new_items=1,
        champion_items=6,
        rows=100,
        champion_rows=int(COUNTS.sum()),
        popularity_shift=pytest.approx((0.3 + 52 / COUNTS.sum() + 0.7 + (COUNTS.sum() - 52) / COUNTS.sum()) / 2),
    )
    assert (found.lost_user_share, found.lost_item_share) == (0.0, pytest.approx(4 / 6))
    assert found.rows_ratio == pytest.approx(100 / 900_100)


def test_the_same_data_has_not_moved(champion: ServedModel) -> None:
    found = measure_drift(champion, numbers(range(3, 13)), numbers(range(6)), COUNTS, at_once=100)
    assert found is not None
    assert (found.new_users, found.new_items, found.popularity_shift, found.rows_ratio) == (0, 0, 0.0, 1.0)
    assert (found.lost_user_share, found.lost_item_share) == (0.0, 0.0)


def test_a_champion_without_a_declared_table_does_not_count_its_users(tmp_path: Path) -> None:
    silent = pushed(tmp_path, numbers, layers=())
    found = measure_drift(silent, numbers(range(13)), numbers(range(6)), COUNTS, at_once=100)
    assert found is not None
    assert (found.champion_users, found.new_users) == (None, 3)
    with pytest.raises(LookupError, match="does not say how many users"):
        _ = found.lost_user_share


def test_a_champion_that_only_scores_tells_nothing(tmp_path: Path) -> None:
    class Scores(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.int64), tf.TensorSpec([None, None], tf.int64)])
        def serve(self, user_id: tf.Tensor, item_ids: tf.Tensor) -> dict[str, tf.Tensor]:
            return {"scores": tf.cast(item_ids, tf.float32), "known_user": user_id > 0, "known_item": item_ids > 0}

    model = Scores()
    tf.saved_model.save(model, str(tmp_path), signatures={"serving_default": model.serve})
    champion = ServedModel(str(tmp_path), None, (SERVE,))
    assert measure_drift(champion, numbers(range(3)), numbers(range(3)), np.ones(3, np.int64), at_once=9) is None


def test_what_is_no_count_is_not_taken_for_one(tmp_path: Path, make_world: Any, save_model: Any) -> None:
    world = make_world()
    save_model(str(tmp_path / "1"), world.good_scores(), world)  # gives somebody unknown its scores of the first user
    champion = ServedModel(str(tmp_path / "1"), None, (SERVE,))
    found = measure_drift(champion, world.user_ids, world.item_ids, world.train_counts, at_once=9)
    assert found is None


def test_total_variation_is_half_of_all_differences() -> None:
    assert total_variation(np.array([3, 1]), np.array([1, 1]), np.array([1, -1])) == 0.75
    assert total_variation(np.array([3, 1]), np.array([30, 10]), np.array([0, 1])) == 0.0
    assert total_variation(np.array([3]), np.array([5]), np.array([-1])) == 1.0
