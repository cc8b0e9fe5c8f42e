"""Reads a range of a file's bytes in blocks of whole lines, or of whole records that may have several lines."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, TypeAlias

from components.preprocess.readers.base import is_compressed
from components.preprocess.readers.opening import open_bytes
from components.shared.errors import UserError
from components.shared.files.reading import size_of

MOST_BYTES = 1 << 17
"""Most bytes of a record that has line breaks, as in Python's csv module."""
MOST_LINE_BYTES = 1 << 22
"""Most bytes of a line, which has to fit into memory several times."""

Cut: TypeAlias = Callable[[bytes, int, bool], int]
"""Given whole lines, where to end, and whether nothing follows: the position after the last whole record."""


@dataclass(frozen=True)
class Range:
    """The lines of a file that begin in a range of its bytes, `start <= position < end`.

    A file that cannot be read from within, as it is compressed or in another encoding, is one range: `start` counts
    the bytes as they are read, and `end` is None.

    Attributes:
      path: where the file is.
      start: position of the first byte of the range.
      end: position after the last byte of the range.
      first_byte: where the first line of the file begins that counts.
      encoding: of the file; None is UTF-8.
    """

    path: str
    start: int
    end: int | None
    first_byte: int
    encoding: str | None


def cut_file(path: str, first_byte: int, encoding: str | None, piece_bytes: int) -> list[Range]:
    """Cuts a file into ranges of so many bytes."""
    ends: list[int | None] = [None]
    if not is_compressed(path) and encoding is None:
        size = size_of(path)
        ends = [*range(first_byte + piece_bytes, size, piece_bytes), size]
    starts = [first_byte, *(end for end in ends[:-1] if end is not None)]
    return [Range(path, start, end, first_byte, encoding) for start, end in zip(starts, ends, strict=True)]


def read_blocks(part: Range, block_bytes: int, cut: Cut | None = None) -> Iterator[tuple[int, bytes]]:
    """Blocks of whole records and the position of each in the file.

    Whether a range begins within a record is told by the bytes before it, as many as a record may have.

    Args:
      part: what to read.
      block_bytes: how much to read at once.
      cut: where to end a block that has quotes; None where every line is a record.

    Raises:
      UserError: a line is longer than any that is read.
    """
    with open_bytes(part.path, part.encoding) as file:
        position = _seek_first(file, part, cut)
        rest, ended = b"", False
        while not ended and (part.end is None or position < part.end):
            unread = block_bytes if part.end is None else part.end - position - len(rest)
            data = file.read(min(block_bytes, unread))
            # A block that ends where a line does need not be copied to be cut.
            block = b"".join([rest, data, b"" if data.endswith(b"\n") else _rest_of_line(file)])
            ended = not data or (part.end is not None and position + len(block) >= part.end)
            used = len(block) if ended else block.rfind(b"\n") + 1
            if cut is not None and b'"' in block:
                stop = used if part.end is None else min(used, part.end - position)
                if ended and (used := cut(block, stop, False)) < stop:
                    block += file.read(MOST_BYTES) + _rest_of_line(file)
                    used = cut(block, stop, True)
                elif not ended:
                    used = cut(block[:used], stop, False)
            last_line = block.rfind(b"\n") + 1
            if len(block) - last_line > MOST_LINE_BYTES:
                raise _too_long(part.path, position + last_line, part.encoding)
            if used:
                yield position, block[:used]
            position += used
            rest = block[used:]


def check_head(path: str, head: bytes) -> None:
    """Sees whether the last line at the beginning of a file is not longer than any that is read.

    Raises:
      UserError: it is.
    """
    last_line = head.rfind(b"\n") + 1
    if len(head) - last_line > MOST_LINE_BYTES:
        raise _long_line(path, head.count(b"\n") + 1)


def _seek_first(file: BinaryIO, part: Range, cut: Cut | None) -> int:
    """Goes to the first record that begins in the range, and returns its position."""
    if part.start == part.first_byte:
        _skip(file, part.start)
        return part.start
    window = max(part.first_byte, part.start - 1 - MOST_BYTES) if cut else part.start - 1
    file.seek(window)
    before = file.read(part.start - 1 - window)
    # The line that holds the byte before `start` belongs to the range before.
    line = _rest_of_line(file)
    if len(line) > MOST_LINE_BYTES:
        raise _too_long(part.path, part.start - 1, part.encoding)
    if cut is None or b'"' not in before + line:
        return part.start - 1 + len(line)
    text = before + line
    begin = 0 if window == part.first_byte else text.find(b"\n") + 1
    stop = part.start - window
    end = cut(text[begin:], stop - begin, False)
    if begin + end < stop:
        end = cut(text[begin:] + file.read(MOST_BYTES) + _rest_of_line(file), stop - begin, True)
    file.seek(window + begin + end)
    return window + begin + end


def _rest_of_line(file: BinaryIO) -> bytes:
    """The rest of a line, or so much of it that it is too long."""
    return file.readline(MOST_LINE_BYTES + 1)


def _too_long(path: str, position: int, encoding: str | None) -> UserError:
    return _long_line(path, lines_before(path, position, encoding) + 1)


def _long_line(path: str, line: int) -> UserError:
    return UserError(
        f"{path} line {line}: more than {MOST_LINE_BYTES >> 20} MiB without an end of line, as no row has; mend it, or "
        "set dataset.format if the file is something else"
    )


def _skip(file: BinaryIO, size: int) -> None:
    while size > 0 and (data := file.read(size)):
        size -= len(data)


def lines_before(path: str, position: int, encoding: str | None = None) -> int:
    """How many lines end before a position of a file, as it is read."""
    lines = 0
    with open_bytes(path, encoding) as file:
        while position > 0 and (data := file.read(min(position, 1 << 24))):
            lines += data.count(b"\n")
            position -= len(data)
    return lines
