"""The requests are read back by hand: records by their lengths, messages by their fields' numbers."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from components.artifacts.vocabulary import Vocabulary
from components.serving.exporter import ServingModel
from components.serving.seen_items import SeenItems
from components.trainer.model import NeuMF
from tests.components.serving.foldings import WeightedItems
from tests.components.serving.test_recommend_for_items import ITEMS, USERS, VECTORS

_TYPES = {3: tf.int32, 7: tf.string, 9: tf.int64}


def records(path: Path) -> Iterator[bytes]:
    """TFRecord: a length, its checksum, so many bytes, their checksum."""
    content = path.read_bytes()
    while content:
        (length,) = struct.unpack("<Q", content[:8])
        yield content[12 : 12 + length]
        content = content[16 + length :]


def fields(message: bytes) -> dict[int, list[Any]]:
    """The fields of a protocol buffer by their numbers: whole numbers, or bytes."""
    found: dict[int, list[Any]] = {}
    while message:
        key, message = varint(message)
        value: Any
        value, message = varint(message)
        if key & 7 == 2:
            value, message = message[:value], message[value:]
        found.setdefault(key >> 3, []).append(value)
    return found


def varint(message: bytes) -> tuple[int, bytes]:
    size = next(place for place, byte in enumerate(message) if byte < 128) + 1
    return sum((byte & 127) << 7 * place for place, byte in enumerate(message[:size])), message[size:]


@pytest.mark.parametrize("ids", ["vocabulary", "vocabulary_of_text"])
def test_each_signature_for_raw_ids_answers_its_request(inputs: Path, tmp_path: Path, ids: str) -> None:
    model, vocabulary = NeuMF(USERS, ITEMS, 4, (8, 6, 4)), Vocabulary.open(str(inputs / ids))
    folder = tmp_path / "1"
    ServingModel(model, vocabulary, SeenItems.nothing(USERS), WeightedItems(VECTORS)).save(str(folder))
    loaded, asked = tf.saved_model.load(str(folder)), []
    for record in records(folder / "assets.extra" / "tf_serving_warmup_requests"):
        predict_log = fields(fields(record)[6][0])  # PredictionLog.predict_log
        request = fields(predict_log[1][0])  # PredictLog.request
        name = fields(request[1][0])[3][0].decode()  # model_spec.signature_name
        inputs_ = {}
        for entry in map(fields, request[2]):  # inputs, a map
            tensor = fields(entry[2][0])  # TensorProto: 1 dtype, 2 shape
            (dtype,), sizes = tensor[1], [fields(size)[1][0] for size in fields(tensor[2][0])[2]]
            assert sizes == [1] * len(sizes)
            parsed = tf.io.parse_tensor(entry[2][0], _TYPES[dtype])
            inputs_[entry[1][0].decode()] = parsed
        answer = loaded.signatures[name](**inputs_)
        for known in {"known_user", "known_item", "known_items"} & answer.keys():
            assert answer[known].numpy().all(), "the ids exist"
        asked.append(name)
    assert sorted(asked) == sorted(
        name for name in loaded.signatures if name not in ("score_candidates", "score_all_items")
    )
