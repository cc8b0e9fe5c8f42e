"""The record format of the examples: one TFRecord is one ready batch.

A record holds a serialized `tf.train.Example` whose bytes features are the columns of the batch, raw and little-endian.
TensorFlow reads it with `tf.data.TFRecordDataset`, `tf.io.parse_single_example` and `tf.io.decode_raw`; this module
writes and reads it with NumPy alone. All batches of a file have the same number of rows, so the bytes around the
columns never change: a writer fills the columns of a ready template in place.
"""

import hashlib
import struct
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from components.artifacts.storage import open_file, write_atomically
from components.shared.checksums import masked_crc32c
from components.shared.errors import UserError

DTYPES: dict[str, np.dtype[Any]] = {
    "user": np.dtype("<i4"),
    "item": np.dtype("<i4"),
    "label": np.dtype("u1"),
    "mask": np.dtype("u1"),
}
TRAIN_COLUMNS = ("user", "item", "label")
EVALUATION_COLUMNS = ("user", "item", "mask")
BYTES_PER_TRAINING_ROW = sum(DTYPES[name].itemsize for name in TRAIN_COLUMNS)

_LENGTH_BYTES = 12  # uint64 length of the data and the checksum of these eight bytes
_CHECKSUM_BYTES = 4
_MOST_BYTES = 1 << 31  # of a protocol buffer
_CHUNK_BYTES = 1 << 20  # stays in a core's cache between filling, checksum and write


class BatchBuffer:
    """Several records of one shape in one block of memory, to be filled in place, sealed and written.

    Attributes:
      columns: for each column an array [records, rows] that lies inside the records; fill it, then call `seal`.
      records: how many records the buffer holds.
      rows: the rows of each record.
    """

    def __init__(self, columns: tuple[str, ...], rows: int, records: int = 0):
        """Lays out `records` records of `rows` rows; 0 takes as many as make a good write to disk."""
        data, offsets = _example_around(columns, rows)
        length = struct.pack("<Q", len(data))
        template = length + struct.pack("<I", masked_crc32c(length)) + data + bytes(_CHECKSUM_BYTES)
        self.rows = rows
        self.records = records or max(1, _CHUNK_BYTES // len(template))
        self._bytes = np.tile(np.frombuffer(template, np.uint8), (self.records, 1))
        self.columns: dict[str, npt.NDArray[Any]] = {
            name: np.ndarray(
                shape=(self.records, rows),
                dtype=DTYPES[name],
                buffer=self._bytes.data,
                offset=_LENGTH_BYTES + offset,
                strides=(len(template), DTYPES[name].itemsize),
            )
            for name, offset in zip(columns, offsets, strict=True)
        }

    def seal(self, records: int) -> npt.NDArray[np.uint8]:
        """Writes the checksums of the first `records` records and returns those records, uint8 [records, bytes]."""
        sealed = self._bytes[:records]
        for record in sealed:
            crc = masked_crc32c(record[_LENGTH_BYTES:-_CHECKSUM_BYTES])
            record[-_CHECKSUM_BYTES:] = np.frombuffer(struct.pack("<I", crc), np.uint8)
        return sealed


class BatchWriter:
    """Writes sealed records to an open file and keeps their digest."""

    def __init__(self, file: BinaryIO):
        self._file = file
        self._digest = hashlib.sha256()
        self.records = 0

    def write(self, buffer: BatchBuffer, records: int) -> None:
        """Seals and writes the first `records` records of the buffer."""
        if records:
            sealed = buffer.seal(records)
            self._digest.update(sealed[:, -_CHECKSUM_BYTES:].tobytes())
            self._file.write(sealed.data)
            self.records += records

    def digest(self) -> bytes:
        """A digest of the records so far: SHA-256 of their CRC-32Cs."""
        return self._digest.digest()


def write_batches(path: str, batches: Iterable[Mapping[str, npt.NDArray[Any]]]) -> bytes:
    """Writes batches of equal shape to one file, which appears whole or not at all, and returns its digest."""
    with write_atomically(path) as file:
        writer = BatchWriter(file)
        buffer: BatchBuffer | None = None
        for batch in batches:
            buffer = buffer or BatchBuffer(tuple(batch), len(next(iter(batch.values()))), records=1)
            for name, values in batch.items():
                buffer.columns[name][0] = values
            writer.write(buffer, 1)
        return writer.digest()


def read_batches(path: str) -> Iterator[dict[str, npt.NDArray[Any]]]:
    """Yields the batches of a file in their order: read-only arrays [rows] by column name.

    Raises:
      UserError: the file is cut off or damaged.
    """
    with open_file(path) as file:
        number = 0
        while head := file.read(_LENGTH_BYTES):
            data = _data(file, head, path, number)
            try:
                columns = {name: np.frombuffer(column, DTYPES[name]) for name, column in _parse(data)}
            except (ValueError, LookupError) as error:
                raise UserError(f"{path}: record {number} is of something else; run the step that writes it") from error
            yield columns
            number += 1


def _data(file: BinaryIO, head: bytes, path: str, number: int) -> bytes:
    damaged = UserError(f"{path}: record {number} is damaged or cut off; run the step that writes it again")
    if len(head) < _LENGTH_BYTES or masked_crc32c(head[:8]) != int.from_bytes(head[8:], "little"):
        raise damaged
    length = int.from_bytes(head[:8], "little")
    if length > _MOST_BYTES:
        raise damaged
    data, crc = file.read(length), file.read(_CHECKSUM_BYTES)
    if len(data) < length or masked_crc32c(data) != int.from_bytes(crc, "little"):
        raise damaged
    return data


def _example_around(columns: tuple[str, ...], rows: int) -> tuple[bytes, list[int]]:
    """Serializes an Example of zero-filled columns; returns it and where in it each column begins."""
    entries = b""
    ends = []
    for name in columns:
        size = rows * DTYPES[name].itemsize
        feature = _field(1, _field(1, bytes(size)))  # Feature.bytes_list = BytesList.value
        entries += _field(1, _field(1, name.encode()) + _field(2, feature))  # an entry of Features.feature
        ends.append((len(entries), size))
    data = _field(1, entries)  # Example.features
    return data, [len(data) - len(entries) + end - size for end, size in ends]


def _field(number: int, content: bytes) -> bytes:
    """A length-delimited field of a protocol buffer."""
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    groups = []
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*groups, value])


def _parse(data: bytes) -> Iterator[tuple[str, memoryview]]:
    """The columns of a serialized Example, whatever the order of its features."""
    for features in _fields(memoryview(data)):
        for entry in _fields(features):
            name, feature = _fields(entry)
            (values,) = _fields(feature)
            (value,) = _fields(values)
            yield bytes(name).decode(), value


def _fields(data: memoryview) -> Iterator[memoryview]:
    """The contents of a message that has length-delimited fields only."""
    position = 0
    while position < len(data):
        position += 1  # the tag
        length = shift = 0
        while True:
            byte = data[position]
            position += 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        yield data[position : position + length]
        position += length
