"""From raw rows to shards of whole users: plan, distribute, arrange, split, write."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from components.preprocess import loops
from components.preprocess.rows import Census, Ids, Rows, positions
from components.shared.errors import UserError


@dataclass(frozen=True)
class Plan:
    """Who goes to which shard, and how a row is packed for sorting.

    Before the filters, users and items have a position: their place among all ids that occur, ascending.

    Attributes:
      users: distinct raw user ids, ascending.
      items: distinct raw item ids, ascending.
      bounds: int64 [shards + 1]; shard k holds the users of positions bounds[k] to bounds[k + 1] - 1.
      first_time: the earliest timestamp; 0 where there is none.
      time_bits: bits of the timestamp above that.
      item_bits: bits of an item's position.
      packed: whether user, timestamp and item fit into 64 bits.
      fractional: whether the timestamps are floating-point numbers.
      rows_read: rows of the input, those dropped included.
      bad: rows skipped because they could not be read.
      below_min_rating: rows dropped for their rating.
    """

    users: Ids
    items: Ids
    bounds: np.ndarray
    first_time: int
    time_bits: int
    item_bits: int
    packed: bool
    fractional: bool
    rows_read: int
    bad: int
    below_min_rating: int

    @property
    def shards(self) -> int:
        """The number of shards."""
        return len(self.bounds) - 1


@dataclass(frozen=True)
class Arranged:
    """One shard's interactions after the filters, by user and time.

    Attributes:
      shard: its number.
      users: positions of its users, int32, ascending.
      counts: interactions of each, int32.
      items: positions of the items, int32 [counts.sum()].
      distinct_items: positions of the distinct items, int32, ascending.
      duplicates: how many rows were dropped as duplicates.
      below_min_interactions: how many rows of users with too few.
    """

    shard: int
    users: np.ndarray
    counts: np.ndarray
    items: np.ndarray
    distinct_items: np.ndarray
    duplicates: int
    below_min_interactions: int


@dataclass(frozen=True)
class Outline:
    """What the shards together amount to.

    Attributes:
      users: the number of users of each shard, by its number.
      items: positions of the distinct items of all shards, int32, ascending.
    """

    users: dict[int, int]
    items: np.ndarray


def make_plan(census: Census, rows_per_shard: int, min_interactions: int, name: str) -> Plan:
    """Cuts the users into shards of about equally many rows.

    Raises:
      UserError: there are no rows.
    """
    if not census.rows:
        raise UserError(f"{name} {_why_no_rows(census)}")
    # Users below the minimum will go, whatever else happens.
    rows = np.cumsum(np.where(census.user_rows >= min_interactions, census.user_rows, 0))
    shards = max(1, round(int(rows[-1]) / rows_per_shard))
    inner = np.searchsorted(rows, rows[-1] * np.arange(1, shards) / shards) + 1
    bounds = np.unique(np.concatenate([[0], inner[inner < len(rows)], [len(rows)]])).astype(np.int64)
    low, high = census.timestamps or (0, 0)
    first_time = 0 if census.fractional else int(low)
    time_bits = 64 if census.fractional else (int(high) - first_time).bit_length()
    item_bits = (len(census.items) - 1).bit_length()
    user_bits = int(np.diff(bounds).max() - 1).bit_length()
    return Plan(
        users=census.users,
        items=census.items,
        bounds=bounds,
        first_time=first_time,
        time_bits=time_bits,
        item_bits=item_bits,
        packed=user_bits + time_bits + item_bits < 64,
        fractional=census.fractional,
        rows_read=census.rows + census.bad + census.below_min_rating,
        bad=census.bad,
        below_min_rating=census.below_min_rating,
    )


def distribute(rows: Rows, plan: Plan) -> Iterator[tuple[int, np.ndarray]]:
    """Deals a batch out to the shards.

    Yields:
      (shard, rows): the rows packed, uint64 [n], or int64 [3, n] of user (from 0 in the shard), time and item.
    """
    users, items, times = positions(rows.user, plan.users), positions(rows.item, plan.items), _times(rows, plan)
    inner = plan.bounds[1:-1]
    if np.all(users[1:] >= users[:-1]):
        cuts = np.searchsorted(users, inner)
    else:
        # Stable sort of small integers is a radix sort.
        shard = np.searchsorted(inner, users, side="right").astype(np.uint16 if len(inner) < 2**16 else np.int64)
        order = np.argsort(shard, kind="stable")
        users, items, times = users[order], items[order], times[order] if len(times) else times
        cuts = np.searchsorted(shard[order], np.arange(1, plan.shards))
    edges = [0, *cuts.tolist(), len(users)]
    for number, (begin, end) in enumerate(pairwise(edges)):
        if begin < end:
            part = slice(begin, end)
            yield number, _pack(users[part], items[part], times[part], int(plan.bounds[number]), plan)


def arrange(shard: int, parts: Iterable[np.ndarray], plan: Plan, min_interactions: int) -> Arranged:
    """Sorts a shard's rows by user, time and item, drops duplicates and then users with few interactions."""
    first, last = int(plan.bounds[shard]), int(plan.bounds[shard + 1])
    if plan.packed:
        keys = np.concatenate(list(parts))
        keys.sort()
        items = (keys & np.uint64((1 << plan.item_bits) - 1)).astype(np.int32)
        keys >>= np.uint64(plan.item_bits + plan.time_bits)
        users = keys.astype(np.int32)
    else:
        columns = np.concatenate(list(parts), axis=1)
        columns = columns[:, np.lexsort(columns[::-1])]
        users, items = columns[0].astype(np.int32), columns[2].astype(np.int32)
    counts, kept, kept_items, duplicates, below = loops.keep_latest(
        users, items, last - first, len(plan.items), min_interactions
    )
    present = np.flatnonzero(counts)
    return Arranged(
        shard=shard,
        users=(present + first).astype(np.int32),
        counts=counts[present],
        items=kept,
        distinct_items=np.flatnonzero(kept_items).astype(np.int32),
        duplicates=int(duplicates),
        below_min_interactions=int(below),
    )


