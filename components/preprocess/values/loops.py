"""Compiled parsers of integers and of ISO 8601 times, over the bytes of many fields."""

# The compiler infers the types.
# mypy: disable-error-code="no-untyped-def,assignment"

import numpy as np

from components.kernels.compiling import compiled, entry_point

_BLANKS = (np.uint8(32), np.uint8(9))
_PLUS, _COMMA, _MINUS, _DOT, _COLON = (np.uint8(ord(sign)) for sign in "+,-.:")
_ZERO = np.uint8(48)
_MOST_SECONDS = np.int64(9_223_372_036)
_LARGEST = np.uint64(2**63 - 1)


@entry_point(hot=True)
def read_integers(data, begins, ends, as_printed, numbers, good):
    """Reads fields as 64-bit integers, with blanks around them or without.

    Args:
      data: uint8, the bytes of all fields.
      begins: int, where each field begins.
      ends: int, where each ends.
      as_printed: whether only integers count that print back as they are written: not `007`, `-0` or `+7`.
      numbers: int64 [n], the result.
      good: bool [n], whether each field is an integer; a fraction of nothing but zeros is none.
    """
    for row in range(len(begins)):
        begin, end = _without_blanks(data, np.int64(begins[row]), np.int64(ends[row]))
        negative = begin < end and data[begin] == _MINUS
        first = begin + negative
        number, fits = np.uint64(0), first < end
        for at in range(first, end):
            digit = np.uint64(np.uint8(data[at] - _ZERO))
            if digit > np.uint64(9) or number > (_LARGEST - digit) // np.uint64(10):
                fits = False
                break
            number = number * np.uint64(10) + digit
        if as_printed and fits and data[first] == _ZERO and (negative or end - first > 1):
            fits = False
        good[row] = fits
        numbers[row] = -np.int64(number) if negative else np.int64(number)


@entry_point(hot=True)
def read_times(data, begins, ends, ticks, times, good):
    """Reads fields as times in ISO 8601, see `iso_time`, with blanks around them or without.

    Args:
      data: uint8, the bytes of all fields.
      begins: int, where each field begins.
      ends: int, where each ends.
      ticks: how many units of the result are a second.
      times: int64 [n], the result, since 1970 in UTC.
      good: bool [n], whether each field is a time.
    """
    for row in range(len(begins)):
        begin, end = _without_blanks(data, np.int64(begins[row]), np.int64(ends[row]))
        time, stop = iso_time(data, begin, end, ticks)
        times[row] = time
        good[row] = stop == end


@compiled(hot=True)
def _without_blanks(data, begin, end):
    """Where a field begins and ends without the blanks around it."""
    while begin < end and (data[begin] == _BLANKS[0] or data[begin] == _BLANKS[1]):
        begin += 1
    while begin < end and (data[end - 1] == _BLANKS[0] or data[end - 1] == _BLANKS[1]):
        end -= 1
    return begin, end


@compiled(hot=True)
def iso_time(data, at, end, ticks):
    """Reads one time: `2001-09-13`, with `T23:43`, `:19` and `.277` if there is more, and `Z`, `+02:00` or ` UTC`.

    A blank may stand for the T, a comma for the dot, and date, time and zone may go without their signs
    (`20010913T234319Z`). Without a zone, it is UTC. A second 60 is the one after it.

    Returns:
      The time, and the position after it: -1 where there is no time, or it is too far from 1970 for the unit.
    """
    century, year, signs = _two(data, at, end), _two(data, at + 2, end), np.int64(0)
    if century < 0 or year < 0:
        return np.int64(0), np.int64(-1)
    at += 4
    if at < end and data[at] == _MINUS:
        signs = np.int64(1)
    month, day = _two(data, at + signs, end), _two(data, at + 2 + 2 * signs, end)
    if signs and not (at + 3 < end and data[at + 3] == _MINUS):
        return np.int64(0), np.int64(-1)
    year += 100 * century
    if month < 1 or month > 12 or day < 1 or day > _days_of(year, month):
        return np.int64(0), np.int64(-1)
    at += 4 + 2 * signs
    seconds, fraction = 86_400 * _days_before(year, month, day), np.int64(0)
    if at + 1 < end and (data[at] == 84 or data[at] == 116 or data[at] == 32) and _two(data, at + 1, end) >= 0:
        hour = _two(data, at + 1, end)
        at += 3
        signs = np.int64(at < end and data[at] == _COLON)
        minute, second = _two(data, at + signs, end), np.int64(0)
        if hour > 23 or minute < 0 or minute > 59:
            return np.int64(0), np.int64(-1)
        at += 2 + signs
        if at + signs < end and (signs == 0 or data[at] == _COLON) and _two(data, at + signs, end) >= 0:
            second = _two(data, at + signs, end)
            if second > 60:
                return np.int64(0), np.int64(-1)
            at += 2 + signs
            if at + 1 < end and (data[at] == _DOT or data[at] == _COMMA) and np.uint8(data[at + 1] - _ZERO) <= 9:
                at += 1
                unit = ticks
                while at < end and np.uint8(data[at] - _ZERO) <= 9:
                    unit //= 10
                    fraction += unit * np.int64(np.uint8(data[at] - _ZERO))
                    at += 1
        east, at = _zone(data, at, end)
        seconds += 3_600 * hour + 60 * minute + second - 60 * east
    if ticks == 1_000_000_000 and abs(seconds) >= _MOST_SECONDS:
        return np.int64(0), np.int64(-1)
    return seconds * ticks + fraction, at


@compiled(hot=True)
def _zone(data, at, end):
    """Minutes east of UTC, and the position after the zone."""
    if at < end and (data[at] == 90 or data[at] == 122):
        return np.int64(0), at + 1
    start = at
    if at < end and data[at] == 32:
        at += 1
    if at + 2 < end and data[at] == 85 and data[at + 1] == 84 and data[at + 2] == 67:
        return np.int64(0), at + 3
    if at < end and (data[at] == _PLUS or data[at] == _MINUS):
        sign = np.int64(-1) if data[at] == _MINUS else np.int64(1)
        hours = _two(data, at + 1, end)
        colon = np.int64(at + 3 < end and data[at + 3] == _COLON)
        minutes = _two(data, at + 3 + colon, end)
        if 0 <= hours < 24 and 0 <= minutes < 60:
            return sign * (60 * hours + minutes), at + 5 + colon
        if 0 <= hours < 24 and not colon:
            return sign * 60 * hours, at + 3
    return np.int64(0), start


@compiled(hot=True)
def _two(data, at, end):
    """The number that two digits write; -1 where they are not there."""
    if at + 1 >= end:
        return np.int64(-1)
    tens, ones = np.uint8(data[at] - _ZERO), np.uint8(data[at + 1] - _ZERO)
    if tens > 9 or ones > 9:
        return np.int64(-1)
    return np.int64(10) * np.int64(tens) + np.int64(ones)


@compiled(hot=True)
def _days_of(year, month):
    if month == 2:
        return np.int64(29) if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else np.int64(28)
    return np.int64(30) if month == 4 or month == 6 or month == 9 or month == 11 else np.int64(31)


@compiled(hot=True)
def _days_before(year, month, day):
    """Days from 1970 to a date of the Gregorian calendar; years begin in March, so that a leap day ends one."""
    years = year - (month <= 2)
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return 365 * years + years // 4 - years // 100 + years // 400 + of_year - 719_468
