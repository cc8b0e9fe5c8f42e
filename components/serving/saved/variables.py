"""The variables of a SavedModel, read without TensorFlow, whose import takes longer than most answers do.

They lie in a tensor bundle (`tensorflow/core/util/tensor_bundle` in TensorFlow's sources): `variables.index`, a table
as LevelDB writes it, says where in `variables.data-*` each one begins, and its entry `_CHECKPOINTABLE_OBJECT_GRAPH`
which attributes of the saved object lead to which. Messages in it are protocol buffers.
"""

import itertools
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from components.shared.checksums import masked_crc32c

_OBJECT_GRAPH = b"_CHECKPOINTABLE_OBJECT_GRAPH"
_FOOTER_BYTES, _MAGIC = 48, bytes.fromhex("57fb808b247547db")
_CRC_BYTES = 4
_TEXT = 7
_DTYPES: dict[int, np.dtype[Any]] = {1: np.dtype("<f4"), 3: np.dtype("<i4"), 9: np.dtype("<i8"), 10: np.dtype("?")}

Value: TypeAlias = npt.NDArray[Any]
Declared: TypeAlias = "Value | dict[str, Declared]"
"""A variable, texts as bytes; or those below an object, by the names of its attributes, those of a list by places."""


@dataclass(frozen=True)
class _Message:
    """A protocol buffer: its numbers, and the contents of what has a length, by the numbers of their fields."""

    numbers: Mapping[int, int]
    parts: Mapping[int, list[bytes]]

    @classmethod
    def parse(cls, data: bytes) -> Self:
        numbers: dict[int, int] = {}
        parts: dict[int, list[bytes]] = {}
        at = 0
        while at < len(data):
            tag, at = _varint(data, at)
            field, kind = tag >> 3, tag & 7
            if kind == 2:
                size, at = _varint(data, at)
                parts.setdefault(field, []).append(data[at : at + size])
                at += size
            elif kind == 0:
                numbers[field], at = _varint(data, at)
            else:
                size = {1: 8, 5: 4}[kind]
                numbers[field] = int.from_bytes(data[at : at + size], "little")
                at += size
        return cls(numbers, parts)

    def messages(self, field: int) -> list[Self]:
        return list(map(self.parse, self.parts.get(field, [])))


class SavedVariables:
    """The variables of a SavedModel in a folder of this machine.

    What it raises, of whatever kind, says that there is no such file, that it is damaged, or that it is of a form which
    TensorFlow has to read itself.
    """

    def __init__(self, folder: str):
        """Reads what variables there are."""
        self._prefix = os.path.join(folder, "variables", "variables")
        with open(f"{self._prefix}.index", "rb") as file:
            self._entries = {key: _Message.parse(value) for key, value in _table(file.read())}
        header = self._entries.pop(b"").numbers
        if header.get(2):
            raise ValueError("its numbers are big-endian")
        self._shards = header[1]
        (graph,) = self._read(_OBJECT_GRAPH).ravel().tolist()
        self._nodes = _Message.parse(graph).messages(1)

    def declared(self, name: str) -> "Declared | None":
        """What lies below an attribute of the saved object; None where it has none of that name."""
        node = self._children(0).get(name)
        return None if node is None else self._below(node)

    def _below(self, node: int) -> Declared:
        if attributes := self._nodes[node].messages(2):
            return self._read(attributes[0].parts[3][0])
        return {name: self._below(child) for name, child in self._children(node).items()}

    def _children(self, node: int) -> dict[str, int]:
        return {child.parts[2][0].decode(): child.numbers.get(1, 0) for child in self._nodes[node].messages(1)}

    def _read(self, key: bytes) -> Value:
        entry = self._entries[key]
        if 7 in entry.parts:
            raise ValueError("a variable is kept in slices")
        shape = [size.numbers.get(1, 0) for shape in entry.messages(2) for size in shape.messages(2)]
        kind, number = entry.numbers[1], entry.numbers.get(3, 0)
        with open(f"{self._prefix}.data-{number:05}-of-{self._shards:05}", "rb") as file:
            file.seek(entry.numbers.get(4, 0))
            data = file.read(entry.numbers.get(5, 0))
        if kind == _TEXT:
            value, summed = _texts(data, math.prod(shape))
        else:
            value, summed = np.frombuffer(data, _DTYPES[kind]), data
        _check(summed, entry.numbers[6])
        return value.reshape(shape)


def _table(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The keys and values of a table, in their order: a block of them for each entry of the block of indexes."""
    footer = data[-_FOOTER_BYTES:]
    if not footer.endswith(_MAGIC):
        raise ValueError("it is no table")
    *_, begin, size = _varints(footer, 4)[0]
    for _, place in _block(data, begin, size):
        yield from _block(data, *_varints(place, 2)[0])


def _block(data: bytes, begin: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    block, kind = data[begin : begin + size], data[begin + size]
    if kind:
        raise ValueError("the table is compressed")
    _check(data[begin : begin + size + 1], int.from_bytes(data[begin + size + 1 :][:_CRC_BYTES], "little"))
    end = size - 4 - 4 * int.from_bytes(block[-4:], "little")  # behind the entries: where every so manieth begins
    key, at = b"", 0
    while at < end:
        (shared, own, length), at = _varints(block, 3, at)
        key, at = key[:shared] + block[at : at + own], at + own
        yield key, block[at : at + length]
        at += length


def _texts(data: bytes, number: int) -> tuple[Value, bytes]:
    """Texts, which lie one after the other behind their lengths and a checksum of these; and what theirs is made of."""
    lengths, at = _varints(data, number)
    ends = itertools.accumulate(lengths, initial=at + _CRC_BYTES)
    texts = np.array([data[begin:end] for begin, end in itertools.pairwise(ends)], object)
    return texts, np.array(lengths, "<u4").tobytes() + data[at:]


def _check(data: bytes, checksum: int) -> None:
    if masked_crc32c(data) != checksum:
        raise ValueError("it is damaged")


def _varints(data: bytes, number: int, at: int = 0) -> tuple[list[int], int]:
    """Some whole numbers that lie one after the other, and where the last one ends."""
    found = []
    for _ in range(number):
        value, at = _varint(data, at)
        found.append(value)
    return found, at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while (byte := data[at]) > 0x7F:
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
    return value | byte << shift, at + 1
