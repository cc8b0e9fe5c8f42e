"""A compiled loop that finds values in lines of JSON, where these are as plain as they mostly are.

It gives up on whatever a reader of JSON has to decide: what is malformed, a value of another type than its column, a
name twice or not at all, escapes in a name or a value that counts. All that it takes is JSON.
"""

# The compiler infers the types.
# mypy: disable-error-code="no-untyped-def"
# ruff: noqa: SIM110 (Numba knows no `any` of a generator.)

import numpy as np

from components.kernels.compiling import compiled, entry_point

_NEWLINE, _RETURN, _TAB, _BLANK, _QUOTE, _BACKSLASH, _COMMA, _COLON, _MINUS, _PLUS, _DOT = (
    np.uint8(ord(sign)) for sign in '\n\r\t "\\,:-+.'
)
_OBJECT, _END_OF_OBJECT, _LIST, _END_OF_LIST, _U = (np.uint8(ord(sign)) for sign in "{}[]u")
_ZERO, _ONE, _E = np.uint8(ord("0")), np.uint8(ord("1")), np.uint8(ord("e"))
_LOWER = np.uint8(32)
_ESCAPED = np.frombuffer(b'"\\/bfnrt', np.uint8)
_WORDS = np.frombuffer(b"true\nfalse\nnull\n", np.uint8)
_DEEPEST = 60
# So many digits do not pass 64 bits without a sign; with one, the number shows whether they do.
_MOST_DIGITS = 19
_LARGEST = np.uint64(2**63 - 1)
_NONE = np.int64(-1)


@entry_point(hot=True)
def find_values(text, names, ends, are_texts, lasts, values):
    """Finds the values of some names in each line.

    Nothing that is read goes on behind the end of its line, so the last newline is the last byte that is looked at.

    Args:
      text: uint8 [n], whole lines in UTF-8, with a newline at the end.
      names: uint8, the names one after the other.
      ends: int64 [names], where each of them ends.
      are_texts: bool [names], whether its values are texts; else they are whole numbers.
      lasts: int64 [names], all -1; room to note the last line that had each of the names.
      values: int64 [2, names, most], the result: of whole numbers the first is the number, of texts the two are where
        they begin and end without their quotes; `most` is one more than there can be lines with all of the names.

    Returns:
      How many lines have an object, those with nothing on them left out; -1 where it gives up.
    """
    at, row = np.int64(0), 0
    while at < len(text):
        at = _behind_blanks(text, at)
        if text[at] != _NEWLINE:
            at = _line(text, at, names, ends, are_texts, lasts, values, row)
            if at < 0:
                return -1
            row += 1
        at += 1
    return row


@compiled(hot=True)
def _line(text, at, names, ends, are_texts, lasts, values, row):
    """The end of the line of an object; `lasts` has the last row with a value of each name."""
    if text[at] != _OBJECT:
        return _NONE
    found, sign = 0, _COMMA
    while sign == _COMMA:
        begin = _behind_blanks(text, at + 1)
        end = _end_of_plain_text(text, begin)
        at = _value(text, begin, end)
        if at < 0:
            return _NONE
        place = _place(text, begin + 1, end, names, ends)
        if place < 0:
            at = _end_of_value(text, at)
        elif lasts[place] == row:
            return _NONE
        else:
            lasts[place] = row
            found += 1
            if are_texts[place]:
                values[0, place, row] = at + 1
                at = _end_of_plain_text(text, at)
                values[1, place, row] = at
                at = at + 1 if at >= 0 else _NONE
            else:
                at, values[0, place, row] = _whole_number(text, at)
        if at < 0:
            return _NONE
        at = _behind_blanks(text, at)
        sign = text[at]
    if sign != _END_OF_OBJECT:  # perhaps the last newline
        return _NONE
    at = _behind_blanks(text, at + 1)
    return at if text[at] == _NEWLINE and found == len(ends) else _NONE


@compiled(hot=True)
def _place(text, begin, end, names, ends):
    """Which of the names stands there; -1 for none of them."""
    first = np.int64(0)
    for place in range(len(ends)):
        size = ends[place] - first
        if size == end - begin:
            same = 0
            while same < size and text[begin + same] == names[first + same]:
                same += 1
            if same == size:
                return place
        first = ends[place]
    return -1


@compiled(hot=True)
def _behind_blanks(text, at):
    while text[at] == _BLANK or text[at] == _TAB or text[at] == _RETURN:
        at += 1
    return at


@compiled(hot=True)
def _value(text, begin, end):
    """Where the value of a name begins, whose quotes are at `begin` and `end`."""
    if end < 0 or text[begin] != _QUOTE:
        return _NONE
    at = _behind_blanks(text, end + 1)
    return _behind_blanks(text, at + 1) if text[at] == _COLON else _NONE


