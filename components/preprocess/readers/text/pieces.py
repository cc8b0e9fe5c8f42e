"""Reads delimited text, plain or compressed, in pieces of whole records that any worker can take.

Two parsers judge alike. The compiled parser of integers takes a block where all that counts is integers or ISO times,
and gives up on anything unusual. Then the records are found (`record_loops`), and the columns that count are read as
texts, each of which means what it means in any format (`values`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from components.preprocess.readers.base import Reading, Source
from components.preprocess.readers.blocks import MOST_BYTES, Range, cut_file, lines_before, read_blocks
from components.preprocess.readers.table import Faulty, Table, to_rows
from components.preprocess.readers.text import integer_loops, record_loops
from components.preprocess.readers.text.layout import TextLayout, text_layouts
from components.preprocess.rows import Rows
from components.preprocess.values.texts import Bad
from components.preprocess.values.times import ticks
from components.shared.errors import UserError

# Separators that the compiled parser would take for a part of a number, a quote or the end of a line.
_NO_SEPARATORS = b'-0123456789"\r\n'
_FAULTS = {
    record_loops.QUOTE: "cannot be read (a quote that does not end, or text behind one that does); where quotes mean "
    "nothing, set dataset.quoting=off",
    record_loops.RETURN: "cannot be read (a carriage return within the line)",
}


@dataclass(frozen=True)
class TextPiece:
    """A part of a file.

    Attributes:
      part: where it is.
      layout: how the rows of the file are written.
      reading: which rows count, and in what portions they are read.
    """

    part: Range
    layout: TextLayout
    reading: Reading

    def read(self) -> Iterator[Rows]:
        """Reads the records, one batch for each block.

        Raises:
          UserError: a row cannot be read, where that is an error, or a compressed file is damaged.
        """
        cut = partial(_end_of_records, self.layout) if self.layout.quoting else None
        for start, block in read_blocks(self.part, self.reading.block_bytes, cut):
            yield replace(_parse(self, start, block), file=self.part.path)


def plan_text(source: Source, reading: Reading, usual: str = ",") -> list[TextPiece]:
    """Cuts the files of a source into pieces.

    Args:
      source: the files.
      reading: how they are read.
      usual: the separator that files of this format usually have.

    Raises:
      UserError: all files are empty, or one is not text, is damaged, or lacks a column.
    """
    return [
        TextPiece(part, layout, reading)
        for path, layout in text_layouts(source, reading, usual).items()
        for part in cut_file(path, layout.first_byte, layout.encoding, reading.piece_bytes)
    ]


@dataclass(frozen=True)
class _Records:
    """The records of a block.

    Attributes:
      text: uint8 [n], the block, with a newline at its end.
      starts: int64 [records], where each begins.
      faults: uint8 [records], what is wrong with each.
      spans: int64 [2, columns that count, records that are good], where their fields begin and end.
      forms: uint8 [columns that count, records that are good], how the fields are written.
    """

    text: npt.NDArray[np.uint8]
    starts: npt.NDArray[np.int64]
    faults: npt.NDArray[np.uint8]
    spans: npt.NDArray[np.int64]
    forms: npt.NDArray[np.uint8]


def _parse(piece: TextPiece, start: int, block: bytes) -> Rows:
    layout, reading = piece.layout, piece.reading
    if (rows := _parse_integers(block, layout, reading)) is not None:
        return rows
    wanted = _wanted(layout, reading)
    records = _find_records(block, layout, wanted)
    good = records.faults == record_loops.GOOD
    columns = {what: _column(records, number) for number, what in enumerate(wanted)}
    table = Table(
        columns={what: texts for what, (texts, _) in columns.items() if isinstance(what, str)},
        where=tuple((columns[place][0], values) for place, values in layout.where),
        bad=np.any([bad for _, bad in columns.values()], axis=0),
        times=layout.times if layout.timestamp is not None else None,
        is_declared=False,
    )
    rows, faulty = to_rows(table, reading)
    if reading.on_bad_row == "error" and (faulty or not good.all()):
        _refuse(piece, start, records, good, faulty)
    return Rows(rows.user, rows.item, rows.timestamp, rows.bad + int((~good).sum()), rows.below_min_rating,
                rows.not_wanted, rows.time_unit)  # fmt: skip


def _wanted(layout: TextLayout, reading: Reading) -> dict[str | int, int]:
    """The positions of the columns that count, by what they are; of those of `where`, by their own positions."""
    names = ["user", "item", "timestamp", *(["rating"] if reading.min_rating is not None else [])]
    columns: dict[str | int, int] = {name: place for name in names if (place := getattr(layout, name)) is not None}
    return {**columns, **{place: place for place, _ in layout.where}}


def _as_text(block: bytes) -> npt.NDArray[np.uint8]:
    return np.frombuffer(block if block.endswith(b"\n") else block + b"\n", np.uint8)


def _parse_integers(block: bytes, layout: TextLayout, reading: Reading) -> Rows | None:
    """Reads a block in which all columns that count are integers or ISO times; None where it is not so."""
    separator = layout.separator
    wanted = [place for place in (layout.user, layout.item, layout.timestamp) if place is not None]
    simple = (
        reading.id_type != "string"
        and reading.min_rating is None
        and not layout.where
        and layout.times.kind in ("number", "iso")
        and separator.count(separator[:1]) == len(separator)
        and separator[0] not in _NO_SEPARATORS
        and len(set(wanted)) == len(wanted)
    )
    if not simple:
        return None
    places, kinds = np.full(layout.width, -1, np.int64), np.zeros(layout.width, np.uint8)
    places[wanted] = np.arange(len(wanted))
    kinds[wanted[:2]] = integer_loops.ID if reading.id_type == "auto" else integer_loops.NUMBER
    if layout.times.kind == "iso":
        kinds[wanted[2:]] = integer_loops.TIME
    text = _as_text(block)
    most = integer_loops.most_lines(len(text), layout.width, len(wanted), len(separator))
    columns = np.empty((len(wanted), most), np.int64)
    rows = integer_loops.parse_integers(
        text, np.uint8(separator[0]), len(separator), places, kinds, ticks(layout.times), columns
    )
    if rows <= 0:
        return None
    columns = columns[:, :rows]
    times = columns[2] if layout.timestamp is not None else None
    return Rows(columns[0], columns[1], times, time_unit=layout.times.unit)


def _separator(layout: TextLayout) -> npt.NDArray[np.uint8]:
    return np.frombuffer(layout.separator, np.uint8)


def _end_of_records(layout: TextLayout, block: bytes, stop: int, final: bool) -> int:
    end = record_loops.end_of_records(
        _as_text(block), stop, final, _separator(layout), layout.quoting, MOST_BYTES, _fields(layout)
    )
    return min(int(end), len(block))


def _find_records(block: bytes, layout: TextLayout, wanted: dict[str | int, int]) -> _Records:
    text = _as_text(block)
    places = np.full(layout.width, -1, np.int64)
    places[list(wanted.values())] = np.arange(len(wanted))
    most = block.count(b"\n") + 1
    starts, faults = np.empty(most, np.int64), np.empty(most, np.uint8)
    spans, forms = np.empty((2, len(wanted), most), np.int64), np.empty((len(wanted), most), np.uint8)
    rows, _ = record_loops.find_records(
        text, len(text), True, _separator(layout), layout.quoting, MOST_BYTES, _fields(layout), places, starts, faults,
        spans, forms,
    )  # fmt: skip
    # Where one column is two things, it has one place.
    order = [places[place] for place in wanted.values()]
    good = np.flatnonzero(faults[:rows] == record_loops.GOOD)
    return _Records(text, starts[:rows], faults[:rows], spans[:, order][:, :, good], forms[order][:, good])


def _fields(layout: TextLayout) -> npt.NDArray[np.int64]:
    """Room for one record."""
    return np.empty((3, layout.width), np.int64)


def _column(records: _Records, number: int) -> tuple[pa.Array, Bad]:
    """The texts of a column, of good records, and which of them are not UTF-8."""
    (begins, ends), forms = records.spans[:, number], records.forms[number]
    offsets, data = np.empty(len(begins) + 1, np.int32), np.empty(int((ends - begins).sum()), np.uint8)
    record_loops.gather(records.text, begins, ends, forms, offsets, data)
    column = pa.Array.from_buffers(pa.binary(), len(begins), [None, pa.py_buffer(offsets), pa.py_buffer(data)])
    try:
        return column.cast(pa.string()), np.zeros(len(column), np.bool_)
    except pa.ArrowInvalid:
        bad = np.array([_is_not_utf8(value) for value in column.to_pylist()])
        return pa.array(b"" if wrong else value for value, wrong in zip(column.to_pylist(), bad, strict=True)).cast(
            pa.string()
        ), bad


def _is_not_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return True
    return False


def _refuse(piece: TextPiece, start: int, records: _Records, good: Bad, faulty: Faulty | None) -> None:
    """Says what is wrong with the first bad record.

    Raises:
      UserError: always.
    """
    layout = piece.layout
    structural = np.flatnonzero(~good)
    first_of_good = np.flatnonzero(good)[faulty.row] if faulty else len(good)
    row = min(int(first_of_good), int(structural[0]) if len(structural) else len(good))
    begin = int(records.starts[row])
    if row == first_of_good and faulty:
        fault = faulty.fault
    elif records.faults[row] == record_loops.WIDTH:
        line = bytes(records.text[begin:]).split(b"\n", 1)[0]
        columns = line.count(layout.separator) + 1
        fault = f"{columns} column{'s' * (columns != 1)} where {layout.width} are expected"
    else:
        fault = _FAULTS[int(records.faults[row])]
    line_number = lines_before(piece.part.path, start, layout.encoding) + int((records.text[:begin] == 10).sum()) + 1
    raise UserError(
        f"{piece.part.path} line {line_number}: {fault}; mend it, or skip such rows with dataset.on_bad_row=skip"
    )
