"""TensorFlow Serving's REST requests, in rows and in columns, to the inputs of signatures, and their answers back.

https://www.tensorflow.org/tfx/serving/api_rest describes them.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from components.serving.loader import ServedModel
from components.shared.json_types import JsonObject
from pipeline.service.scoring.refusals import RefusalError

DEFAULT_SIGNATURE = "serving_default"
MOST_ROWS = 128
MOST_VALUES = 1 << 19

_INT64 = np.iinfo(np.int64)
_NAMES = {
    tf.string: "DT_STRING",
    tf.int64: "DT_INT64",
    tf.int32: "DT_INT32",
    tf.float32: "DT_FLOAT",
    tf.bool: "DT_BOOL",
}
_KINDS: dict[Any, tuple[type, ...]] = {
    tf.string: (str, bytes),
    tf.int64: (int,),
    tf.int32: (int,),
    tf.float32: (int, float),
    tf.bool: (bool,),
}


def predict(served: ServedModel, request: Mapping[str, Any]) -> JsonObject:
    """Answers a request.

    Args:
      served: the model.
      request: `instances`, a list of rows, or `inputs`, columns; and `signature_name`, where there is none or an empty
        text the default one.

    Returns:
      `predictions`, a list of rows; or `outputs`, columns. Where there is one tensor, it has no name.

    Raises:
      RefusalError: the request is not of this form, or the model does not take it.
    """
    name = request.get("signature_name", "")
    name = DEFAULT_SIGNATURE if name == "" else name
    if not isinstance(name, str) or name not in served.specs:
        raise RefusalError(400, f"signature_name: the model has {', '.join(sorted(served.specs))}")
    if ("instances" in request) == ("inputs" in request):
        raise RefusalError(400, "either instances, a list of rows, or inputs, columns, is expected")
    specs, _ = served.specs[name]
    in_rows = "instances" in request
    columns = _columns_of_rows(request["instances"], specs) if in_rows else _columns(request["inputs"], specs)
    if missing := specs.keys() - columns.keys():
        raise RefusalError(400, f"{name}: {', '.join(sorted(missing))} is missing")
    inputs = {column: _array(column, values, specs) for column, values in columns.items()}
    if any(array.ndim and len(array) > MOST_ROWS for array in inputs.values()):
        raise RefusalError(413, f"{MOST_ROWS} rows are the most of a request")
    try:
        outputs = served.ask(name, inputs)
    except ValueError as error:
        raise RefusalError(400, f"{name}: {error}") from None
    if sum(array.size for array in outputs.values()) > MOST_VALUES:
        raise RefusalError(413, f"the answer has more than {MOST_VALUES:,} values; ask for fewer rows")
    return _rows(outputs, len(request["instances"])) if in_rows else {"outputs": _alone_without_name(_lists(outputs))}


def metadata(served: ServedModel, name: str, version: str) -> JsonObject:
    """The signatures of a model as TensorFlow Serving tells them."""
    signatures = {
        signature: {
            "inputs": {tensor: _described(tensor, spec) for tensor, spec in inputs.items()},
            "outputs": {tensor: _described(tensor, spec) for tensor, spec in outputs.items()},
            "method_name": "tensorflow/serving/predict",
        }
        for signature, (inputs, outputs) in served.specs.items()
    }
    return {
        "model_spec": {"name": name, "signature_name": "", "version": version},
        "metadata": {"signature_def": {"signature_def": signatures}},
    }


def _described(name: str, spec: tf.TensorSpec) -> JsonObject:
    sizes = [] if spec.shape.rank is None else spec.shape.as_list()
    dimensions = [{"size": str(-1 if size is None else size), "name": ""} for size in sizes]
    shape = {"dim": dimensions, "unknown_rank": spec.shape.rank is None}
    return {"dtype": _NAMES.get(spec.dtype, "DT_INVALID"), "tensor_shape": shape, "name": name}


def _columns_of_rows(rows: Any, specs: Mapping[str, tf.TensorSpec]) -> JsonObject:
    if not isinstance(rows, list) or not rows:
        raise RefusalError(400, "instances: a list of at least one row is expected")
    named = [_columns(row, specs) for row in rows]
    if any(row.keys() != named[0].keys() for row in named):
        raise RefusalError(400, "instances: all rows need the same names")
    return {column: [row[column] for row in named] for column in named[0]}


def _columns(values: Any, specs: Mapping[str, tf.TensorSpec]) -> JsonObject:
    if not isinstance(values, dict) or values.keys() == {"b64"}:
        if len(specs) != 1:
            raise RefusalError(400, f"the inputs have names: {', '.join(sorted(specs))}")
        return dict.fromkeys(specs, values)
    if unknown := values.keys() - specs.keys():
        raise RefusalError(400, f"{sorted(unknown)[0][:100]}: the inputs are {', '.join(sorted(specs))}")
    return dict(values)


def _array(name: str, values: Any, specs: Mapping[str, tf.TensorSpec]) -> npt.NDArray[Any]:
    """What stands for one input as an array; no value changes on the way."""
    spec = specs[name]
    shape = tuple(_shape(name, values))
    if not spec.shape.is_compatible_with(shape):
        raise RefusalError(400, f"{name}: the shape {list(shape)} is none of {spec.shape}".replace("None", "any"))
    flat = list(_flat(values))
    if not all(_is(value, spec.dtype) for value in flat):
        raise RefusalError(400, f"{name}: {_NAMES.get(spec.dtype, spec.dtype)[3:].lower()} values are expected")
    kind = object if spec.dtype == tf.string else spec.dtype.as_numpy_dtype
    try:
        return np.array([value.encode() if isinstance(value, str) else value for value in flat], kind).reshape(shape)
    except OverflowError:
        raise RefusalError(400, f"{name}: a number is too large") from None
    except UnicodeEncodeError:
        raise RefusalError(400, f"{name}: a text has half of a surrogate pair") from None


def _is(value: Any, dtype: tf.DType) -> bool:
    if isinstance(value, bool):
        return bool(dtype == tf.bool)
    return isinstance(value, _KINDS.get(dtype, ())) and not (
        isinstance(value, int) and not _INT64.min <= value <= _INT64.max
    )


def _shape(name: str, values: Any) -> Iterator[int]:
    """The sizes of nested lists, from the outermost on."""
    level = [values]
    while level and all(isinstance(part, list) for part in level):
        sizes = {len(part) for part in level}
        if len(sizes) > 1:
            raise RefusalError(400, f"{name}: lists of one level have different lengths")
        yield sizes.pop()
        level = [value for part in level for value in part]
    if any(isinstance(part, list) for part in level):
        raise RefusalError(400, f"{name}: values and lists stand side by side")


def _flat(values: Any) -> Iterator[Any]:
    if isinstance(values, list):
        for value in values:
            yield from _flat(value)
    elif isinstance(values, dict) and values.keys() == {"b64"}:
        yield _decoded(values["b64"])
    else:
        yield values


def _decoded(text: Any) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise RefusalError(400, "b64: text in base 64 is expected") from None


def _rows(outputs: Mapping[str, npt.NDArray[Any]], rows: int) -> JsonObject:
    if any(array.ndim == 0 or len(array) != rows for array in outputs.values()):
        raise RefusalError(400, "the answer has no row for each instance; ask in columns, by inputs")
    lists = _lists(outputs)
    names = list(lists)
    rows_of = [dict(zip(names, values, strict=True)) for values in zip(*lists.values(), strict=True)]
    return {"predictions": [_alone_without_name(row) for row in rows_of]}


def _lists(outputs: Mapping[str, npt.NDArray[Any]]) -> JsonObject:
    return {
        name: _texts(array.tolist()) if array.dtype.kind == "O" else array.tolist() for name, array in outputs.items()
    }


def _texts(values: Any) -> Any:
    return [_texts(value) for value in values] if isinstance(values, list) else values.decode(errors="replace")


def _alone_without_name(values: JsonObject) -> Any:
    return next(iter(values.values())) if len(values) == 1 else values
