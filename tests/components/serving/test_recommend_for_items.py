"""The signature for somebody who is known by what they did alone."""

import dataclasses
from collections.abc import Sequence
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
from components.trainer.model import NeuMF
from tests.components.serving.foldings import DECAY, WeightedItems

USERS, ITEMS = 60, 40
VECTORS = np.random.default_rng(2).normal(size=(ITEMS, 8)).astype(np.float32)
PADDING = -1
"""What stands for no item in these tests."""
UNKNOWN = -2
"""And for an item that the model does not know."""


@pytest.fixture(scope="module")
def model() -> NeuMF:
    return NeuMF(USERS, ITEMS, 4, (8, 6, 4), embedding_stddev=0.5, seed=1)


@pytest.fixture(scope="module", params=["vocabulary", "vocabulary_of_text"])
def served(request: pytest.FixtureRequest, inputs: Path, model: NeuMF, tmp_path_factory: Any) -> "Asked":
    vocabulary = Vocabulary.open(str(inputs / request.param))
    folder = str(tmp_path_factory.mktemp("model") / "serving")
    seen = SeenItems.open(str(inputs / "interactions"), USERS)
    ServingModel(model, vocabulary, seen, WeightedItems(VECTORS)).save(folder)
    return Asked(folder, vocabulary)


