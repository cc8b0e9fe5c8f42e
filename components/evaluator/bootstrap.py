"""Confidence intervals of means over users, by resampling the users (percentile bootstrap; Efron, 1979).

A resample draws as many users as there are, with replacement. Everything measured on the same users is resampled with
the same draws, so that the interval of a difference between two systems is that of a paired comparison. A user without
a value (NaN) is left out of a mean, and may be drawn all the same.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from components.metrics.by_user import means

_CELLS_AT_ONCE = 1 << 22  # users times resamples held in memory: 32 MiB of draws, and as much of weights

Floats: TypeAlias = npt.NDArray[np.floating[Any]]
"""One number for each user, or for each user and column, of either precision."""


class Interval(NamedTuple):
    """A mean and the bounds of its confidence interval; NaN where there is no user."""

    mean: float
    low: float
    high: float


def paired_interval(
    differences: Floats, confidence: float, random: np.random.Generator, samples: int = 1000
) -> Interval:
    """The mean of the users' differences and its two-sided interval.

    The lower bound of the one-sided interval of confidence c is `low` of the two-sided one of confidence 2c - 1.

    Args:
      differences: floats [users]: what one system scored on each user minus what the other did.
      confidence: share of the resampled means that lie in the interval, such as 0.95.
      random: draws the resamples.
      samples: the number of resamples.
    """
    return intervals(differences[:, None], resampled_means(differences[:, None], random, samples), confidence)[0]


def intervals(values: Floats, resampled: npt.NDArray[np.float64], confidence: float) -> list[Interval]:
    """The mean and two-sided interval of each column.

    Args:
      values: floats [users, columns].
      resampled: float64 [samples, columns], as `resampled_means` gives them.
      confidence: share of the resampled means that lie in the interval.
    """
    shares = [(1 - confidence) / 2, (1 + confidence) / 2]
    return [
        Interval(float(mean), *_quantiles(column[~np.isnan(column)], shares))
        for mean, column in zip(means(values), resampled.T, strict=True)
    ]


def _quantiles(values: npt.NDArray[np.float64], shares: Sequence[float]) -> list[float]:
    found: list[float] = np.quantile(values, shares).tolist() if len(values) else [np.nan] * len(shares)
    return found


def resampled_means(values: Floats, random: np.random.Generator, samples: int) -> npt.NDArray[np.float64]:
    """The means of each column over resampled users, the same users for all columns: float64 [samples, columns].

    Memory is bounded by some megabytes, whatever the number of users and samples.

    Args:
      values: floats [users, columns].
      random: draws the resamples.
      samples: the number of resamples.
    """
    users = len(values)
    if not users:
        return np.full((samples, values.shape[1]), np.nan)
    at_once = max(1, _CELLS_AT_ONCE // users)
    parts = [min(at_once, samples - begin) for begin in range(0, samples, at_once)]
    known = ~np.isnan(values)
    if known.all():
        return np.concatenate([_times_drawn(random, part, users) @ values for part in parts]) / users
    filled, known = np.where(known, values, 0), known.astype(np.float64)
    draws = (_times_drawn(random, part, users) for part in parts)
    with np.errstate(invalid="ignore"):
        return np.concatenate([drawn @ filled / (drawn @ known) for drawn in draws])


def _times_drawn(random: np.random.Generator, samples: int, users: int) -> npt.NDArray[np.float64]:
    """How often each resample has each user: float64 [samples, users]."""
    drawn = random.integers(users, size=(samples, users))
    drawn += np.arange(samples)[:, None] * users
    return np.bincount(drawn.reshape(-1), minlength=samples * users).reshape(samples, users).astype(np.float64)
