"""How TensorFlow Serving, and Vertex with it, map JSON to a SavedModel, as far as recommending goes.

Written after tensorflow_serving/util/json_tensor.cc (requests and responses in the row format, "instances" and
"predictions") and tensorflow_serving/batching/batching_session.cc and batching_util.cc (several requests in one call).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

Tensors = dict[str, np.ndarray]


class Refused(Exception):  # noqa: N818
    """The server answers 400."""


def predict(model: Any, *requests: dict[str, Any], pad: bool = False) -> list[dict[str, Any]]:
    """What the requests get, which the server puts into one call, as it does with `--enable_batching`.

    Args:
      model: a loaded SavedModel.
      requests: bodies, of one signature.
      pad: `pad_variable_length_inputs` of the batching parameters.
    """
    signature = model.signatures[requests[0].get("signature_name", "serving_default")]
    batches = [_tensors(request["instances"], signature) for request in requests]
    outputs = {name: tensor.numpy() for name, tensor in signature(**_together(batches, signature, pad)).items()}
    ends = np.cumsum([len(request["instances"]) for request in requests])
    for name, output in outputs.items():
        if output.shape[:1] != (ends[-1],):
            raise Refused(f"Tensor name: {name} has inconsistent batch size")
    return [
        _response({name: output[end - len(request["instances"]) : end] for name, output in outputs.items()})
        for request, end in zip(requests, ends, strict=True)
    ]


def _tensors(instances: Sequence[Any], signature: Any) -> Tensors:
    specs = signature.structured_input_signature[1]
    if not isinstance(instances[0], dict):
        if len(specs) > 1:
            raise Refused("instances is a plain list, but expecting list of objects as multiple input tensors required")
        (name,) = specs
        instances = [{name: instance} for instance in instances]
    for instance in instances:
        if instance.keys() != specs.keys():
            raise Refused(f"JSON object: {instance} must only have keys: {','.join(sorted(specs))}")
    return {name: _tensor([instance[name] for instance in instances], spec) for name, spec in specs.items()}


def _tensor(values: list[Any], spec: tf.TensorSpec) -> np.ndarray:
    if len({np.shape(value) for value in values}) > 1:
        raise Refused(f"Expecting shape {np.shape(values[0])} but got another one")
    kind: type = str if spec.dtype == tf.string else int
    flat = np.array(values, object).ravel()
    if not all(type(value) is kind for value in flat):
        raise Refused(f"JSON Value is not of expected type: {spec.dtype.name}")
    return np.array(values, object if kind is str else spec.dtype.as_numpy_dtype)


def _together(batches: Sequence[Tensors], signature: Any, pad: bool) -> dict[str, tf.Tensor]:
    joined = {}
    for name, spec in signature.structured_input_signature[1].items():
        parts = [batch[name] for batch in batches]
        width = max((part.shape[1] for part in parts if part.ndim > 1), default=0)
        if any(part.ndim > 1 and part.shape[1] != width for part in parts):
            if not pad:
                raise Refused(f"Tensors with name '{name}' from different tasks have different shapes")
            parts = [_padded(part, width) for part in parts]
        joined[name] = tf.constant(np.concatenate(parts), spec.dtype)
    return joined


def _padded(part: np.ndarray, width: int) -> np.ndarray:
    """With copies of its very first value behind each row, as the server does."""
    if not part.size:
        raise Refused("Got empty tensor in batch of non-empty tensors.")
    missing = np.full((len(part), width - part.shape[1]), part.flat[0], part.dtype)
    return np.concatenate([part, missing], axis=1)


def _response(outputs: Tensors) -> dict[str, Any]:
    columns = {name: _plain(output.tolist()) for name, output in outputs.items()}
    if len(columns) == 1:
        return {"predictions": next(iter(columns.values()))}
    rows = zip(*columns.values(), strict=True)
    return {"predictions": [dict(zip(columns, row, strict=True)) for row in rows]}


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return value.decode() if isinstance(value, bytes) else value
