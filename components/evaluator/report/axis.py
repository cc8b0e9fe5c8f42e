"""Round numbers along an axis."""

import math
from dataclasses import dataclass

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Axis:
    """A scale from numbers to coordinates.

    Attributes:
      low: its smallest number.
      high: its largest number.
      ticks: the round numbers to write beside it.
      decimals: how many of them the ticks need.
      start: coordinate of `low`.
      end: coordinate of `high`.
    """

    low: float
    high: float
    ticks: tuple[float, ...]
    decimals: int
    start: float
    end: float

    def at(self, value: float) -> float:
        """The coordinate of a number."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def label(self, tick: float) -> str:
        """A tick's text."""
        return f"{tick:.{self.decimals}f}".replace("-", "−")


def round_axis(values: list[float], start: float, end: float, from_zero: bool = False, ticks: int = 4) -> Axis:
    """An axis that holds all values and begins and ends with a round number.

    Args:
      values: finite numbers.
      start: coordinate of the smallest number.
      end: coordinate of the largest number.
      from_zero: whether zero has to be on it.
      ticks: about how many steps to cut it into.
    """
    values = [*values, *([0.0] if from_zero or not values else [])]
    low, high = min(values), max(values)
    if high - low <= 1e-9 * max(1.0, abs(high)):
        high = low + (abs(low) if abs(low) > 1e-6 else 1.0)
    step = _round_step((high - low) / ticks)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    decimals = next(places for places in range(16) if math.isclose(round(step, places), step, rel_tol=1e-9))
    marks = tuple(round(number * step, 12) for number in range(first, last + 1))
    return Axis(marks[0], marks[-1], marks, decimals, start, end)


def _round_step(least: float) -> float:
    power = 10.0 ** math.floor(math.log10(least))
    return power * next(step for step in _STEPS if step * power >= least * (1 - 1e-9))


def spread(wanted: list[float], gap: float, low: float, high: float) -> list[float]:
    """Moves coordinates apart, as little as may be, so that labels at them do not overlap.

    Args:
      wanted: coordinates, in any order.
      gap: least distance between two.
      low: least coordinate allowed.
      high: greatest coordinate allowed; passed where there are too many labels.

    Returns:
      The coordinates in the order of `wanted`.
    """
    order = sorted(range(len(wanted)), key=lambda position: wanted[position])
    placed: list[float] = []
    for position in order:
        placed.append(max(wanted[position], placed[-1] + gap if placed else low))
    limit = max(high, low + gap * (len(placed) - 1))
    for position in reversed(range(len(placed))):
        placed[position] = min(placed[position], limit)
        limit = placed[position] - gap
    found = [0.0] * len(wanted)
    for position, coordinate in zip(order, placed, strict=True):
        found[position] = coordinate
    return found
