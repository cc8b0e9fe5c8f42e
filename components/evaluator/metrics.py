"""Ranks of held-out items -> HR@K and NDCG@K. Each user has one held-out item."""

from collections.abc import Sequence

import numpy as np


def hits(ranks: np.ndarray, k: int) -> np.ndarray:
    """Whether each user's held-out item is among the first `k`: float64, 0 or 1.

    Args:
      ranks: integers [n], 1 = best.
      k: length of the recommended list.
    """
    return (ranks <= k).astype(np.float64)


def gains(ranks: np.ndarray, k: int) -> np.ndarray:
    """Each user's NDCG@k, float64: 1 / log2(rank + 1) within the first `k`, else 0.

    With a single relevant item the ideal gain is 1 (Järvelin and Kekäläinen, TOIS 2002; He et al., WWW 2017).

    Args:
      ranks: integers [n], 1 = best.
      k: length of the recommended list.
    """
    return hits(ranks, k) / np.log2(ranks + 1.0)


def names(ks: Sequence[int]) -> list[str]:
    """What the columns of `by_user` are called: HR@1, NDCG@1, ..."""
    return [f"{metric}@{k}" for k in ks for metric in ("HR", "NDCG")]


def by_user(ranks: np.ndarray, ks: Sequence[int]) -> np.ndarray:
    """Each user's metrics, in the order of `names`: float64 [n, 2 * number of ks].

    Args:
      ranks: integers [n], 1 = best.
      ks: lengths of the recommended list.
    """
    return np.stack([measure(ranks, k) for k in ks for measure in (hits, gains)], axis=1)


def summarise(ranks: np.ndarray, ks: Sequence[int]) -> dict[str, float]:
    """Means over the users: {"HR@1": ..., "NDCG@1": ..., ...}; NaN where there is no user."""
    values = by_user(ranks, ks)
    means = values.mean(axis=0) if len(values) else np.full(values.shape[1], np.nan)
    return dict(zip(names(ks), map(float, means), strict=True))
