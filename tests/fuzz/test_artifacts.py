"""Whatever lies in place of an artifact, a manifest, a description of a step or a benchmark's files: one line."""

import contextlib
import json
import struct
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from components.artifacts.records import read_batches, write_batches
from components.preprocess.datasets import ncf_files
from components.serving.manifest import Manifest, MismatchError
from pipeline import entrypoint
from tests.fuzz.outcomes import one_line_at_most

anything: some.SearchStrategy[Any] = some.recursive(
    some.one_of(some.none(), some.booleans(), some.integers(), some.floats(), some.text(max_size=8)),
    lambda inner: some.one_of(
        some.lists(inner, max_size=3),
        some.dictionaries(
            some.sampled_from(["files", "origin", "format", "bytes", "sha256", "data", "metrics", "verdict", "inputs",
                               "outputs", "artifacts", "outputFile", "uri", "type", "model", "executor-logs", "../x"]),
            inner, max_size=4,
        ),
    ),
    max_leaves=12,
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def changed(content: bytes, changes: list[tuple[float, bytes]], end: float | None) -> bytes:
    damaged = bytearray(content)
    for place, there in changes:
        at = int(place * len(damaged))
        damaged[at : at + len(there)] = there
    return bytes(damaged if end is None else damaged[: int(end * len(damaged))])


changes = some.lists(some.tuples(some.floats(0, 1), some.binary(min_size=1, max_size=8)), max_size=4)
ends = some.one_of(some.none(), some.floats(0, 1))


@given(changes, ends)
def test_any_damage_to_records(folder: Path, damage: list[tuple[float, bytes]], end: float | None) -> None:
    path = folder / "whole.tfrecord"
    if not path.exists():
        batch = {"user": np.arange(50, dtype=np.int32), "item": np.arange(50, dtype=np.int32)}
        write_batches(str(path), [batch] * 3)
    (folder / "damaged.tfrecord").write_bytes(changed(path.read_bytes(), damage, end))
    with one_line_at_most():
        list(read_batches(str(folder / "damaged.tfrecord")))


def masked_crc(data: bytes) -> int:
    crc: int = google_crc32c.value(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


@given(
    some.lists(some.tuples(some.binary(max_size=60), some.one_of(some.none(), some.integers(0, 2**64 - 1))), max_size=3)
)
def test_any_records_with_right_checksums(folder: Path, records: list[tuple[bytes, int | None]]) -> None:
    content = b""
    for data, told in records:
        length = struct.pack("<Q", len(data) if told is None else told)
        content += length + struct.pack("<I", masked_crc(length)) + data + struct.pack("<I", masked_crc(data))
    (folder / "crafted.tfrecord").write_bytes(content)
    with one_line_at_most():
        list(read_batches(str(folder / "crafted.tfrecord")))


RATINGS = b"".join(b"%d\t%d\t5\t%d\n" % (user, item, item) for user in range(4) for item in range(3))
NCF = {
    "train.rating": RATINGS,
    "test.rating": b"".join(b"%d\t7\t5\t9\n" % user for user in range(4)),
    "test.negative": b"".join(b"(%d,7)\t8\t9\t10\n" % user for user in range(4)),
}
ncf_bytes = some.lists(
    some.sampled_from([b"(0,7)", b"(1,25)", b"(", b"0", b"1", b"7", b"-5", b"99999999999999999999", b"x", b"\t", b"\t",
                       b"\n", b"\r\n", b"\xff", b"\x00", b" "]),
    max_size=30,
).map(b"".join)  # fmt: skip


@given(some.dictionaries(some.sampled_from(list(NCF)), some.one_of(ncf_bytes, some.binary(max_size=60))), changes, ends)
def test_any_files_of_the_ncf_paper(
    folder: Path, files: dict[str, bytes], damage: list[tuple[float, bytes]], end: float | None
) -> None:
    (folder / "ncf").mkdir(exist_ok=True)
    for name, content in NCF.items():
        (folder / "ncf" / f"toy.{name}").write_bytes(files.get(name, changed(content, damage, end)))
    with one_line_at_most():
        ncf_files.read(str(folder / "ncf"))


@example("[" * 5_000)
@given(some.one_of(anything.map(json.dumps), some.text(max_size=40), some.sampled_from(["[" * 5000, '{"a":' * 5000])))
def test_any_manifest(folder: Path, text: str) -> None:
    (folder / "version").mkdir(exist_ok=True)
    (folder / "version" / "manifest.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    with one_line_at_most(), contextlib.suppress(MismatchError):
        if manifest := Manifest.read(str(folder / "version")):
            manifest.check(str(folder / "version"))


@example([], None)
@given(anything, anything)
def test_any_description_of_a_step(description: Any, spec: Any) -> None:
    for text in (json.dumps(description), json.dumps({"inputs": {"artifacts": description}, "outputs": description})):
        with one_line_at_most():
            entrypoint.described(text, json.dumps(spec))
