"""Times as people read them."""

from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias, get_args

Unit: TypeAlias = Literal["s", "ms", "us", "ns"]
UNITS: tuple[Unit, ...] = get_args(Unit)
NAMES: dict[Unit, str] = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
TICKS: dict[Unit, int] = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
"""How many of a unit are a second."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def shown(time: float, unit: Unit | None) -> str:
    """A time as people read it: a date, or the number where its unit is not known.

    Example:
      `shown(1_000_424_599, "s")` is "2001-09-13 23:43:19".
    """
    if unit is None:
        return f"{time:.15g}"
    try:
        moment = _EPOCH + timedelta(microseconds=time * 10**6 // TICKS[unit])
    except OverflowError:
        return f"{time:.15g} {unit}"
    return moment.replace(tzinfo=None).isoformat(" ")
