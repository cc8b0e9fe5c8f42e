"""How a file of delimited text is laid out: separator, header, columns, and how its times are written."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import pyarrow as pa

from components.preprocess.readers.base import Columns, Reading, Sample, Source, is_compressed
from components.preprocess.readers.blocks import check_head
from components.preprocess.readers.opening import encoding_of, open_bytes
from components.preprocess.readers.other_forms import refuse_carriage_returns
from components.preprocess.readers.text.sniffing import find_separator, has_header, split_records
from components.preprocess.values.ids import whole_numbers
from components.preprocess.values.times import NUMBER, TimeForm, form_of
from components.shared.errors import UserError
from components.shared.files.reading import size_of

BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_SAMPLE_BYTES = 1 << 12
_SAMPLES = 16
_HEAD_BYTES = 1 << 16
_HEAD_LINES = 200


@dataclass(frozen=True)
class TextLayout:
    """How the rows of one file are written.

    Attributes:
      separator: between the columns.
      quoting: whether quotes have a meaning.
      encoding: of the file; None is UTF-8.
      width: the number of columns.
      user: position of the column of user ids; `item`, `timestamp` and `rating` likewise, None for absent ones.
      where: positions of the columns by whose values rows are wanted, and those values.
      times: how times are written, the same in all files.
      first_byte: where the rows begin, after the header; in a compressed file, of the decompressed bytes.
    """

    separator: bytes
    quoting: bool
    encoding: str | None
    width: int
    user: int
    item: int
    timestamp: int | None
    rating: int | None
    where: tuple[tuple[int, tuple[str, ...]], ...]
    times: TimeForm
    first_byte: int


@dataclass(frozen=True)
class _Head:
    """What the beginning of a file tells, and a sample of its rows.

    Attributes:
      path: where the file is.
      encoding: see `TextLayout`.
      separator: between the columns.
      names: the fields of the first record.
      named: whether that is a header.
      first_byte: see `TextLayout`.
      sample: records of the file, the header not among them, all as wide as the first.
    """

    path: str
    encoding: str | None
    separator: str
    names: list[str]
    named: bool
    first_byte: int
    sample: list[list[str]]


def text_layouts(source: Source, reading: Reading, usual: str) -> dict[str, TextLayout]:
    """The layout of each file of a source, empty files left out.

    Args:
      source: the files.
      reading: how they are read.
      usual: the separator that files of this format usually have.

    Raises:
      UserError: all files are empty, a file is damaged or in another encoding, or it lacks a column.
    """
    heads = [head for path in source.paths if (head := _read_head(path, source, usual)) is not None]
    if not heads:
        raise UserError(f"{source.name} is empty: there are no interactions to read")
    places = {head.path: find_places(source, head.path, head.names) for head in heads}
    times = [
        row[place]
        for head in heads
        for row in head.sample
        if (place := places[head.path][0].timestamp) is not None and isinstance(place, int)
    ]
    form = form_of(times, reading.time_format) if times else NUMBER
    return {head.path: _layout(head, source, *places[head.path], form) for head in heads}


def sample_text(source: Source, usual: str) -> Sample:
    """Rows of the first file that is not empty: its first ones and, of a large one, some from all over it.

    Raises:
      UserError: all files are empty, or the first one is damaged or in another encoding.
    """
    head = next((head for path in source.paths if (head := _read_head(path, source, usual)) is not None), None)
    if head is None:
        raise UserError(f"{source.name} is empty: there are no interactions to read")
    taken = {name for name in head.names if not name or head.names.count(name) > 1}
    return Sample(
        {
            name if head.named and name not in taken else place: pa.array(
                [row[place] for row in head.sample], pa.string()
            )
            for place, name in enumerate(head.names)
        },
        head.separator,
        head.named,
    )


def is_integer(text: str) -> bool:
    """Whether a field is a 64-bit integer."""
    return bool(whole_numbers(pa.array([text]))[1][0])


def find_places(
    source: Source, path: str, names: Sequence[str]
) -> tuple[Columns, tuple[tuple[int, tuple[str, ...]], ...]]:
    """Positions of the columns that count in a file, and of those by whose values rows are wanted.

    Raises:
      UserError: the file lacks one of them.
    """
    keys = dict(zip(("user", "item"), source.keys, strict=True))
    columns = {
        what: None if column is None else _place(keys.get(what, f"{what}_column"), column, path, names)
        for what, column in vars(source.columns).items()
    }
    where = tuple((_place("where", wanted.column, path, names), wanted.values) for wanted in source.where)
    return Columns(**columns), where  # type: ignore[arg-type]


def _layout(
    head: _Head, source: Source, columns: Columns, where: tuple[tuple[int, tuple[str, ...]], ...], form: TimeForm
) -> TextLayout:
    separator = head.separator.encode()
    return TextLayout(
        separator=separator,
        quoting=source.quoting == "auto" and len(separator) == 1,
        encoding=head.encoding,
        width=len(head.names),
        where=where,
        times=form,
        first_byte=head.first_byte,
        **vars(columns),
    )


def _place(key: str, column: str | int, path: str, names: Sequence[str]) -> int:
    if isinstance(column, int):
        if 0 <= column < len(names):
            return column
        raise UserError(
            f"dataset.{key}: {path} has {len(names)} columns, so there is none at {column}; positions begin with 0: "
            + _listed(names)
        )
    if (times := list(names).count(column)) > 1:
        raise UserError(
            f"{path} has {times} columns {column!r}; set dataset.{key} to the position of the right one: "
            + _listed(names)
        )
    if times:
        return list(names).index(column)
    hint = " (or null, if there is none)" if key == "timestamp_column" else ""
    raise UserError(f"{path} has no column {column!r}; set dataset.{key}{hint} to one of: {_listed(names)}")


def _listed(names: Sequence[str]) -> str:
    """The columns with their positions, as far as they fit into a message."""
    most = 20
    listed = ", ".join(f"{name} ({place})" for place, name in enumerate(names[:most]))
    return listed + (f", ... ({len(names)} in all)" if len(names) > most else "")


def _read_head(path: str, source: Source, usual: str) -> _Head | None:
    encoding = encoding_of(path, source.encoding)
    with open_bytes(path, encoding) as file:
        head = file.read(_HEAD_BYTES)
        while b"\n" not in head[:-1] and (more := file.read(_HEAD_BYTES)):
            refuse_carriage_returns(path, head)
            head += more
            check_head(path, head)
        if not head.removeprefix(BYTE_ORDER_MARK).strip():
            return None
        refuse_carriage_returns(path, head)
        whole = len(head) < _HEAD_BYTES
        samples = [] if is_compressed(path) or encoding else list(_samples(file, size_of(path)))
    marked = len(BYTE_ORDER_MARK) if head.startswith(BYTE_ORDER_MARK) else 0
    lines = _lines(head[marked:], path, whole)
    separator = source.separator or find_separator(lines, usual, source.quoting, _wanted(source))
    records = split_records(lines, separator, source.quoting)
    names = [name.strip() for name in records[0]]
    named = has_header(records) if source.header is None else source.header
    first_byte = marked + (_bytes_of_first(head[marked:], lines, separator, source) if named else 0)
    further = [record for sample in samples for record in split_records(sample, separator, source.quoting)]
    sample = [record for record in [*records[named:], *further] if len(record) == len(names)]
    return _Head(path, encoding, separator, names, named, first_byte, sample)


def _wanted(source: Source) -> list[str | int]:
    columns = [*vars(source.columns).values(), *(wanted.column for wanted in source.where)]
    return [column for column in columns if column is not None]


def _lines(head: bytes, path: str, whole: bool) -> list[str]:
    """The first lines of a file; the last one only where it is whole."""
    lines = head.split(b"\n")
    lines = lines if whole or len(lines) == 1 else lines[:-1]
    try:
        first = lines[0].decode()
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path} line 1: not UTF-8; say which encoding it is with dataset.encoding, such as latin-1"
        ) from error
    return [first, *(line.decode(errors="replace") for line in lines[1:_HEAD_LINES])]


def _bytes_of_first(head: bytes, lines: Sequence[str], separator: str, source: Source) -> int:
    """The bytes of the first record, which may have line breaks in its quotes, and of what is empty before it."""
    taken = next(n for n in range(1, len(lines) + 1) if split_records(lines[:n], separator, source.quoting))
    records = split_records(lines, separator, source.quoting)
    while split_records(lines[:taken], separator, source.quoting)[0] != records[0]:
        taken += 1
    return sum(len(line) + 1 for line in head.split(b"\n")[:taken])


def _samples(file: BinaryIO, size: int) -> Iterator[list[str]]:
    if size > _HEAD_BYTES:
        for number in range(1, _SAMPLES + 1):
            file.seek(max(size * number // _SAMPLES - _SAMPLE_BYTES, _HEAD_BYTES))
            yield [line.decode(errors="replace") for line in file.read(_SAMPLE_BYTES).split(b"\n")[1:-1]]
