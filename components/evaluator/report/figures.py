"""How numbers are written in the report: four decimals, a leading zero; "none" for what is not there, or not finite."""

import math
from typing import TypeGuard

NONE = "none"
_MINUS = "−"
_NARROW = "\u202f"  # a space that no line is broken at
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def _is_known(value: float | None) -> TypeGuard[float]:
    return value is not None and math.isfinite(value)


def figure(value: float | None) -> str:
    """A number as it stands in a table: integers with thousands separators, others with four decimals.

    Numbers that four decimals would turn into zero keep two significant digits.
    """
    if not _is_known(value):
        return NONE
    if isinstance(value, int):
        return count(value)
    if value == 0 or abs(value) >= 0.00005:
        return f"{value:.4f}".replace("-", _MINUS)
    digits, power = f"{value:.1e}".split("e")
    return f"{digits} × 10{str(int(power)).translate(_RAISED)}".replace("-", _MINUS)


def signed(value: float | None) -> str:
    """A difference: four decimals, and always its sign, unless it is zero to four decimals."""
    if not _is_known(value):
        return NONE
    return f"{value:+.4f}".replace("-", _MINUS) if round(value, 4) else "0.0000"


def count(value: int | None) -> str:
    """A whole number with thousands separators."""
    return NONE if value is None else f"{value:,}".replace("-", _MINUS)


def compact(value: int) -> str:
    """A whole number for where there is little room: thousands from 10,000 on."""
    return count(value) if abs(value) < 10_000 else f"{count(round(value / 1000))}k"


def share(value: float | None) -> str:
    """A share of one as a percentage with one decimal."""
    return f"{100 * value:.1f}{_NARROW}%" if _is_known(value) else NONE


def percentage(value: float) -> str:
    """A share of one as it is said: 0.95 is "95 %"."""
    return f"{100 * value:.4g}{_NARROW}%"


def bounds(low: float | None, high: float | None) -> str:
    """The two ends of an interval of a number that is not negative; empty where one is missing."""
    return "" if low is None or high is None else f"{figure(low)}–{figure(high)}"


def signed_bounds(low: float | None, high: float | None) -> str:
    """The two ends of the interval of a difference; empty where one is missing."""
    return "" if low is None or high is None else f"{signed(low)} to {signed(high)}"


def plural(number: int, singular: str, many: str | None = None) -> str:
    """A count with its noun: "1 rule", "2 rules"."""
    return f"{count(number)} {singular if number == 1 else many or singular + 's'}"
