"""How rows are spread over users, over items and over time; see `DataStatistics`."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from components.artifacts.data_statistics import QUANTILES, TOP, Calendar, Gap, Largest, Spread
from components.preprocess import loops
from components.preprocess.values.ids import Ids

MOMENTS = 1000
"""Into how many moments the period is cut to find gaps."""

_PARTS = 50
_DIGITS = 6


def spread(ids: Ids, counts: npt.NDArray[np.integer[Any]]) -> Spread:
    """How rows are spread over users, or over items; see `Spread`.

    Args:
      ids: raw ids, [n], at least one.
      counts: rows of each, [n].
    """
    ascending = np.sort(counts)
    rows, number = int(ascending.sum()), len(ascending)
    of_most = np.concatenate([[0], np.cumsum(ascending[::-1])])
    curve = np.interp(np.array(TOP) * number, np.arange(number + 1), of_most) / max(1, rows)
    return Spread(
        mean=rows / number,
        quantiles=tuple(ascending[(np.array(QUANTILES) * (number - 1)).astype(np.int64)].tolist()),
        curve=tuple(curve.round(_DIGITS).tolist()),
        largest=largest(ids, counts),
    )


def largest(ids: Ids, counts: npt.NDArray[np.integer[Any]]) -> Largest:
    """The first of those with most rows.

    Args:
      ids: raw ids, [n], at least one.
      counts: rows of each, [n].
    """
    first = int(np.argmax(counts))
    return Largest(id=ids[first : first + 1].tolist()[0], rows=int(counts[first]))


def count_moments(
    times: npt.NDArray[np.int64] | npt.NDArray[np.float64], first: float, last: float
) -> npt.NDArray[np.int64]:
    """Counts rows in each of `MOMENTS` equal parts of a period.

    Args:
      times: [n], none outside the period.
      first: where the period begins.
      last: where it ends.

    Returns:
      int64 [MOMENTS]; zeros where the period has no length, or none that can be told.
    """
    width = (last - first) / MOMENTS
    if not (width > 0 and math.isfinite(width)):
        return np.zeros(MOMENTS, np.int64)
    counts: npt.NDArray[np.int64] = loops.count_parts(times, float(first), width, MOMENTS)
    return counts


def calendar(moments: npt.NDArray[np.int64], period: tuple[float, float] | None) -> Calendar | None:
    """How rows are spread over time; see `Calendar`.

    Args:
      moments: rows in each part of the period, int64 [MOMENTS].
      period: its first and last time; None where there are none.
    """
    if period is None or not moments.any():
        return None
    rows = moments.reshape(_PARTS, -1).sum(axis=1)
    return Calendar(rows=tuple(rows.tolist()), gap=_gap(moments, *period))


def _gap(moments: npt.NDArray[np.int64], first: float, last: float) -> Gap | None:
    """The longest run of moments without a row."""
    filled = np.flatnonzero(moments)
    lengths = np.diff(filled) - 1
    if not lengths.any():  # the first and the last moment have rows
        return None
    longest, width = int(np.argmax(lengths)), (last - first) / MOMENTS
    begin, end = int(filled[longest]) + 1, int(filled[longest + 1])
    return Gap(begin=first + begin * width, end=first + end * width)
