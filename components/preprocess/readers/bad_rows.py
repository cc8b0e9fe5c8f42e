"""Finds the rows of a text block that cannot be read: slow, and only used once a fast read has failed."""

import csv
import math
import re
from collections.abc import Iterator

import pyarrow as pa

from components.preprocess.readers.text_layout import TextLayout, is_integer, open_bytes, split_line
from components.shared.errors import UserError

_NUMBER = re.compile(r"[-+.0-9eE]+")


def good_lines(path: str, start: int, block: bytes, layout: TextLayout, skip: bool) -> Iterator[bytes]:
    """The lines of a block that can be read.

    Args:
      path: the file.
      start: position of the block in the (decompressed) file.
      block: whole lines.
      layout: how they should be.
      skip: pass over those that are not so.

    Raises:
      UserError: a line cannot be read, and `skip` is not set. Names the file and the line.
    """
    for number, line in enumerate(block.split(b"\n")):
        line = line.rstrip(b"\r")
        if not line:
            continue
        fault = _fault(line, layout)
        if fault is None:
            yield line
        elif not skip:
            raise UserError(
                f"{path} line {_lines_before(path, start) + number + 1}: {fault}; "
                "mend it, or skip such rows with dataset.on_bad_row=skip"
            )


def count_lines(block: bytes) -> int:
    """How many lines of the block are not empty."""
    return sum(1 for line in block.split(b"\n") if line.rstrip(b"\r"))


def _fault(line: bytes, layout: TextLayout) -> str | None:
    """What is wrong with a line, or None."""
    try:
        # Bytes that are not UTF-8 matter only where they count.
        fields = split_line(line, layout.separator, "surrogateescape")
    except csv.Error as error:
        return f"cannot be read ({error})"
    if len(fields) != layout.width:
        return f"{len(fields)} column{'s' * (len(fields) != 1)} where {layout.width} are expected"
    if any(map(_is_not_utf8, (fields[place] for place in layout.types))):
        return "not UTF-8"
    for what, position in (("user id", layout.user), ("item id", layout.item)):
        if fault := _id_fault(what, fields[position], layout.types[position]):
            return fault
    for what, place in (("timestamp", layout.timestamp), ("rating", layout.rating)):
        if place is not None and not _is_number(fields[place]):
            return f"{what} {fields[place]!r} is not a number" if fields[place] else f"empty {what}"
    return None


def _id_fault(what: str, text: str, kind: pa.DataType) -> str | None:
    if not text:
        return f"empty {what}"
    if pa.types.is_string(kind) or is_integer(text):
        return None
    return f"{what} {text!r} is not an integer as the others are (if it is right, set dataset.id_type=string)"


def _is_not_utf8(text: str) -> bool:
    return any("\udc80" <= character <= "\udcff" for character in text)


def _is_number(text: str) -> bool:
    """Whether Arrow reads it as a number: Python knows other blanks and other digits besides."""
    bare = text.strip(" \t")
    try:
        return _NUMBER.fullmatch(bare) is not None and math.isfinite(float(bare))
    except ValueError:
        return False


def _lines_before(path: str, position: int) -> int:
    lines = 0
    with open_bytes(path) as file:
        while position > 0 and (data := file.read(min(position, 1 << 24))):
            lines += data.count(b"\n")
            position -= len(data)
    return lines
