"""TensorFlow Serving's REST forms, as https://www.tensorflow.org/tfx/serving/api_rest has them."""

import base64
import functools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from components.serving.loader import ServedModel
from pipeline.service.scoring.predict import MOST_ROWS, metadata, predict
from pipeline.service.scoring.refusals import RefusalError
from tests.pipeline.service.models import push


class Echo(tf.Module):
    """Signatures of every kind of tensor."""

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.float32, "values")])
    def double(self, values: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"doubled": 2 * values}

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.string, "text"), tf.TensorSpec([None], tf.bool, "flag"),
            tf.TensorSpec([], tf.int32, "k"),
        ]
    )  # fmt: skip
    def mixed(self, text: tf.Tensor, flag: tf.Tensor, k: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"texts": tf.strings.join([text, "!"]), "flags": tf.logical_not(flag), "k": k + 1}


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> ServedModel:
    module, folder = Echo(), str(tmp_path_factory.mktemp("echo"))
    tf.saved_model.save(module, folder, signatures={"serving_default": module.double, "mixed": module.mixed})
    return ServedModel(folder, None, [])


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> ServedModel:
    folder = tmp_path_factory.mktemp("served") / "1"
    push(folder)
    return ServedModel(str(folder), None)


def test_one_tensor_needs_no_name_and_gets_none(echo: ServedModel) -> None:
    assert predict(echo, {"instances": [[1, 2.5], [3, 4]]}) == {"predictions": [[2, 5], [6, 8]]}
    assert predict(echo, {"instances": [{"values": [1, 2]}]}) == {"predictions": [[2, 4]]}
    assert predict(echo, {"inputs": [[1.5]]}) == {"outputs": [[3.0]]}
    for default in ("serving_default", ""):
        assert predict(echo, {"inputs": {"values": [[1.5]]}, "signature_name": default}) == {"outputs": [[3.0]]}


def test_columns_of_several_tensors(echo: ServedModel) -> None:
    inputs = {"text": ["é", {"b64": base64.b64encode(b"plain").decode()}], "flag": [True, False], "k": 4}
    found = predict(echo, {"signature_name": "mixed", "inputs": inputs})
    assert found == {"outputs": {"texts": ["é!", "plain!"], "flags": [False, True], "k": 5}}


def test_rows_are_those_of_the_signature(served: ServedModel) -> None:
    rows = [{"user_id": 11, "item_ids": [100, 103]}, {"user_id": -1, "item_ids": [1, 130]}]
    expected = served.serve(np.array([11, -1]), np.array([[100, 103], [1, 130]]))
    found = predict(served, {"instances": rows})["predictions"]
    for name, array in expected.items():
        assert [row[name] for row in found] == array.tolist()


