"""How a file of delimited text is laid out: its header, its columns and the types of its ids."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import pyarrow as pa

from components.preprocess.readers.base import IdType, Source, is_compressed
from components.preprocess.readers.opening import open_bytes
from components.shared.errors import UserError
from components.shared.files.reading import size_of

BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_SAMPLE_BYTES = 1 << 12
_SAMPLES = 16
_HEAD_BYTES = 1 << 16
# As Arrow reads them, which knows no other blanks.
_INTEGER = re.compile(r"[ \t]*-?0*\d{1,19}[ \t]*", re.ASCII)


@dataclass(frozen=True)
class TextLayout:
    """How the rows of one file are written.

    Attributes:
      separator: between the columns.
      width: the number of columns.
      user: position of the column of user ids; `item`, `timestamp` and `rating` likewise, None for absent ones.
      types: Arrow type of each column that counts, by its position.
      first_byte: where the rows begin, after the header; in a gzip file, of the decompressed bytes.
    """

    separator: bytes
    width: int
    user: int
    item: int
    timestamp: int | None
    rating: int | None
    types: dict[int, pa.DataType]
    first_byte: int


@dataclass(frozen=True)
class _Head:
    """The first line of a file and the fields of a sample of its rows."""

    path: str
    first_line: list[str]
    first_byte: int
    sample: list[list[str]]


def text_layouts(source: Source, id_type: IdType) -> dict[str, TextLayout]:
    """The layout of each file of a source, empty files left out.

    Raises:
      UserError: all files are empty, a file is not UTF-8 or a damaged gzip file, or it lacks a column.
    """
    assert source.separator is not None
    separator = source.separator.encode()
    heads = [head for path in source.paths if (head := _read_head(path, separator, source.header)) is not None]
    if not heads:
        raise UserError(f"{source.name} is empty: there are no interactions to read")
    places = {head.path: _places(head, source) for head in heads}
    types = {
        "user": _id_type([row[places[head.path]["user"]] for head in heads for row in head.sample], id_type),
        "item": _id_type([row[places[head.path]["item"]] for head in heads for row in head.sample], id_type),
        "timestamp": pa.int32(),
        "rating": pa.float64(),
    }
    return {
        head.path: TextLayout(
            separator,
            len(head.first_line),
            places[head.path]["user"],
            places[head.path]["item"],
            places[head.path].get("timestamp"),
            places[head.path].get("rating"),
            {place: types[what] for what, place in places[head.path].items()},
            head.first_byte,
        )
        for head in heads
    }


def is_integer(text: str) -> bool:
    """Whether a field is a 64-bit integer."""
    return bool(_INTEGER.fullmatch(text)) and -(2**63) <= int(text) < 2**63


def split_line(line: bytes, separator: bytes, errors: str = "strict") -> list[str]:
    """The fields of one line.

    Args:
      line: one line, with its end or without.
      separator: between the fields; quotes have a meaning only where it is one byte.
      errors: what becomes of bytes that are not UTF-8, see `bytes.decode`.

    Raises:
      UnicodeDecodeError: it is not UTF-8, and `errors` is strict.
      csv.Error: a quote that does not end, or a carriage return that does not end the line.
    """
    text = line.decode("utf-8", errors).rstrip("\r\n")
    if len(separator) > 1:
        if "\r" in text:
            raise csv.Error("carriage return within the line")
        return text.split(separator.decode())
    fields = next(csv.reader([text + "\n"], delimiter=separator.decode()), [])
    if fields and fields[-1].endswith("\n"):
        raise csv.Error("a quote does not end")
    return fields


def _read_head(path: str, separator: bytes, header: bool) -> _Head | None:
    size = size_of(path)
    with open_bytes(path) as file:
        head = file.read(_HEAD_BYTES)
        while b"\n" not in head[:-1] and (more := file.read(_HEAD_BYTES)):
            head += more
        if not head.strip():
            return None
        samples = [head] + ([] if is_compressed(path) else list(_samples(file, size)))
    head = head.removeprefix(BYTE_ORDER_MARK)
    marked = len(samples[0]) - len(head)
    line, _, rest = head.partition(b"\n")
    try:
        first_line = [name.strip() for name in split_line(line, separator)]
    except UnicodeDecodeError as error:
        raise UserError(f"{path} line 1: not UTF-8; convert the file") from error
    except csv.Error as error:
        raise UserError(f"{path} line 1: cannot be read ({error})") from error
    lines = [
        *(rest if header else head).split(b"\n")[:-1],
        *(line for s in samples[1:] for line in s.split(b"\n")[1:-1]),
    ]
    sample = [fields for line in lines if len(fields := _lenient_fields(line, separator)) == len(first_line)]
    return _Head(path, first_line, marked + len(line) + 1 if header else 0, sample)


def _samples(file: BinaryIO, size: int) -> Iterator[bytes]:
    if size > _HEAD_BYTES:
        for number in range(1, _SAMPLES + 1):
            file.seek(max(size * number // _SAMPLES - _SAMPLE_BYTES, _HEAD_BYTES))
            yield file.read(_SAMPLE_BYTES)


def _lenient_fields(line: bytes, separator: bytes) -> list[str]:
    try:
        return split_line(line, separator)
    except (UnicodeDecodeError, csv.Error):
        return []


def _places(head: _Head, source: Source) -> dict[str, int]:
    wanted = {what: column for what, column in vars(source.columns).items() if column is not None}
    return {what: _place(what, column, head, source.header) for what, column in wanted.items()}


def _place(what: str, column: str | int, head: _Head, header: bool) -> int:
    if isinstance(column, int):
        if 0 <= column < len(head.first_line):
            return column
        raise UserError(
            f"dataset.{what}_column: {head.path} has {len(head.first_line)} columns, so there is none at {column}"
        )
    if column in head.first_line:
        return head.first_line.index(column)
    raise UserError(missing_column(what, column, head.path, head.first_line))


def missing_column(what: str, column: str, path: str, names: list[str]) -> str:
    """The message for a column that is not there."""
    hint = " (or null, if there is none)" if what == "timestamp" else ""
    return f"{path} has no column {column!r}; set dataset.{what}_column{hint} to one of: {', '.join(names)}"


def _id_type(sample: list[str], id_type: IdType) -> pa.DataType:
    filled = [text for text in sample if text.strip()]
    if id_type == "string" or (id_type == "auto" and not all(map(is_integer, filled))):
        return pa.string()
    numbers = [int(text) for text in filled if is_integer(text)]
    return pa.int32() if all(-(2**31) <= number < 2**31 for number in numbers) else pa.int64()
