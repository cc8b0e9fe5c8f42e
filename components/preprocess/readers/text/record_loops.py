"""Compiled loops that find the records of delimited text and the fields in them: the one judge of what a row is.

A record is a line, or several where a quoted field has line breaks. A field is quoted where it begins with a quote and
the next single one ends it; two quotes within stand for one. A field that begins with a quote and goes on behind the
next one, such as `"odd" zap`, is taken as it is, if it has an even number of quotes. What is otherwise wrong with
quotes, or with the number of columns, is wrong with one line, and the next line is looked at by itself: a quote that
does not end takes no other row along.
"""

# The compiler infers the types.
# mypy: disable-error-code="no-untyped-def"
# ruff: noqa: SIM110 (Numba knows no `all` of a generator.)

import numpy as np

from components.kernels.compiling import compiled, entry_point

GOOD, OPEN, WIDTH, QUOTE, RETURN = 0, 1, 2, 3, 4
"""What may be wrong with a record: it goes on behind the text; its number of columns; a quote; a carriage return."""

PLAIN, QUOTED, DOUBLED = 0, 1, 2
"""How a field is written; where it is `DOUBLED`, it has quotes within its quotes."""

_NEWLINE = np.uint8(10)
_RETURN = np.uint8(13)
_QUOTE = np.uint8(34)


@entry_point(hot=True)
def find_records(text, stop, final, separator, quoting, limit, fields, places, starts, faults, spans, forms):
    """Finds the records that begin before a position.

    Args:
      text: uint8 [n], from the beginning of a record, and with a newline at its end.
      stop: where to end.
      final: whether a record that goes on behind the text ends there, and so has a fault.
      separator: uint8, one or more bytes between the columns.
      quoting: whether quotes have a meaning.
      limit: most bytes of a record that has line breaks.
      fields: int64 [3, columns of each record], room for one of them.
      places: int64 [width], for each column the row of `spans` that takes it, or -1.
      starts: int64 [most], where each record begins; a text has at most as many records as lines.
      faults: uint8 [most], what is wrong with each.
      spans: int64 [2, columns that count, most], where the fields of the good ones begin and end.
      forms: uint8 [columns that count, most], how they are written.

    Returns:
      How many records there are, and the position after the last one.
    """
    width, at, rows = fields.shape[1], np.int64(0), 0
    while at < stop:
        after = _blank_line(text, at)
        if after > at:
            at = after
            continue
        after, fault = _record(text, at, separator, quoting, limit, fields)
        if fault == OPEN:
            if not final:
                break
            fault = QUOTE
        if fault != GOOD:
            after = _line_end(text, at)
        starts[rows] = at
        faults[rows] = fault
        if fault == GOOD:
            for column in range(width):
                place = places[column]
                if place >= 0:
                    spans[0, place, rows] = fields[0, column]
                    spans[1, place, rows] = fields[1, column]
                    forms[place, rows] = fields[2, column]
        at = after
        rows += 1
    return rows, at


@entry_point(hot=True)
def end_of_records(text, stop, final, separator, quoting, limit, fields):
    """Returns the position after the last record that begins before `stop`; see `find_records`."""
    at = np.int64(0)
    while at < stop:
        after = _blank_line(text, at)
        if after == at:
            after, fault = _record(text, at, separator, quoting, limit, fields)
            if fault == OPEN and not final:
                break
            if fault != GOOD:
                after = _line_end(text, at)
        at = after
    return at


@entry_point(hot=True)
def gather(text, begins, ends, forms, offsets, data):
    """Copies fields one after the other, without the quotes that stand for another.

    Args:
      text: uint8.
      begins: int64 [n], where each field begins.
      ends: int64 [n], where each ends.
      forms: uint8 [n], how each is written.
      offsets: int32 [n + 1], the result: where each begins in `data`, and the end of the last one.
      data: uint8, the result.
    """
    to = 0
    for row in range(len(begins)):
        offsets[row] = to
        at = begins[row]
        while at < ends[row]:
            data[to] = text[at]
            to += 1
            at += 2 if forms[row] == DOUBLED and text[at] == _QUOTE else 1
    offsets[len(begins)] = to


@compiled(hot=True)
def _record(text, start, separator, quoting, limit, fields):
    """The position after a record, and what is wrong with it."""
    width, at, column = fields.shape[1], start, 0
    while True:
        begin, end, form = at, at, PLAIN
        if quoting and text[at] == _QUOTE:
            close, form = _closing_quote(text, at, start + limit)
            if close < 0:
                return at, (OPEN if form == OPEN else QUOTE)
            if _ends_field(text, close + 1, separator):
                begin, end = at + 1, close
                at = close + 1
            else:
                end = _field_end(text, at, separator)
                if _quotes(text, at, end) % 2 == 1:
                    return at, QUOTE
                form, at = PLAIN, end
        else:
            at = _field_end(text, at, separator)
            end = at
        if column < width:
            fields[0, column], fields[1, column], fields[2, column] = begin, end, form
        column += 1
        if text[at] == _RETURN:
            while text[at] == _RETURN:
                at += 1
            if text[at] != _NEWLINE:
                return at, RETURN
        if text[at] == _NEWLINE:
            return at + 1, GOOD if column == width else WIDTH
        at += len(separator)


@compiled(hot=True)
def _closing_quote(text, at, limit):
    """Where the quoted field ends, and how it is written; -1 where it does not, and whether it may behind the text."""
    form = QUOTED
    at += 1
    while at < len(text) and at < limit:
        if text[at] == _QUOTE:
            if at + 1 < len(text) and text[at + 1] == _QUOTE:
                form = DOUBLED
                at += 1
            else:
                return at, form
        at += 1
    return np.int64(-1), (OPEN if at < limit else QUOTE)


@compiled(hot=True)
def _ends_field(text, at, separator):
    return at >= len(text) or text[at] == _NEWLINE or text[at] == _RETURN or _is_separator(text, at, separator)


@compiled(hot=True)
def _field_end(text, at, separator):
    first = separator[0]
    byte = text[at]
    while byte != _NEWLINE and byte != _RETURN and not (byte == first and _is_separator(text, at, separator)):
        at += 1
        byte = text[at]
    return at


@compiled(hot=True)
def _is_separator(text, at, separator):
    if at + len(separator) > len(text):
        return False
    for number in range(len(separator)):
        if text[at + number] != separator[number]:
            return False
    return True


@compiled(hot=True)
def _quotes(text, begin, end):
    quotes = 0
    for at in range(begin, end):
        quotes += text[at] == _QUOTE
    return quotes


@compiled(hot=True)
def _blank_line(text, start):
    """The position after a line that holds nothing; where it starts, if it holds anything."""
    at = start
    while at < len(text) and text[at] == _RETURN:
        at += 1
    return at + 1 if at < len(text) and text[at] == _NEWLINE else start


@compiled(hot=True)
def _line_end(text, at):
    while text[at] != _NEWLINE:
        at += 1
    return at + 1