class Asked:
    """A served model, asked by indexes of items."""

    def __init__(self, folder: str, vocabulary: Vocabulary):
        self.served = ServedModel(folder, ITEMS)
        self.ids = vocabulary.item_ids
        texts = self.ids.dtype.kind == "O"
        self.special = {PADDING: NO_ITEM_TEXT if texts else NO_ITEM, UNKNOWN: "nothing" if texts else 2**40}

    def recommend(self, rows: Sequence[Sequence[int]], k: int) -> dict[str, np.ndarray]:
        """The answer, with `items` as indexes."""
        width = max(map(len, rows))
        padded = [[PADDING] * (width - len(row)) + list(row) for row in rows]
        raw = np.array([self._raw(row) for row in padded], dtype=self.ids.dtype)
        return self._by_index(self.served.recommend_for_items(raw.reshape(len(rows), width), k))

    def similar(self, items: Sequence[int], k: int) -> dict[str, np.ndarray]:
        """The answer, with `items` as indexes."""
        return self._by_index(self.served.similar_items(np.array(self._raw(items), dtype=self.ids.dtype), k))

    def _raw(self, items: Sequence[int]) -> list[Any]:
        return [self.special.get(item) if item < 0 else self.ids.tolist()[item] for item in items]

    def _by_index(self, found: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        indexes = {item: index for index, item in enumerate(self.ids.tolist())} | {self.special[PADDING]: PADDING}
        items = [
            [indexes[item.decode() if isinstance(item, bytes) else item] for item in row] for row in found["item_ids"]
        ]
        return {**found, "items": np.array(items)}


def expected_scores(model: NeuMF, items: Sequence[int]) -> np.ndarray:
    """By hand: the known items in their order, the last with weight 1."""
    row = sum((DECAY**age * VECTORS[item] for age, item in enumerate(reversed(items))), np.zeros(8))
    user = model.project_users(tf.constant(np.array([row], np.float32)))
    return np.asarray(model.score(user, model.item_rows(np.arange(ITEMS, dtype=np.int32))))


def test_best_of_what_was_not_given(served: Asked, model: NeuMF) -> None:
    histories = [[3, 7, 5], [5, 7, 3], [11, 12, 13, 14, 15], [20]]
    found = served.recommend(histories, 6)

    assert found["known_items"].dtype == np.int32
    assert found["known_items"].tolist() == [3, 3, 5, 1]
    for row, history in enumerate(histories):
        scores = expected_scores(model, history)
        others = np.setdiff1d(np.arange(ITEMS), history)
        best = others[np.argsort(-scores[others])][:6]
        assert found["items"][row].tolist() == best.tolist()
        np.testing.assert_allclose(found["scores"][row], expit(scores[best]), rtol=1e-4, atol=1e-5)
    assert found["items"][0].tolist() != found["items"][1].tolist(), "the order is passed on"


def test_unknown_items_count_as_padding_wherever_they_stand(served: Asked) -> None:
    clean, *others = [[3, 7, 5], [3, UNKNOWN, 7, 5], [UNKNOWN, 3, 7, 5, UNKNOWN], [3, 7, PADDING, 5, PADDING]]
    expected = served.recommend([clean], 4)
    for row in others:
        found = served.recommend([row], 4)
        assert found["known_items"].tolist() == [3]
        assert found["items"].tolist() == expected["items"].tolist()
        np.testing.assert_array_equal(found["scores"], expected["scores"])


@pytest.mark.parametrize("history", [[], [PADDING], [UNKNOWN, PADDING, UNKNOWN]])
def test_who_did_nothing_that_is_known_gets_what_is_popular(served: Asked, history: list[int]) -> None:
    found = served.recommend([history], 3)
    assert found["known_items"].tolist() == [0]
    assert found["items"].tolist() == [[39, 38, 37]]
    np.testing.assert_allclose(found["scores"], [np.array([39, 38, 37]) / np.arange(ITEMS).sum()], rtol=1e-5)


def test_no_item_comes_last_with_the_lowest_score_where_no_others_are_left(served: Asked) -> None:
    found = served.recommend([[4, 9, 4]], 1000)
    assert found["known_items"].tolist() == [3]
    assert sorted(found["items"][0, :-2]) == np.setdiff1d(np.arange(ITEMS), [4, 9]).tolist()
    assert found["items"][0, -2:].tolist() == [PADDING, PADDING]
    assert (found["scores"][0, -2:] == np.float32(LOWEST_SCORE)).all()
    assert (found["scores"][0, :-2] > LOWEST_SCORE).all()


def test_a_padding_in_the_vocabulary_and_weights_of_the_folding_that_are_not_finite(
    inputs: Path, model: NeuMF, tmp_path: Path
) -> None:
    vocabulary = Vocabulary.open(str(inputs / "vocabulary"))
    with_lowest = dataclasses.replace(vocabulary, item_ids=np.array([NO_ITEM, *vocabulary.item_ids[1:]]))
    broken = np.where(np.arange(8) == 3, np.nan, VECTORS).astype(np.float32)
    folder = str(tmp_path / "serving")
    ServingModel(model, with_lowest, SeenItems.nothing(USERS), WeightedItems(broken)).save(folder)
    served = ServedModel(folder, ITEMS)
    assert served.recommend_for_items(with_lowest.item_ids[None, :2], 3)["known_items"] == [1]
    assert served.weights_not_finite() == ITEMS


def test_items_are_similar_by_how_much_one_raises_the_odds_of_the_other(served: Asked, model: NeuMF) -> None:
    found = served.similar([7, UNKNOWN, 20], 5)
    assert found["known_item"].tolist() == [True, False, True]
    nobody = expected_scores(model, [])
    for row, item in ((0, 7), (2, 20)):
        ratios = np.exp((expected_scores(model, [item]) - nobody).astype(np.float64))
        others = np.setdiff1d(np.arange(ITEMS), [item])
        best = others[np.argsort(-ratios[others])][:5]
        assert found["items"][row].tolist() == best.tolist()
        q = (ratios[best] - 1) / (ratios[best] + 1)
        np.testing.assert_allclose(found["similarities"][row], q, rtol=1e-3, atol=1e-5)
    assert found["items"][1].tolist() == [PADDING] * 5
    assert (found["similarities"][1] == np.float32(LOWEST_SCORE)).all()


def test_without_a_number_ten_items_come(served: Asked) -> None:
    signatures, item = served.served._model.signatures, served.ids[[11]]
    for name, given, outcome in (
        ("recommend_for_items", {"item_ids": tf.constant(item[None])}, served.recommend([[11]], 10)),
        ("similar_items", {"item_id": tf.constant(item)}, served.similar([11], 10)),
    ):
        assert signatures[name](**given)["item_ids"].numpy().tolist() == outcome["item_ids"].tolist()


@pytest.mark.parametrize("given", ["recommend_for_items", "similar_items"])
def test_types_of_the_signatures(served: Asked, given: str) -> None:
    raw = tf.string if served.ids.dtype.kind == "O" else tf.int64
    asked = {"recommend_for_items": "item_ids", "similar_items": "item_id"}[given]
    told = {"recommend_for_items": {"scores": tf.float32, "known_items": tf.int32},
            "similar_items": {"similarities": tf.float32, "known_item": tf.bool}}[given]  # fmt: skip
    for name, more in ((given, {}), (f"{given}_top", {"k": tf.int32})):
        signature = served.served._model.signatures[name]
        inputs, outputs = signature.structured_input_signature[1], signature.structured_outputs
        assert {name: spec.dtype for name, spec in inputs.items()} == {asked: raw, **more}
        assert {name: spec.dtype for name, spec in outputs.items()} == {"item_ids": raw, **told}
