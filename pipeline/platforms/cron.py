"""The times of a schedule: minute, hour, day of the month, month, day of the week."""

import re

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
# The least and the greatest value of each field, and names for them from the least on.
_FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 7, _DAYS),
)
_PART = re.compile(r"(?:[*?]|(\w+)(?:-(\w+))?)(?:/([1-9]\d*))?")


def time_zone(times: str) -> str | None:
    """The time zone that stands before the fields; None where there is none."""
    found = re.match(r"(?:CRON_)?TZ=(\S+) ", times)
    return found and found[1]


def fault(times: str) -> str | None:
    """What is wrong with such a text; None: nothing.

    Example:
      fault("61 3 * * *") is "minute 61 is none of 0 to 59"
    """
    fields = re.sub(r"^(CRON_)?TZ=\S+ ", "", times).split(" ")
    if len(fields) != len(_FIELDS):
        return "write minute, hour, day of the month, month and day of the week"
    for text, (name, least, greatest, names) in zip(fields, _FIELDS, strict=True):
        for part in text.split(","):
            found = _PART.fullmatch(part)
            if not found:
                return f"{name} {part!r} is no time"
            values = [_value(end, least, names) for end in found.groups()[:2] if end]
            if not all(value is not None and least <= value <= greatest for value in values):
                return f"{name} {part} is none of {least} to {greatest}"
    return None


def _value(text: str, least: int, names: tuple[str, ...]) -> int | None:
    if text.upper() in names:
        return names.index(text.upper()) + least
    return int(text) if text.isdecimal() else None
