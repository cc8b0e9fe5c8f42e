"""Metrics of a ranking: one file each, a function from the ranks of held-out items to each user's value.

Each user has one held-out item, whose rank is 1 at best. A metric that stands in `METRICS` is measured for the model,
the baselines and the champion, shown in the report and on the console, may be gated, and may choose the epoch.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from components.metrics.hit_rate import hit_rate
from components.metrics.mrr import mrr
from components.metrics.ndcg import ndcg

Metric = Callable[[npt.NDArray[np.int64], int], npt.NDArray[np.float64]]
"""From ranks, int64 [users], and the length k of the recommended list, to values in [0, 1], float64 [users]."""

METRICS: dict[str, Metric] = {
    "HR": hit_rate,
    "NDCG": ndcg,
    "MRR": mrr,
}
