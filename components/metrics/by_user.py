"""All metrics at several lengths of the list, by user and as means. The metric HR at the length 10 is called HR@10.

A user with fewer than k rivals to the held-out item has no metrics at k: whatever the ranking, the item is among the
first k.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from components.metrics import METRICS


def names(ks: Sequence[int]) -> list[str]:
    """The names of the columns of `by_user`: HR@1, NDCG@1, ..., HR@5, ..."""
    return [f"{metric}@{k}" for k in ks for metric in METRICS]


def by_user(
    ranks: npt.NDArray[np.int64], ks: Sequence[int], rivals: npt.NDArray[np.int64] | None = None
) -> npt.NDArray[np.float64]:
    """Each user's metrics, in the order of `names`: float64 [users, metrics times ks]; NaN for too few rivals.

    Args:
      ranks: int64 [users], 1 = best.
      ks: lengths of the recommended list.
      rivals: int64 [users], how many each held-out item was ranked against; None: enough.
    """
    values = np.stack([measure(ranks, k) for k in ks for measure in METRICS.values()], axis=1)
    if rivals is not None:
        values[rivals[:, None] < np.repeat(ks, len(METRICS))] = np.nan
    return values


def summarise(
    ranks: npt.NDArray[np.int64], ks: Sequence[int], rivals: npt.NDArray[np.int64] | None = None
) -> dict[str, float]:
    """Means over the users by name; NaN where there is no user.

    Args:
      ranks: int64 [users], 1 = best.
      ks: lengths of the recommended list.
      rivals: as in `by_user`.

    Example:
      >>> summarise(np.array([1, 3]), (1,))["HR@1"]
      0.5
      >>> summarise(np.array([1, 3, 1]), (1,), rivals=np.array([9, 9, 0]))["HR@1"]
      0.5
    """
    return dict(zip(names(ks), means(by_user(ranks, ks, rivals)).tolist(), strict=True))


def means(values: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float64]:
    """The mean of each column, NaN left out; NaN where nothing is left.

    Args:
      values: floats [users, columns].
    """
    known = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        found: npt.NDArray[np.float64] = np.where(known, values, 0).sum(axis=0) / known.sum(axis=0)
    return found
