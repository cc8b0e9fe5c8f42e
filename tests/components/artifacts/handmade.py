"""Writes interactions whose every row a test chooses, as Preprocess would."""

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from components.artifacts.interactions import Pairs, Shard, write_shard
from components.artifacts.interactions_summary import Dropped, InteractionsSummary
from components.artifacts.splits import Split


def write_interactions(
    uri: str, rows: Mapping[Split, npt.ArrayLike], users: int, items: int, shards: int = 2, **fields: Any
) -> InteractionsSummary:
    """Writes rows [n, 2] of user and item by split, in shards of about as many users; `fields` are the summary's.

    There is a training split; the others may not be there.
    """
    bounds = np.linspace(0, users, shards + 1).astype(int).tolist()
    written = [
        write_shard(uri, _shard(number, first, end, rows), shards)
        for number, (first, end) in enumerate(itertools.pairwise(bounds))
    ]
    interactions = {split: sum(shard.summary.rows[split] for shard in written) for split in rows}
    known: dict[str, Any] = {
        "dataset": "made by hand",
        "rows_read": sum(interactions.values()),
        "dropped": Dropped(),
        "users": users,
        "items": items,
        "interactions": interactions,
        "density": sum(interactions.values()) / (users * items),
        "holdout": "last",
        "timed": True,
        "shards": tuple(shard.summary for shard in written),
        "fingerprint": "0123456789abcdef",
    }
    summary = InteractionsSummary(**{**known, **fields})
    summary.write(uri)
    return summary


def _shard(number: int, first: int, end: int, rows: Mapping[Split, npt.ArrayLike]) -> Shard:
    pairs = {split: _of_users(first, end, part) for split, part in {"test": [], **rows}.items()}
    counts = np.bincount(pairs["train"].users - first, minlength=end - first).astype(np.int32)
    return Shard(number, first, pairs["train"], pairs["test"], pairs.get("validation"), counts, pairs.get("aside"))


def _of_users(first: int, end: int, rows: npt.ArrayLike) -> Pairs:
    user, item = np.array(rows, np.int32).reshape(-1, 2).T.copy()
    chosen = (user >= first) & (user < end)
    return Pairs(user[chosen], item[chosen])