@compiled(hot=True)
def _end_of_plain_text(text, at):
    """The closing quote of a text without escapes."""
    if text[at] != _QUOTE:
        return _NONE
    at += 1
    while text[at] != _QUOTE:
        if text[at] < _BLANK or text[at] == _BACKSLASH:
            return _NONE
        at += 1
    return at


@compiled(hot=True)
def _end_of_text(text, at):
    """The closing quote of any text."""
    at += 1
    while text[at] != _QUOTE:
        if text[at] < _BLANK:
            return _NONE
        if text[at] == _BACKSLASH:
            at += 1
            if text[at] == _U:
                for _ in range(4):
                    at += 1
                    if not _is_digit(text[at]) and np.uint8((text[at] | _LOWER) - np.uint8(97)) > np.uint8(5):
                        return _NONE
            elif not _may_be_escaped(text[at]):
                return _NONE
        at += 1
    return at


@compiled(hot=True)
def _may_be_escaped(byte):
    for sign in _ESCAPED:
        if byte == sign:
            return True
    return False


@compiled(hot=True)
def _is_digit(byte):
    return np.uint8(byte - _ZERO) <= np.uint8(9)


@compiled(hot=True)
def _behind_digits(text, at):
    """The position behind one or more digits."""
    if not _is_digit(text[at]):
        return _NONE
    while _is_digit(text[at]):
        at += 1
    return at


@compiled(hot=True)
def _whole_number(text, at):
    """The position behind a whole number, and the number; -1 for the position where 64 bits do not hold it."""
    negative = text[at] == _MINUS
    end = _end_of_whole_number(text, at)
    if end < 0 or end - at > _MOST_DIGITS + negative:
        return _NONE, np.int64(0)
    number = np.uint64(0)
    for digit in text[at + negative : end]:
        number = number * np.uint64(10) + np.uint64(digit - _ZERO)
    if number > _LARGEST + np.uint64(negative):
        return _NONE, np.int64(0)
    return end, -np.int64(number) if negative else np.int64(number)


@compiled(hot=True)
def _end_of_whole_number(text, at):
    if text[at] == _MINUS:
        at += 1
    return at + 1 if text[at] == _ZERO else _behind_digits(text, at)


@compiled(hot=True)
def _end_of_number(text, at):
    at = _end_of_whole_number(text, at)
    if at >= 0 and text[at] == _DOT:
        at = _behind_digits(text, at + 1)
    if at >= 0 and text[at] | _LOWER == _E:
        at += 1
        if text[at] == _PLUS or text[at] == _MINUS:
            at += 1
        at = _behind_digits(text, at)
    return at


@compiled(hot=True)
def _end_of_word(text, at):
    """The position behind true, false or null."""
    begin = 0
    for end in range(len(_WORDS)):
        if _WORDS[end] == _NEWLINE:
            same = 0
            while begin + same < end and text[at + same] == _WORDS[begin + same]:
                same += 1
            if begin + same == end:
                return at + same
            begin = end + 1
    return _NONE


@compiled(hot=True)
def _end_of_single_value(text, at):
    if text[at] == _QUOTE:
        end = _end_of_text(text, at)
        return end + 1 if end >= 0 else _NONE
    if text[at] == _MINUS or _is_digit(text[at]):
        return _end_of_number(text, at)
    return _end_of_word(text, at)


@compiled(hot=True)
def _end_of_value(text, at):
    """The position behind any value; what is open is kept as bits, 1 for an object."""
    opened, depth = np.uint64(0), 0
    while True:
        if text[at] == _OBJECT or text[at] == _LIST:
            is_object = text[at] == _OBJECT
            opened, depth = opened << np.uint64(1) | np.uint64(is_object), depth + 1
            at = _behind_blanks(text, at + 1)
            if depth > _DEEPEST:
                return _NONE
            if text[at] != (_END_OF_OBJECT if is_object else _END_OF_LIST):
                if is_object:
                    at = _value(text, at, _end_of_text(text, at) if text[at] == _QUOTE else _NONE)
                    if at < 0:
                        return _NONE
                continue
        else:
            at = _end_of_single_value(text, at)
            if at < 0:
                return _NONE
        at, opened, depth = _behind_ends(text, at, opened, depth)
        if at < 0 or depth == 0:
            return at
        # Behind a comma.
        if opened & np.uint64(1):
            at = _value(text, at, _end_of_text(text, at) if text[at] == _QUOTE else _NONE)
            if at < 0:
                return _NONE


@compiled(hot=True)
def _behind_ends(text, at, opened, depth):
    """The position behind the ends of lists and objects, and the comma after them where one is still open."""
    while depth > 0:
        at = _behind_blanks(text, at)
        if text[at] == _COMMA:
            return _behind_blanks(text, at + 1), opened, depth
        if text[at] != (_END_OF_OBJECT if opened & np.uint64(1) else _END_OF_LIST):
            return _NONE, opened, depth
        at += 1
        opened, depth = opened >> np.uint64(1), depth - 1
    return at, opened, depth
