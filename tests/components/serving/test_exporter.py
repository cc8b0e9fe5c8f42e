from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import expit

from components.artifacts.vocabulary import Vocabulary
from components.serving.contract import LOWEST_SCORE, NO_ITEM, NO_ITEM_TEXT
from components.serving.exporter import ServingModel
from components.serving.loader import ServedModel
from components.serving.seen_items import SeenItems
from components.shared.errors import UserError
from components.trainer.checkpoints import save_weights
from components.trainer.model import NeuMF
from tests.components.trainer.conftest import liked

USERS, ITEMS = 60, 40
NO_ITEMS = NO_ITEM, NO_ITEM_TEXT


@pytest.fixture(scope="module")
def model() -> NeuMF:
    return NeuMF(USERS, ITEMS, 4, (8, 6, 4), embedding_stddev=0.5, seed=1)


@pytest.fixture(scope="module", params=["vocabulary", "vocabulary_of_text"])
def served(request: pytest.FixtureRequest, inputs: Path, model: NeuMF, tmp_path_factory: Any) -> tuple[Any, Vocabulary]:
    vocabulary = Vocabulary.open(str(inputs / request.param))
    folder = tmp_path_factory.mktemp("model") / "serving"
    seen = SeenItems.open(str(inputs / "interactions"), USERS)
    ServingModel(model, vocabulary, seen).save(str(folder))
    return tf.saved_model.load(str(folder)), vocabulary


def candidates() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.integers(0, USERS, 7, dtype=np.int32), rng.integers(0, ITEMS, (7, 5), dtype=np.int32)


def test_signatures_agree(served: tuple[Any, Vocabulary], model: NeuMF) -> None:
    loaded, vocabulary = served
    user, item = candidates()
    expected = np.asarray(model(user[:, None], item))
    by_index = loaded.signatures["score_candidates"](user=tf.constant(user), item=tf.constant(item))
    assert list(by_index) == ["scores"]
    np.testing.assert_allclose(by_index["scores"], expected, atol=1e-5)
    everything = loaded.signatures["score_all_items"](user=tf.constant(user))["scores"]
    assert everything.shape == (7, ITEMS)
    np.testing.assert_allclose(np.take_along_axis(everything.numpy(), item, axis=1), expected, atol=1e-5)
    user_ids, item_ids = vocabulary.user_ids[user].tolist(), vocabulary.item_ids[item].tolist()
    served_scores = loaded.signatures["serving_default"](user_id=_ids(user_ids), item_ids=_ids(item_ids))
    np.testing.assert_allclose(served_scores["scores"], expit(expected), atol=1e-5)
    by_id = loaded.signatures["score_by_id"](user_id=_ids(user_ids), item_ids=_ids(item_ids))
    np.testing.assert_allclose(by_id["scores"], expected, atol=1e-5)
    assert served_scores["known_user"].numpy().all()
    assert served_scores["known_item"].numpy().all()


def test_unknown_ids(served: tuple[Any, Vocabulary], model: NeuMF) -> None:
    loaded, vocabulary = served
    text = isinstance(vocabulary.user_ids[0], str)
    nobody, nothing = ("nobody", "nothing") if text else (-1, 2**40)
    users = [vocabulary.user_ids.tolist()[3], nobody]
    items = [*vocabulary.item_ids.tolist()[5:8], nothing]
    answer = loaded.signatures["serving_default"](user_id=_ids(users), item_ids=_ids([items, items]))
    np.testing.assert_array_equal(answer["known_user"], [True, False])
    np.testing.assert_array_equal(answer["known_item"], [[True, True, True, False]] * 2)
    scores = answer["scores"].numpy()
    logits = np.asarray(model(np.array([[3]]), np.array([[5, 6, 7]])))[0]
    np.testing.assert_allclose(scores[0, :3], expit(logits), atol=1e-5)
    np.testing.assert_allclose(scores[1, :3], of_popularity([5, 6, 7]), rtol=1e-5)
    assert (scores[:, 3] == np.float32(LOWEST_SCORE)).all()
    assert np.isfinite(scores).all()


def of_popularity(counts: list[int]) -> np.ndarray:
    """The probabilities of items for somebody unknown: their shares of all rows."""
    return np.array(counts) / np.arange(ITEMS).sum()


