"""A compiled parser of integers and ISO times: several times faster than a general one, and it gives up on all else."""

# The compiler infers the types.
# mypy: disable-error-code="no-untyped-def"

import numpy as np

from components.kernels.compiling import entry_point
from components.preprocess.values.loops import iso_time

NUMBER, ID, TIME = 0, 1, 2
"""What a column holds: an integer; one that prints back as it is written; a time in ISO 8601."""

_NEWLINE = np.uint8(10)
_RETURN = np.uint8(13)
_QUOTE = np.uint8(34)
_MINUS = np.uint8(45)
_ZERO = np.uint8(48)
_MOST_DIGITS = np.uint64(18)


def most_lines(size: int, width: int, wanted: int, repeats: int) -> int:
    r"""How many lines `parse_integers` may write to for a text, whatever its bytes.

    A line that is read whole takes the separators between its columns, a digit in each column that counts (the other
    columns may be empty) and its newline, and shares no byte with another line: so there are at most as many of them
    as such shortest lines fit into the text. One more may be begun, and is given up before its end.

    Example:
      `3,,\n-7,,\n4` holds at most 9 // (2 + 1 + 1) = 2 whole lines of three columns of which one counts, so
      `most_lines(9, width=3, wanted=1, repeats=1)` is 3, and the 4 has a place to be written to.

    Args:
      size: bytes of the text.
      width: columns of each line.
      wanted: how many of them count.
      repeats: bytes between two columns.
    """
    shortest = (width - 1) * repeats + wanted + 1
    return size // shortest + 1


@entry_point
def parse_integers(text, separator, repeats, places, kinds, ticks, columns):
    """Reads some columns of delimited text as integers.

    Args:
      text: uint8 [n], whole lines, the last one ended: nothing but the end of a line passes a newline, and then looks
        whether there is more, so that the last one stops every inner loop.
      separator: uint8, the byte between columns; no digit, minus or end of a line.
      repeats: how many of that byte stand between columns.
      places: int64 [width], for each column of the text the row of `columns` that takes it, or -1.
      kinds: uint8 [width], what each of those columns holds.
      ticks: how many units of a time are a second.
      columns: int64 [wanted, `most_lines`], the result.

    Returns:
      How many lines were read; -1 where anything is not as it should be: a field that is not what its column holds, an
      integer of more than 18 digits, another number of columns, a quote, a carriage return within a line.
    """
    width = len(places)
    row = 0
    # Numba checks signed indexes for being negative.
    at = np.uint64(0)
    one = np.uint64(1)
    end = np.uint64(len(text))
    while at < end:
        if text[at] == _NEWLINE:
            at += one
            continue
        if text[at] == _RETURN:
            if text[at + one] != _NEWLINE:
                return -1
            at += one
            continue
        for column in range(width):
            if column > 0:
                for _ in range(repeats):
                    if text[at] != separator:
                        return -1
                    at += one
            place = places[column]
            if place < 0:
                byte = text[at]
                # One comparison tells most bytes from all that end a field or are not allowed there.
                while byte != separator and (byte > _QUOTE or (byte != _NEWLINE and byte != _RETURN)):
                    if byte == _QUOTE:
                        return -1
                    at += one
                    byte = text[at]
                continue
            if kinds[column] == TIME:
                time, after = iso_time(text, np.int64(at), np.int64(end), ticks)
                if after < 0:
                    return -1
                columns[place, row] = time
                at = np.uint64(after)
                continue
            negative = text[at] == _MINUS
            if negative:
                at += one
            begin = at
            number = np.uint64(0)
            digit = np.uint8(text[at] - _ZERO)
            while digit <= 9:
                number = number * np.uint64(10) + np.uint64(digit)
                at += one
                digit = np.uint8(text[at] - _ZERO)
            if at == begin or at - begin > _MOST_DIGITS:
                return -1
            if kinds[column] == ID and text[begin] == _ZERO and (negative or at - begin > one):
                return -1
            columns[place, row] = -np.int64(number) if negative else np.int64(number)
        if text[at] == _RETURN:
            at += one
        if text[at] != _NEWLINE:
            return -1
        at += one
        row += 1
    return row