def outline(arranged: Arranged) -> Outline:
    """The part of one shard in the whole."""
    return Outline({arranged.shard: len(arranged.users)}, arranged.distinct_items)


def merge_outlines(outlines: Iterable[Outline]) -> Outline:
    """Adds up outlines; associative and commutative, as Beam asks."""
    parts = list(outlines)
    users = {shard: count for part in parts for shard, count in part.users.items()}
    return Outline(users, np.unique(np.concatenate([np.empty(0, np.int32), *(part.items for part in parts)])))


def _why_no_rows(census: Census) -> str:
    if census.below_min_rating:
        return f"has no row of at least preprocess.min_rating ({census.below_min_rating:,} are below)"
    if census.bad:
        return f"has no row that can be read (all {census.bad:,} were skipped)"
    return "has no rows: there are no interactions to read"


def _times(rows: Rows, plan: Plan) -> np.ndarray:
    if rows.timestamp is None:
        return np.empty(0, np.int64)
    if not plan.fractional:
        return rows.timestamp
    # The bits of a float sort as integers do, once those of negative numbers are turned over.
    bits = (rows.timestamp.astype(np.float64) + 0.0).view(np.int64)
    return np.where(bits < 0, bits ^ np.int64(2**63 - 1), bits)


def _pack(users: np.ndarray, items: np.ndarray, times: np.ndarray, first_user: int, plan: Plan) -> np.ndarray:
    if plan.packed:
        return loops.pack(users, items, times, first_user, plan.first_time, plan.time_bits, plan.item_bits)
    times = times.astype(np.int64) if len(times) else np.zeros(len(users), np.int64)
    return np.stack([users.astype(np.int64) - first_user, times, items.astype(np.int64)])