def recommended(served: tuple[Any, Vocabulary], users: list[Any], k: int | list[int]) -> dict[str, np.ndarray]:
    numbers = tf.constant(k if isinstance(k, list) else [k] * len(users))
    answer = served[0].signatures["recommend_top"](user_id=_ids(users), k=numbers)
    found = {name: tensor.numpy() for name, tensor in answer.items()}
    indexes = {item: index for index, item in enumerate(served[1].item_ids.tolist())} | dict.fromkeys(NO_ITEMS, -1)
    found["items"] = np.array([[indexes[_text(item)] for item in row] for row in found["item_ids"].tolist()])
    return found


def test_the_best_items_that_a_user_has_not_met(served: tuple[Any, Vocabulary], model: NeuMF) -> None:
    users = [7, 0, 59, 7]
    found = recommended(served, served[1].user_ids[users].tolist(), 5)

    assert found["known_user"].all()
    for row, user in enumerate(users):
        scores = np.asarray(model(np.array([user], np.int32), np.arange(ITEMS, dtype=np.int32)))
        unmet = np.setdiff1d(np.arange(ITEMS), liked(user))
        best = unmet[np.argsort(-scores[unmet])][:5]
        assert found["items"][row].tolist() == best.tolist()
        np.testing.assert_allclose(found["scores"][row], expit(scores[best]), atol=1e-5)


def test_without_a_number_ten_items_come(served: tuple[Any, Vocabulary]) -> None:
    users = served[1].user_ids[[7, 0]].tolist()
    found, ten = served[0].signatures["recommend"](user_id=_ids(users)), recommended(served, users, 10)
    assert found["scores"].shape == (2, 10)
    np.testing.assert_array_equal(found["item_ids"], ten["item_ids"])
    np.testing.assert_array_equal(found["scores"], ten["scores"])


def test_each_row_has_a_number_of_its_own(served: tuple[Any, Vocabulary]) -> None:
    users = served[1].user_ids[[7, 7, 7, 7]].tolist()
    found, five = recommended(served, users, [2, 5, 0, -1]), recommended(served, users[:1], 5)["items"][0]
    assert found["items"].tolist() == [[*five[:2], -1, -1, -1], [*five], [-1] * 5, [-1] * 5]
    assert (found["scores"] == np.float32(LOWEST_SCORE)).tolist() == (found["items"] == -1).tolist()


def test_where_there_are_not_enough_unmet_items_no_item_comes_last(served: tuple[Any, Vocabulary]) -> None:
    found = recommended(served, served[1].user_ids[[3]].tolist(), 1000)
    unmet = ITEMS - len(liked(3))
    assert sorted(found["items"][0, :unmet]) == np.setdiff1d(np.arange(ITEMS), liked(3)).tolist()
    assert (found["items"][0, unmet:] == -1).all()
    assert (found["scores"][0, unmet:] == np.float32(LOWEST_SCORE)).all()
    assert (found["scores"][0, :unmet] > LOWEST_SCORE).all()


def test_somebody_unknown_gets_the_most_popular_items(served: tuple[Any, Vocabulary]) -> None:
    known = served[1].user_ids.tolist()[3]
    found = recommended(served, ["nobody" if isinstance(known, str) else -1, known], 3)
    assert found["known_user"].tolist() == [False, True]
    assert found["items"][0].tolist() == [39, 38, 37]
    np.testing.assert_allclose(found["scores"][0], of_popularity([39, 38, 37]), rtol=1e-5)


def test_what_is_not_wanted_and_what_is_wanted_alone(served: tuple[Any, Vocabulary]) -> None:
    ids, user = served[1].item_ids.tolist(), served[1].user_ids.tolist()[7]
    text = isinstance(user, str)
    none, unknown = ("", "nothing") if text else (NO_ITEM, 2**40)
    best = [ids[item] for item in recommended(served, [user], 1000)["items"][0] if item >= 0]
    seen = ids[liked(7)[0]]

    def ask(exclude: list[Any], only: list[Any]) -> list[Any]:
        answer = served[0].signatures["recommend_filtered"](
            user_id=_ids([user]), k=tf.constant([3]), exclude=_row(exclude, text), only=_row(only, text)
        )
        return [_text(item) for item in answer["item_ids"].numpy()[0].tolist()]

    assert ask([], []) == ask([none], [none, none]) == ask([unknown, none], []) == best[:3]
    assert ask([best[0], best[2], best[2]], []) == [best[1], best[3], best[4]]
    assert ask([], [best[9], none, best[4], seen, unknown]) == [best[4], best[9], none]
    assert ask([best[4]], [best[9], best[4]]) == [best[9], none, none]
    assert ask([], [unknown]) == [none, none, none], "asked for is something that is not there"


