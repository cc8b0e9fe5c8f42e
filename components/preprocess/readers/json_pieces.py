"""Reads JSON lines in pieces of whole lines.

A compiled loop reads a block of plain values. It gives up on anything else, and Arrow reads the block at once. One that
it cannot read, or in which it would lose digits, is halved until the lines that are at fault are few; those are read
one by one.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json

from components.preprocess.readers.base import Reading, Sample, Source
from components.preprocess.readers.blocks import MOST_LINE_BYTES, Range, check_head, cut_file, lines_before, read_blocks
from components.preprocess.readers.json_loops import find_values
from components.preprocess.readers.opening import encoding_of, open_bytes
from components.preprocess.readers.other_forms import refuse_carriage_returns
from components.preprocess.readers.table import Faulty, Table, to_rows
from components.preprocess.readers.text import record_loops
from components.preprocess.readers.text.layout import BYTE_ORDER_MARK, find_places
from components.preprocess.rows import Rows
from components.preprocess.values.times import NUMBER, TimeForm, form_of
from components.shared.errors import UserError
from components.shared.json_types import JsonObject

_SAMPLE_BYTES = 1 << 16
_FEW_LINES = 256
# From here on, floating-point numbers do not tell whole ones apart.
_EXACT = 2.0**53
_KINDS = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
_NO_OBJECT = "\0"
_OBJECT = re.compile(rb"[ \t\r\n]*\{")


@dataclass(frozen=True)
class JsonPiece:
    """A part of a file.

    Attributes:
      part: where it is.
      columns: the names that count, by what they are.
      where: names by whose values rows are wanted, and those values.
      kinds: the type of each of these names, by the sample.
      times: how times are written; None where there are none.
      reading: which rows count, and in what portions they are read.
    """

    part: Range
    columns: dict[str, str]
    where: tuple[tuple[str, tuple[str, ...]], ...]
    kinds: dict[str, pa.DataType]
    times: TimeForm | None
    reading: Reading

    def read(self) -> Iterator[Rows]:
        """Reads the lines, one batch for each block or less.

        Raises:
          UserError: a line cannot be read, where that is an error, or a compressed file is damaged.
        """
        for start, block in read_blocks(self.part, self.reading.block_bytes):
            for rows in self._parse(start, block):
                yield replace(rows, file=self.part.path)

    def _parse(self, start: int, block: bytes) -> Iterator[Rows]:
        table = _read_plain(block, self.kinds)
        lines = _count_lines(block) if table is None else len(table)
        if not lines:
            return
        if table is None:
            table = _read_at_once(block, self.kinds, lines)
        if table is not None:
            yield self._rows(table, start, block)
        elif lines > _FEW_LINES:
            middle = block.find(b"\n", len(block) // 2) + 1 or len(block)
            middle = middle if middle < len(block) else block.rfind(b"\n", 0, len(block) - 1) + 1
            yield from self._parse(start, block[:middle])
            yield from self._parse(start + middle, block[middle:])
        else:
            yield self._rows(_read_one_by_one(block, list(self.kinds)), start, block)

    def _rows(self, table: pa.Table, start: int, block: bytes) -> Rows:
        columns = {name: table.column(name).combine_chunks() for name in table.column_names}
        bad = (
            columns[_NO_OBJECT].to_numpy(zero_copy_only=False)
            if _NO_OBJECT in columns
            else np.zeros(len(table), np.bool_)
        )
        rows, faulty = to_rows(
            Table(
                {what: columns[name] for what, name in self.columns.items()},
                tuple((columns[name], values) for name, values in self.where),
                bad,
                self.times,
                is_declared=True,
            ),
            self.reading,
        )
        if faulty and self.reading.on_bad_row == "error":
            self._refuse(start, block, faulty, bool(bad[faulty.row]))
        return rows

    def _refuse(self, start: int, block: bytes, faulty: Faulty, is_no_object: bool) -> None:
        """Says what is wrong with a line.

        Raises:
          UserError: always.
        """
        numbers = [number for number, line in enumerate(block.split(b"\n"), start=1) if line.strip()]
        line = lines_before(self.part.path, start, self.part.encoding) + numbers[faulty.row]
        fault = "is not one JSON object" if is_no_object else faulty.fault
        raise UserError(
            f"{self.part.path} line {line}: {fault}; mend it, or skip such rows with dataset.on_bad_row=skip"
        )


def plan_json(source: Source, reading: Reading) -> list[JsonPiece]:
    """Cuts the files of a source into pieces.

    Raises:
      UserError: all files are empty, one is no JSON lines, is damaged, or lacks a column.
    """
    heads = [(path, head) for path in source.paths if (head := _read_head(path, source)) is not None]
    if not heads:
        raise UserError(f"{source.name} is empty: there are no interactions to read")
    if any(isinstance(column, int) for column in [*vars(source.columns).values(), *(c.column for c in source.where)]):
        raise UserError(
            f"{source.name}: the columns of JSON lines have names, not positions (dataset.{source.keys[0]}=NAME)"
        )
    names = list(dict.fromkeys(name for _, (_, _, objects) in heads for found in objects for name in found))
    places, conditions = find_places(source, source.name, names)
    columns = {what: names[int(place)] for what, place in vars(places).items() if place is not None}
    if reading.min_rating is None:
        columns.pop("rating", None)
    where = tuple((names[place], values) for place, values in conditions)
    sample = [found for _, (_, _, objects) in heads for found in objects]
    kinds = {name: _kind(sample, name) for name in [*columns.values(), *(name for name, _ in where)]}
    times = _form(sample, columns.get("timestamp"), reading)
    return [
        JsonPiece(part, columns, where, kinds, times, reading)
        for path, (encoding, first_byte, _) in heads
        for part in cut_file(path, first_byte, encoding, reading.piece_bytes)
    ]


def sample_json(source: Source) -> Sample:
    """The first objects of a source, by their names; what is itself an object or a list is left out.

    Raises:
      UserError: the files are empty, or no JSON lines.
    """
    objects = next((head[2] for path in source.paths if (head := _read_head(path, source)) is not None), None)
    if objects is None:
        raise UserError(f"{source.name} is empty: there are no interactions to read")
    names = dict.fromkeys(name for found in objects for name, value in found.items() if value is not None)
    plain = [name for name in names if any(_plain(found.get(name)) is not None for found in objects)]
    columns: dict[str | int, pa.Array] = {name: _column([found.get(name) for found in objects]) for name in plain}
    return Sample(columns, nested=tuple(name for name in names if name not in columns))


def _kind(sample: Sequence[JsonObject], name: str) -> pa.DataType:
    """What all objects of a sample have under a name; text where they differ, which Arrow then does not read."""
    kinds = {type(found[name]) for found in sample if found.get(name) is not None}
    if kinds == {int, float}:
        return pa.float64()
    return _KINDS.get(kinds.pop(), pa.string()) if len(kinds) == 1 else pa.string()


def _form(sample: Sequence[JsonObject], name: str | None, reading: Reading) -> TimeForm | None:
    if name is None:
        return None
    values = [str(found[name]) for found in sample if found.get(name) is not None]
    return form_of(values, reading.time_format) if values else NUMBER


def _read_head(path: str, source: Source) -> tuple[str | None, int, list[JsonObject]] | None:
    """The encoding of a file, where its lines begin, and some of its objects."""
    encoding = encoding_of(path, source.encoding)
    with open_bytes(path, encoding) as file:
        head = file.read(_SAMPLE_BYTES)
        refuse_carriage_returns(path, head)
        head += file.readline(MOST_LINE_BYTES)
    check_head(path, head)
    if not head.removeprefix(BYTE_ORDER_MARK).strip():
        return None
    marked = len(BYTE_ORDER_MARK) if head.startswith(BYTE_ORDER_MARK) else 0
    if head[marked:].lstrip().startswith(b"["):
        raise UserError(f"{path} is one JSON array; write each of its objects on a line (jq -c '.[]')")
    objects = [found for line in head[marked:].split(b"\n") if (found := _object(line)) is not None]
    if not objects:
        raise UserError(
            f"{path} line 1: is not one JSON object; write each on a line of its own (jq -c .), or set dataset.format "
            "if the file is something else"
        )
    return encoding, marked, objects


def _object(line: bytes) -> JsonObject | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _count_lines(block: bytes) -> int:
    """How many lines have something on them."""
    if b"\n\n" in block or b"\r\n" in block or block.startswith(b"\n"):
        return sum(1 for line in block.split(b"\n") if line.strip())
    return block.count(b"\n") + (block[-1:] != b"\n")


def _read_plain(block: bytes, kinds: dict[str, pa.DataType]) -> pa.Table | None:
    """The columns of a block in which all that counts is whole numbers and plain texts; None where it is not so."""
    if not all(kind in (pa.int64(), pa.string()) for kind in kinds.values()) or not _is_utf8(block):
        return None
    text = np.frombuffer(block if block.endswith(b"\n") else block + b"\n", np.uint8)
    names = [name.encode() for name in kinds]
    are_texts = np.array([kind == pa.string() for kind in kinds.values()])
    # A line of `{"name":1,...}` has a brace at each end, a newline, and commas between.
    least = sum(len(name) + len('"":1,') for name in names) + len("{}\n") - len(",")
    values = np.empty((2, len(names), len(text) // least + 1), np.int64)
    rows = find_values(
        text,
        np.frombuffer(b"".join(names), np.uint8),
        np.cumsum([len(name) for name in names]),
        are_texts,
        np.full(len(names), -1),
        values,
    )
    if rows < 0:
        return None
    return pa.table(
        {
            name: _texts_of(text, *values[:, place, :rows]) if is_text else pa.array(values[0, place, :rows])
            for place, (name, is_text) in enumerate(zip(kinds, are_texts, strict=True))
        }
    )


def _is_utf8(block: bytes) -> bool:
    try:
        return block.isascii() or bool(block.decode())
    except UnicodeDecodeError:
        return False


def _texts_of(text: npt.NDArray[np.uint8], begins: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]) -> pa.Array:
    offsets, data = np.empty(len(begins) + 1, np.int32), np.empty(int((ends - begins).sum()), np.uint8)
    record_loops.gather(text, begins, ends, np.zeros(len(begins), np.uint8), offsets, data)
    return pa.Array.from_buffers(pa.string(), len(begins), [None, pa.py_buffer(offsets), pa.py_buffer(data)])


def _read_at_once(block: bytes, kinds: dict[str, pa.DataType], lines: int) -> pa.Table | None:
    """The columns of a block; None where a line is at fault, or a number would lose digits."""
    if not _OBJECT.match(block):
        return None  # Arrow 18 crashes where the first value is null
    try:
        table = pyarrow.json.read_json(
            pa.BufferReader(block),
            pyarrow.json.ReadOptions(use_threads=False, block_size=len(block) + 1),
            pyarrow.json.ParseOptions(
                explicit_schema=pa.schema(list(kinds.items())), unexpected_field_behavior="ignore"
            ),
        )
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None
    if len(table) != lines or not all(map(_is_exact, table.columns)):
        return None
    return table


def _is_exact(column: pa.ChunkedArray) -> bool:
    if not pa.types.is_floating(column.type):
        return True
    return not pc.any(pc.greater_equal(pc.abs(column), _EXACT)).as_py()


def _read_one_by_one(block: bytes, names: Sequence[str]) -> pa.Table:
    """The columns of a block, and in one without a name which lines are at fault."""
    objects = [_object(line) for line in block.split(b"\n") if line.strip()]
    columns = {name: _column([(found or {}).get(name) for found in objects]) for name in names}
    return pa.table({**columns, _NO_OBJECT: pa.array([found is None for found in objects], pa.bool_())})


def _column(values: Sequence[Any]) -> pa.Array:
    """Numbers where there is nothing else and none is too large, else texts; None for what is neither."""
    values = [_plain(value) for value in values]
    if all(value is None or (isinstance(value, int) and -(2**63) <= value < 2**63) for value in values):
        return pa.array(values, pa.int64())
    if all(value is None or (isinstance(value, int | float) and abs(value) < _EXACT) for value in values):
        return pa.array(values, pa.float64())
    return pa.array([None if value is None else str(value) for value in values], pa.string())


def _plain(value: Any) -> str | int | float | None:
    """A value, whole numbers as such however they are written."""
    if isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return int(value)
    if isinstance(value, str) and not _is_unicode(value):
        return None
    return value if isinstance(value, str | int | float) else None


def _is_unicode(text: str) -> bool:
    """Whether a text has no half characters, which JSON can write and UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
