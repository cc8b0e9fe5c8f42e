"""Drops duplicates, and users and items of few interactions."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from components.artifacts.interactions_summary import Dropped
from components.preprocess.shards import loops
from components.preprocess.shards.packing import Sorted
from components.preprocess.shards.plan import Plan


@dataclass(frozen=True)
class Arranged:
    """One shard's interactions that are left, by user and time.

    Attributes:
      shard: the shard's number.
      users: positions of its users, int32 [m], ascending.
      counts: interactions of each of them, int32 [m].
      items: positions of the items, int32 [counts.sum()].
      marks: of each interaction, uint8; see `loops`.
      dropped: how many rows of the shard were dropped, by reason.
      moments: how many rows it had before that at which time, int64; see `statistics.count_moments`.
    """

    shard: int
    users: npt.NDArray[np.int32]
    counts: npt.NDArray[np.int32]
    items: npt.NDArray[np.int32]
    marks: npt.NDArray[np.uint8]
    dropped: Dropped
    moments: npt.NDArray[np.int64]


def arrange(shard: int, rows: Sorted, marks: npt.NDArray[np.uint8], plan: Plan, min_interactions: int) -> Arranged:
    """Drops duplicates of a shard, and then users with few interactions.

    Of several rows of one user and item, the last one is kept: the latest or, where they have one time, what
    `Plan.by_place` puts last.

    Args:
      shard: the shard's number.
      rows: the shard's rows.
      marks: of each row, uint8 [n].
      plan: who is in the shard.
      min_interactions: users with fewer distinct items are dropped.
    """
    first, last = int(plan.bounds[shard]), int(plan.bounds[shard + 1])
    counts, items, marks, duplicates, below = loops.keep_latest(
        rows.users, rows.items, marks, last - first, len(plan.items), min_interactions
    )
    dropped = Dropped(duplicates=int(duplicates), below_min_interactions=int(below))
    users, moments = np.arange(first, last, dtype=np.int32), plan.moments(rows.times)
    return _with_rows(Arranged(shard, users, counts, items, marks, dropped, moments))


def find_items(
    shards: Iterable[Arranged], items: int, min_interactions: int, min_item_interactions: int, until_stable: bool
) -> npt.NDArray[np.bool_]:
    """Finds the items that have enough users, where users with too few of these items do not count.

    Users and items are dropped in turns until neither have too few: what is left is the same in whatever order that
    is done (the bipartite core, see Seidman, Network structure and minimum degree, Social Networks 5, 1983).

    Example:
      The user a has the items 1 and 2, b has 1, 2 and 3, and two interactions are asked for on both sides: 3 goes, and
      the rest stays. Had b nothing but 1 and 3, the loss of 3 would take b along, and then there is nothing left.

    Args:
      shards: all shards, without users below the minimum; gone through again and again, one at a time.
      items: how many items there may be.
      min_interactions: users with fewer interactions do not count.
      min_item_interactions: items with fewer interactions are not wanted.
      until_stable: whether to go on until nothing changes, or to drop items once.

    Returns:
      Which items are left, bool [items].
    """
    counts = np.zeros(items, np.int64)
    alive = {}
    for part in shards:
        counts += np.bincount(part.items, minlength=items)
        alive[part.shard] = np.ones(len(part.users), np.bool_)
    while until_stable and sum(
        loops.drop_users(part.counts, part.items, alive[part.shard], counts, min_interactions, min_item_interactions)
        for part in shards
    ):
        pass
    return counts >= min_item_interactions


def keep_items(arranged: Arranged, wanted: npt.NDArray[np.bool_], min_interactions: int) -> Arranged:
    """Drops the items that are not wanted, and then users with few interactions.

    Args:
      arranged: a shard's interactions.
      wanted: of each item's position.
      min_interactions: users with fewer interactions left are dropped.
    """
    counts, items, marks, unwanted, of_users = loops.keep_rows(
        arranged.counts, arranged.items, arranged.marks, wanted, min_interactions, False
    )
    dropped = replace(
        arranged.dropped,
        below_min_interactions=arranged.dropped.below_min_interactions + int(of_users),
        below_min_item_interactions=int(unwanted),
    )
    return _with_rows(replace(arranged, counts=counts, items=items, marks=marks, dropped=dropped))


def keep_trained(arranged: Arranged, trained: npt.NDArray[np.bool_]) -> Arranged:
    """Drops the items that are not trained on, and users without a training row: no model knows them.

    Args:
      arranged: a shard's interactions, whose marks say in what part they are.
      trained: of each item's position, whether it has a training row.
    """
    counts, items, marks, unwanted, of_users = loops.keep_rows(
        arranged.counts, arranged.items, arranged.marks, trained, 1, True
    )
    dropped = replace(arranged.dropped, of_new_users=int(of_users), of_new_items=int(unwanted))
    return _with_rows(replace(arranged, counts=counts, items=items, marks=marks, dropped=dropped))


def _with_rows(arranged: Arranged) -> Arranged:
    """The same without users who have no rows."""
    present = np.flatnonzero(arranged.counts)
    return replace(arranged, users=arranged.users[present], counts=arranged.counts[present])
