"""Requests that TensorFlow Serving sends to a model before it serves it: `assets.extra/tf_serving_warmup_requests`.

The first call of each signature takes many times as long as the next ones, and no user should wait for it.
"""

import posixpath
from collections.abc import Iterable, Mapping
from typing import Any

import numpy.typing as npt
import tensorflow as tf

from components.artifacts.vocabulary import Vocabulary
from components.serving.contract import DEFAULT_K, Signature, Tensor

WARMUP_FILE = "assets.extra/tf_serving_warmup_requests"


def write_warmup(folder: str, signatures: Iterable[Signature], vocabulary: Vocabulary) -> None:
    """Writes a request for each signature, of a user and an item that there are, into the folder of a SavedModel."""
    from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

    tf.io.gfile.makedirs(posixpath.join(folder, posixpath.dirname(WARMUP_FILE)))
    with tf.io.TFRecordWriter(posixpath.join(folder, WARMUP_FILE)) as file:
        for signature in signatures:
            log = PredictionLog()
            request = log.predict_log.request
            request.model_spec.signature_name = signature.name
            for name, values in _inputs(signature, vocabulary).items():
                request.inputs[name].CopyFrom(tf.make_tensor_proto(values))
            file.write(log.SerializeToString(deterministic=True))


def _inputs(signature: Signature, vocabulary: Vocabulary) -> Mapping[str, Any]:
    return {name: _row(tensor, vocabulary) for name, tensor in signature.inputs.items()}


def _row(tensor: Tensor, vocabulary: Vocabulary) -> npt.NDArray[Any]:
    """One row of an input: the first user, the first item, the usual number."""
    values = {"user id": vocabulary.user_ids[:1], "item id": vocabulary.item_ids[:1]}.get(tensor.kind)
    row = [DEFAULT_K] if values is None else values.tolist()
    dtype = tf.string if isinstance(row[0], str) else tf.int32 if values is None else tf.int64
    array: npt.NDArray[Any] = tf.reshape(tf.constant(row, dtype), [1] * len(tensor.shape)).numpy()
    return array
