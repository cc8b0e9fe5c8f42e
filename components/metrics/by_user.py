"""All metrics at several lengths of the list, by user and as means. The metric HR at the length 10 is called HR@10."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from components.metrics import METRICS


def names(ks: Sequence[int]) -> list[str]:
    """The names of the columns of `by_user`: HR@1, NDCG@1, ..., HR@5, ..."""
    return [f"{metric}@{k}" for k in ks for metric in METRICS]


def by_user(ranks: npt.NDArray[np.int64], ks: Sequence[int]) -> npt.NDArray[np.float64]:
    """Each user's metrics, in the order of `names`: float64 [users, metrics times ks].

    Args:
      ranks: int64 [users], 1 = best.
      ks: lengths of the recommended list.
    """
    return np.stack([measure(ranks, k) for k in ks for measure in METRICS.values()], axis=1)


def summarise(ranks: npt.NDArray[np.int64], ks: Sequence[int]) -> dict[str, float]:
    """Means over the users by name; NaN where there is no user.

    Args:
      ranks: int64 [users], 1 = best.
      ks: lengths of the recommended list.

    Example:
      >>> summarise(np.array([1, 3]), (1,))["HR@1"]
      0.5
    """
    values = by_user(ranks, ks)
    means = values.mean(axis=0) if len(values) else np.full(values.shape[1], np.nan)
    return dict(zip(names(ks), map(float, means), strict=True))
