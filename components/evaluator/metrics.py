"""Ranks of held-out items -> HR@K and NDCG@K. Each user has one held-out item."""

from collections.abc import Sequence

import numpy as np


def hits(ranks: np.ndarray, k: int) -> np.ndarray:
    """Whether each user's held-out item is among the first `k`: float64, 0 or 1.

    Args:
      ranks: integers [users], 1 = best.
      k: length of the recommended list.
    """
    return (ranks <= k).astype(np.float64)


def gains(ranks: np.ndarray, k: int) -> np.ndarray:
    """Each user's NDCG@k, float64: 1 / log2(rank + 1) within the first `k`, else 0.

    With a single relevant item the ideal gain is 1 (Järvelin and Kekäläinen, TOIS 2002; He et al., WWW 2017).

    Args:
      ranks: integers [users], 1 = best.
      k: length of the recommended list.
    """
    return hits(ranks, k) / np.log2(ranks + 1.0)


def summarise(ranks: np.ndarray, ks: Sequence[int]) -> dict[str, float]:
    """Means over the users: {"HR@1": ..., "NDCG@1": ..., ...}; NaN where there is no user."""
    summary = {}
    for k in ks:
        summary[f"HR@{k}"] = _mean(hits(ranks, k))
        summary[f"NDCG@{k}"] = _mean(gains(ranks, k))
    return summary


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else float("nan")
