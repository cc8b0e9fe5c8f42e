"""What servers of SavedModels do with requests, on the examples of docs/serving.md."""

import itertools
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from components.artifacts.vocabulary import Vocabulary
from components.serving.exporter import ServingModel
from components.serving.seen_items import SeenItems
from components.trainer.model import NeuMF
from tests.components.serving.foldings import WeightedItems
from tests.components.serving.row_format import Refused, predict

PAGE = (Path(__file__).parents[3] / "docs" / "serving.md").read_text(encoding="utf-8")
BLOCKS = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
EXAMPLES = [
    (request, answer)
    for request, answer in itertools.pairwise(BLOCKS)
    if "instances" in request and "predictions" in answer
]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The model of the page: ann, who has seen sku-1, and bob, for whom the odds of the five items are as written."""
    odds = np.array([[9.0], [3.0], [1.0], [1 / 3], [1 / 9]])
    items = np.array([f"sku-{number}" for number in range(1, 6)], object)
    vocabulary = Vocabulary(np.array(["ann", "bob"], object), items, np.array([1, 0]), np.array([12, 4, 2, 1, 1]))
    folding = WeightedItems(np.array([[0.5], [1.0], [0.0], [-0.5], [-1.0]], np.float32))
    trained = NeuMF.of_vectors([np.array([[1.0], [-1.0]], np.float32)], [np.log(odds).astype(np.float32)])
    seen = SeenItems(np.array([0], np.int32), np.array([1, 1], np.int64))
    folder = tmp_path_factory.mktemp("model") / "1"
    ServingModel(trained, vocabulary, seen, folding).save(str(folder))
    return tf.saved_model.load(str(folder))


def rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: rounded(part) for name, part in value.items()}
    if isinstance(value, list):
        return [rounded(part) for part in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def test_the_page_has_an_example_of_each_signature() -> None:
    named = {request.get("signature_name", "serving_default") for request, _ in EXAMPLES}
    assert named == {
        "serving_default", "recommend", "recommend_top", "recommend_filtered",
        "recommend_for_items", "recommend_for_items_top", "similar_items", "similar_items_top",
    }  # fmt: skip


@pytest.mark.parametrize(("request_", "answer"), EXAMPLES, ids=[json.dumps(request)[:60] for request, _ in EXAMPLES])
def test_requests_get_the_answers_that_the_page_says(model: Any, request_: dict[str, Any], answer: Any) -> None:
    (found,) = predict(model, request_)
    assert rounded(found["predictions"]) == answer["predictions"]


def test_what_several_people_ask_at_once_is_what_each_asks_alone(model: Any) -> None:
    one, two = ({"signature_name": "recommend", "instances": names} for names in (["ann"], ["bob", "eve"]))
    assert rounded(predict(model, one, two)) == rounded([*predict(model, one), *predict(model, two)])


def test_a_longer_list_that_is_asked_for_at_the_same_time_adds_nothing_but_no_item(model: Any) -> None:
    short, long = ({"signature_name": "recommend_top", "instances": [{"user_id": "bob", "k": k}]} for k in (2, 4))
    (alone,), (beside, _) = predict(model, short), predict(model, short, long)
    (own,), (found,) = alone["predictions"], beside["predictions"]
    assert found["item_ids"] == [*own["item_ids"], "", ""]
    assert rounded(found["scores"]) == [*rounded(own["scores"]), *rounded([float(np.finfo(np.float32).min)] * 2)]


def test_lists_of_several_lengths_go_together_where_the_first_is_no_item(model: Any) -> None:
    """The server pads behind, with the first value of a request."""
    histories = ["", "sku-2"], ["", "sku-4", "sku-1", "sku-5"]
    requests = [{"signature_name": "recommend_for_items", "instances": [history]} for history in histories]
    alone = [answer for request in requests for answer in predict(model, request)]
    assert rounded(predict(model, *requests, pad=True)) == rounded(alone)
    with pytest.raises(Refused, match="have different shapes"):
        predict(model, *requests)


def test_a_request_without_one_of_the_inputs_is_refused(model: Any) -> None:
    """So there is a signature without it, and none of them takes one that is not there."""
    with pytest.raises(Refused, match="must only have keys: k,user_id"):
        predict(model, {"signature_name": "recommend_top", "instances": [{"user_id": "ann"}]})


def test_every_tensor_begins_with_the_batch(model: Any) -> None:
    for signature in model.signatures.values():
        specs = [*signature.structured_input_signature[1].values(), *signature.structured_outputs.values()]
        assert all(spec.shape.rank and spec.shape[0] is None for spec in specs)
