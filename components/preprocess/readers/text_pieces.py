"""Reads delimited text, plain or compressed, in pieces of whole lines that any worker can take."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from components.preprocess.readers import bad_rows, text_loops
from components.preprocess.readers.base import Reading, Source, is_compressed
from components.preprocess.readers.opening import open_bytes
from components.preprocess.readers.text_layout import BYTE_ORDER_MARK, TextLayout, split_line, text_layouts
from components.preprocess.rows import Rows, as_ids
from components.shared.errors import UserError
from components.shared.files.reading import size_of

# Bytes that can stand for a separator of several, such as "::", which Arrow does not know; the last ones are seldom.
_STAND_INS = [bytes([code]) for code in range(0x1F, 0x0D, -1)]
_HEXADECIMAL = re.compile(rb"0[xX]")
# Separators that the compiled parser would take for a part of a number, a quote or the end of a line.
_NO_SEPARATORS = b'-0123456789"\r\n'


@dataclass(frozen=True)
class TextPiece:
    """The lines of a file that begin in a range of its bytes, `start <= position < end`.

    A compressed file is one piece: `start` counts decompressed bytes and `end` is None.

    Attributes:
      path: where the file is.
      start: position of the first byte of the range.
      end: position after the last byte of the range.
      layout: how the rows of the file are written.
      reading: which rows count, and in what portions they are read.
    """

    path: str
    start: int
    end: int | None
    layout: TextLayout
    reading: Reading

    def read(self) -> Iterator[Rows]:
        """Reads the lines, one batch for each block.

        Raises:
          UserError: a row cannot be read, where that is an error, or a compressed file is damaged.
        """
        for start, block in _blocks(self):
            yield _parse(self, start, block)


def plan_text(source: Source, reading: Reading) -> list[TextPiece]:
    """Cuts the files of a source into pieces.

    Raises:
      UserError: all files are empty, or one is not text in UTF-8, is damaged, or lacks a column.
    """
    pieces = []
    for path, layout in text_layouts(source, reading.id_type).items():
        ends: list[int | None] = [None]
        if not is_compressed(path):
            size = size_of(path)
            ends = [*range(layout.first_byte + reading.piece_bytes, size, reading.piece_bytes), size]
        starts = [layout.first_byte, *(end for end in ends[:-1] if end is not None)]
        pieces += [TextPiece(path, start, end, layout, reading) for start, end in zip(starts, ends, strict=True)]
    return pieces


def _blocks(piece: TextPiece) -> Iterator[tuple[int, bytes]]:
    """Blocks of whole lines and the position of each in the (decompressed) file."""
    with open_bytes(piece.path) as file:
        # The line that holds the byte before `start` belongs to the piece before.
        position = max(piece.start - 1, 0)
        file.seek(position)
        position += len(file.readline()) if piece.start else 0
        rest = b""
        while piece.end is None or position < piece.end:
            wanted = piece.reading.block_bytes
            data = file.read(wanted if piece.end is None else min(wanted, piece.end - position - len(rest)))
            last = not data or (piece.end is not None and position + len(rest) + len(data) >= piece.end)
            block = b"".join([rest, data, file.readline() if last and data[-1:] != b"\n" else b""])
            cut = len(block) if last else block.rfind(b"\n") + 1
            if cut:
                yield position, block[:cut]
                position += cut
            rest = block[cut:]
            if not data:
                break


def _parse(piece: TextPiece, start: int, block: bytes) -> Rows:
    layout, reading = piece.layout, piece.reading
    block = block.removeprefix(BYTE_ORDER_MARK) if start == 0 else block
    if (rows := _parse_integers(block, layout)) is not None:
        return rows
    bad = 0
    columns = None if _is_read_otherwise(block, layout) else _try_types(block, layout)
    if columns is None:
        good = list(bad_rows.good_lines(piece.path, start, block, layout, reading.on_bad_row == "skip"))
        bad = bad_rows.count_lines(block) - len(good)
        columns = _try_types(b"\n".join(good) + b"\n", layout)
        if columns is None:
            raise UserError(f"{piece.path}: cannot be read as {layout.width} columns between {layout.separator!r}")
    below = 0
    if layout.rating is not None and reading.min_rating is not None:
        keep = pc.greater_equal(columns[layout.rating], reading.min_rating)
        below = len(keep) - (pc.sum(keep).as_py() or 0)
        columns = {position: column.filter(keep) for position, column in columns.items()} if below else columns
    times = None if layout.timestamp is None else columns[layout.timestamp].to_numpy()
    return Rows(as_ids(columns[layout.user]), as_ids(columns[layout.item]), times, bad, below)


def _parse_integers(block: bytes, layout: TextLayout) -> Rows | None:
    """Reads a block in which all columns that count are integers; None where it is not so."""
    separator = layout.separator
    integers = all(map(pa.types.is_integer, layout.types.values()))
    if not integers or separator.count(separator[:1]) != len(separator) or separator[0] in _NO_SEPARATORS:
        return None
    places = np.full(layout.width, -1, np.int64)
    wanted = [place for place in (layout.user, layout.item, layout.timestamp) if place is not None]
    places[wanted] = np.arange(len(wanted))
    if len(set(wanted)) < len(wanted):
        return None
    text = np.frombuffer(block if block.endswith(b"\n") else block + b"\n", np.uint8)
    most = text_loops.most_lines(len(text), layout.width, len(wanted), len(separator))
    columns = np.empty((len(wanted), most), np.int64)
    rows = text_loops.parse_integers(text, np.uint8(separator[0]), len(separator), places, columns)
    if rows <= 0:
        return None
    columns = columns[:, :rows]
    return Rows(columns[0], columns[1], columns[2] if layout.timestamp is not None else None)


def _is_read_otherwise(block: bytes, layout: TextLayout) -> bool:
    """Whether Arrow could read a block, without a word, otherwise than `bad_rows` reads its lines.

    It takes 0x10 for an integer, a carriage return within a line for its end, and the end of the block for the end of a
    quote.
    """
    if _HEXADECIMAL.search(block) or block.count(b"\r") != block.count(b"\r\n"):
        return True
    try:
        split_line(block.rstrip(b"\r\n").rpartition(b"\n")[2], layout.separator, "surrogateescape")
    except csv.Error:
        return True
    return False


def _try_types(block: bytes, layout: TextLayout) -> dict[int, pa.Array] | None:
    """The columns that count, read as the types expected or, where they do not fit, as wider ones; None for neither."""
    if not block.strip(b"\r\n"):
        return {position: pa.array([], kind) for position, kind in layout.types.items()}
    if (columns := _columns(block, layout)) is not None:
        return columns
    types = {place: pa.int64() if kind == pa.int32() else kind for place, kind in layout.types.items()}
    if types != layout.types and (columns := _columns(block, replace(layout, types=types))) is not None:
        return columns
    if layout.timestamp is not None:
        return _columns(block, replace(layout, types={**types, layout.timestamp: pa.float64()}))
    return None


def _columns(block: bytes, layout: TextLayout) -> dict[int, pa.Array] | None:
    """The columns that count; None where the block is not as the layout says."""
    separator = layout.separator
    quoted = b'"' in block and len(separator) == 1
    if len(separator) > 1:
        stand_in = next((byte for byte in _STAND_INS if byte not in block), None)
        if stand_in is None:
            return None
        block, separator = block.replace(separator, stand_in), stand_in
    try:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(block),
            pyarrow.csv.ReadOptions(
                use_threads=False,
                block_size=len(block) + 1,
                column_names=[str(place) for place in range(layout.width)],
            ),
            pyarrow.csv.ParseOptions(delimiter=separator.decode(), quote_char='"' if quoted else False),
            pyarrow.csv.ConvertOptions(
                include_columns=[str(place) for place in layout.types],
                column_types={str(place): kind for place, kind in layout.types.items()},
                null_values=[],
            ),
        )
    except pa.ArrowInvalid:
        return None
    if quoted and table.num_rows != bad_rows.count_lines(block):
        # A quote that does not end has swallowed the lines after it.
        return None
    columns = {place: table.column(str(place)).combine_chunks() for place in layout.types}
    return columns if all(map(_is_whole, columns.values())) else None


def _is_whole(column: pa.Array) -> bool:
    """Whether nothing is missing: no null, no NaN or infinite number, no empty text."""
    if column.null_count:
        return False
    if pa.types.is_floating(column.type):
        return bool(np.isfinite(column.to_numpy()).all())
    if pa.types.is_string(column.type):
        return not pc.any(pc.equal(pc.binary_length(column), 0)).as_py()
    return True