@pytest.mark.parametrize(
    ("request_", "status", "reason"),
    [
        ({}, 400, "either instances"),
        ({"instances": [[1.0]], "inputs": [[1.0]]}, 400, "either instances"),
        ({"instances": []}, 400, "at least one row"),
        ({"instances": {"values": 1}}, 400, "at least one row"),
        ({"instances": [[1], [1, 2]]}, 400, "different lengths"),
        ({"instances": [[[1]]]}, 400, r"the shape \[1, 1, 1\] is none of \(any, any\)"),
        ({"instances": [[[1], 2]]}, 400, "side by side"),
        ({"inputs": functools.reduce(lambda part, _: [part], range(400), 1)}, 400, r"values: the shape \[1, 1, "),
        ({"inputs": {"text": ["\ud800"], "flag": [True], "k": 1}, "signature_name": "mixed"}, 400, "text: a text has"),
        ({"instances": [["x"]]}, 400, "values: float values are expected"),
        ({"instances": [[True]]}, 400, "values: float values are expected"),
        ({"instances": [[None]]}, 400, "values: float values are expected"),
        ({"instances": [{"values": [1]}, {"other": [1]}]}, 400, "other: the inputs are values"),
        ({"instances": [[1.0]] * (MOST_ROWS + 1)}, 413, f"{MOST_ROWS} rows"),
        ({"inputs": [[1.0]], "signature_name": "none"}, 400, "the model has mixed, serving_default"),
        ({"inputs": [[1.0]], "signature_name": ["mixed"]}, 400, "the model has mixed, serving_default"),
        ({"inputs": ["a"], "signature_name": "mixed"}, 400, "have names: flag, k, text"),
        ({"inputs": {"text": ["a"], "k": 1}, "signature_name": "mixed"}, 400, "flag is missing"),
        ({"inputs": {"text": ["a"], "flag": [1], "k": 1}, "signature_name": "mixed"}, 400, "flag: bool values"),
        ({"inputs": {"text": [1], "flag": [True], "k": 1}, "signature_name": "mixed"}, 400, "text: string values"),
        ({"inputs": {"text": ["a"], "flag": [True], "k": 1.0}, "signature_name": "mixed"}, 400, "k: int32 values"),
        ({"inputs": {"text": ["a"], "flag": [True], "k": 2**31}, "signature_name": "mixed"}, 400, "too large"),
        ({"inputs": {"text": ["a"], "flag": [True], "k": 2**80}, "signature_name": "mixed"}, 400, "k: int32 values"),
        ({"inputs": {"text": [{"b64": "?"}], "flag": [True], "k": 1}, "signature_name": "mixed"}, 400, "base 64"),
        ({"instances": [{"text": "a", "flag": True, "k": 1}], "signature_name": "mixed"}, 400, r"\[1\] is none of"),
    ],
)  # fmt: skip
def test_what_is_not_of_the_form_is_refused_with_a_reason(
    echo: ServedModel, request_: dict[str, Any], status: int, reason: str
) -> None:
    with pytest.raises(RefusalError, match=reason) as refused:
        predict(echo, request_)
    assert refused.value.status == status
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("texts", [False, True])
def test_a_list_may_be_empty(tmp_path: Path, texts: bool) -> None:
    push(tmp_path / "1", texts=texts)
    row = {"user_id": "11/é" if texts else 11, "k": 2, "exclude": [], "only": []}
    model = ServedModel(str(tmp_path / "1"), None)
    plain = predict(model, {"signature_name": "recommend_top", "instances": [{"user_id": row["user_id"], "k": 2}]})
    assert predict(model, {"signature_name": "recommend_filtered", "instances": [row]}) == plain


def test_an_index_past_the_end_is_refused(served: ServedModel) -> None:
    with pytest.raises(RefusalError, match=r"^score_candidates: indices\[0\] = 10000 is not in \[0, 40\)$"):
        predict(served, {"signature_name": "score_candidates", "inputs": {"user": [10_000], "item": [[1]]}})


def test_an_answer_that_is_too_large_is_refused(echo: ServedModel) -> None:
    with pytest.raises(RefusalError, match="ask for fewer rows") as refused:
        predict(echo, {"instances": [[0.0] * 5_000] * MOST_ROWS})
    assert refused.value.status == 413


def test_metadata_names_the_tensors_of_each_signature(served: ServedModel) -> None:
    found = metadata(served, "shop", "7")
    assert found["model_spec"] == {"name": "shop", "signature_name": "", "version": "7"}
    default = found["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert default["method_name"] == "tensorflow/serving/predict"
    assert default["inputs"]["item_ids"] == {
        "dtype": "DT_INT64",
        "tensor_shape": {"dim": [{"size": "-1", "name": ""}, {"size": "-1", "name": ""}], "unknown_rank": False},
        "name": "item_ids",
    }
    assert {name: spec["dtype"] for name, spec in default["outputs"].items()} == {
        "scores": "DT_FLOAT", "known_user": "DT_BOOL", "known_item": "DT_BOOL",
    }  # fmt: skip