def test_probabilities_that_are_one_keep_the_order_of_logits(inputs: Path, tmp_path: Path) -> None:
    certain = NeuMF(USERS, ITEMS, 4, (), embedding_stddev=40.0, seed=1)
    vocabulary = Vocabulary.open(str(inputs / "vocabulary"))
    ServingModel(certain, vocabulary, SeenItems.nothing(USERS)).save(str(tmp_path / "model"))
    found = ServedModel(str(tmp_path / "model"), ITEMS).recommend(vocabulary.user_ids[[5]], 8)
    logits = np.asarray(certain(np.array([5], np.int32), np.arange(ITEMS, dtype=np.int32)))
    assert (found["scores"] == 1).sum() > 4
    assert found["item_ids"][0].tolist() == vocabulary.item_ids[np.argsort(-logits)[:8]].tolist()


def test_interactions_of_users_that_are_not_in_the_vocabulary(inputs: Path) -> None:
    with pytest.raises(UserError, match=r"have 60 users, but their vocabulary has 59; run Preprocess again"):
        SeenItems.open(str(inputs / "interactions"), USERS - 1)


@pytest.mark.parametrize("served_users", [False, True])
def test_tables_are_saved_once(inputs: Path, model: NeuMF, tmp_path: Path, served_users: bool) -> None:
    vocabulary = Vocabulary.open(str(inputs / "vocabulary"))
    table = np.zeros(model.user_table.shape, np.float32) if served_users else None
    ServingModel(model, vocabulary, SeenItems.nothing(USERS), served_users=table).save(str(tmp_path / "model"))
    saved = tf.train.list_variables(str(tmp_path / "model" / "variables" / "variables"))
    shapes = [tuple(shape) for _, shape in saved]
    assert shapes.count(tuple(model.user_table.shape)) == 1 + served_users
    assert [shape[0] for shape in shapes if len(shape) == 2].count(ITEMS) == 1


def test_types_of_the_signatures(served: tuple[Any, Vocabulary]) -> None:
    loaded, vocabulary = served
    assert "recommend_for_items" not in loaded.signatures, "it has no folding"
    raw = tf.string if isinstance(vocabulary.user_ids[0], str) else tf.int64
    for name, inputs in {
        "serving_default": {"user_id": raw, "item_ids": raw},
        "score_by_id": {"user_id": raw, "item_ids": raw},
        "recommend": {"user_id": raw},
        "recommend_top": {"user_id": raw, "k": tf.int32},
        "recommend_filtered": {"user_id": raw, "k": tf.int32, "exclude": raw, "only": raw},
        "score_candidates": {"user": tf.int32, "item": tf.int32},
        "score_all_items": {"user": tf.int32},
    }.items():
        signature = loaded.signatures[name]
        assert {key: spec.dtype for key, spec in signature.structured_input_signature[1].items()} == inputs
        assert signature.structured_outputs["scores"].dtype == tf.float32


def test_weights_come_back(model: NeuMF, tmp_path: Path) -> None:
    save_weights(model, str(tmp_path / "keras"))
    again = NeuMF.from_config({**model.get_config(), "seed": 99})
    assert (again.get_weights()[0] != model.get_weights()[0]).any()
    again.load_weights(tmp_path / "keras" / "model.weights.h5")
    for left, right in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)


def test_a_full_disk_leaves_nothing_half_written(
    model: NeuMF, inputs: Path, tmp_path: Path, files_of_at_most: Any
) -> None:
    vocabulary = Vocabulary.open(str(inputs / "vocabulary"))
    with files_of_at_most(2048):
        with pytest.raises(UserError, match=r"cannot write the model to .*keras: .*File too large") as weights:
            save_weights(model, str(tmp_path / "keras"))
        with pytest.raises(UserError, match=r"cannot write the model to .*serving: .*File too large") as serving:
            ServingModel(model, vocabulary, SeenItems.nothing(USERS)).save(str(tmp_path / "serving"))
    assert "\n" not in f"{weights.value}{serving.value}"
    assert not list(tmp_path.iterdir())


def _text(item: Any) -> Any:
    return item.decode() if isinstance(item, bytes) else item


def _row(ids: list[Any], text: bool) -> tf.Tensor:
    return tf.constant([ids], tf.string if text else tf.int64, shape=(1, len(ids)))


def _ids(ids: list[Any]) -> tf.Tensor:
    first = np.ravel(ids)[0]
    return tf.constant(ids, tf.string if isinstance(first, str) else tf.int64)
