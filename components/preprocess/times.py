"""Timestamps in the order that they sort in, and the time from which on a share of the rows is."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Times: TypeAlias = npt.NDArray[np.integer[Any]] | npt.NDArray[np.float64]
"""Timestamps, in whatever unit the data set has."""

_MOST_BINS = 1 << 20


@dataclass(frozen=True)
class TimeCounts:
    """How many rows there are at what time.

    Times are exact as long as there are at most a million different ones. Beyond, neighbours share a bin, in which
    their lowest bits are not told apart; how many bits follows from the times alone, not from the order in which counts
    are added up.

    Attributes:
      bins: sortable times (see `sortable`, of float64) without their lowest bits, int64 [n], ascending.
      rows: how many rows each bin has, int64 [n].
      dropped_bits: how many bits are not there.
    """

    bins: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]
    dropped_bits: int = 0


def sortable(times: Times) -> npt.NDArray[np.int64]:
    """Numbers of 64 bits that sort as the times do: integers as they are, floats by their bits."""
    if times.dtype.kind != "f":
        return times.astype(np.int64, copy=False)
    # The bits of a float sort as integers do, once those of negative numbers are turned over.
    return _turned((times.astype(np.float64) + 0.0).view(np.int64))


def from_sortable(times: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """The floats that `sortable` has made these of."""
    return _turned(times).view(np.float64)


def count_times(times: Times) -> TimeCounts:
    """Counts the rows of a batch."""
    bins, rows = np.unique(sortable(times.astype(np.float64)), return_counts=True)
    return _fitted(bins, rows.astype(np.int64), 0)


def add_time_counts(counts: Iterable[TimeCounts]) -> TimeCounts:
    """Adds up counts; associative and commutative, as Beam asks."""
    parts = list(counts)
    dropped = max((part.dropped_bits for part in parts), default=0)
    nothing = np.empty(0, np.int64)
    bins = np.concatenate([nothing, *(part.bins >> (dropped - part.dropped_bits) for part in parts)])
    order = np.argsort(bins, kind="stable")
    rows = np.concatenate([nothing, *(part.rows for part in parts)])[order]
    return _fitted(*_joined(bins[order], rows), dropped)


def newest(counts: TimeCounts, rows: float, before: float = np.inf) -> float | None:
    """The time from which on there are about so many rows.

    Example:
      Of rows at the times 1, 2, 3, 3 and 4, the newest one is at 4. The newest two begin there, too: from 3 on there
      are three, and the later of two times that are as good is taken.

    Args:
      counts: of all rows.
      rows: how many rows there should be; there is at least one, and one before them.
      before: only rows before this time count.

    Returns:
      The time, or None where all rows that count are of one time.
    """
    times = from_sortable(counts.bins << counts.dropped_bits)
    counted = times < before
    times = times[counted]
    if len(times) < 2:
        return None
    from_there = np.cumsum(counts.rows[counted][::-1])[::-1][1:]
    best = np.flatnonzero(np.abs(from_there - rows) == np.abs(from_there - rows).min())[-1]
    return float(times[1:][best])


def _fitted(bins: npt.NDArray[np.int64], rows: npt.NDArray[np.int64], dropped_bits: int) -> TimeCounts:
    while len(bins) > _MOST_BINS:
        bins, rows = _joined(bins >> 1, rows)
        dropped_bits += 1
    return TimeCounts(bins, rows, dropped_bits)


def _joined(
    bins: npt.NDArray[np.int64], rows: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Makes one of equal bins, which ascend, with the sum of their rows."""
    firsts = np.flatnonzero(np.diff(bins, prepend=bins[:1] - 1))
    return bins[firsts], np.add.reduceat(rows, firsts) if len(firsts) else rows


def _turned(bits: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The bits of floats as integers that sort as they do; and back again."""
    return np.where(bits < 0, bits ^ np.int64(2**63 - 1), bits)
