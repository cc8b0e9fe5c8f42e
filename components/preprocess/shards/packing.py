"""Deals rows out to the shards, packed, and sorts a shard."""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from operator import itemgetter
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from components.preprocess.rows import Rows, positions
from components.preprocess.shards import loops
from components.preprocess.shards.plan import Plan
from components.preprocess.times import sortable

Packed: TypeAlias = npt.NDArray[np.uint64] | npt.NDArray[np.int64]
"""Rows on their way to a shard: packed, uint64 [n], or int64 [3, n] of user (from 0 in the shard), time and item."""

Place: TypeAlias = tuple[int, int]
"""Where a batch stands in the input: the number of its piece, and its own in the piece."""


class Sorted(NamedTuple):
    """A shard's rows by user and time.

    Attributes:
      users: int32 [n], from 0 in the shard.
      times: int64 [n], see `Plan.sorts_as`.
      items: int32 [n], their positions.
    """

    users: npt.NDArray[np.int32]
    times: npt.NDArray[np.int64]
    items: npt.NDArray[np.int32]


def distribute(rows: Rows, plan: Plan) -> Iterator[tuple[int, Packed]]:
    """Deals a batch out to the shards.

    Yields:
      The number of a shard, and the rows of the batch that go there, in their order.
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


def sort(parts: Iterable[tuple[Place, Packed]], plan: Plan) -> Sorted:
    """Sorts a shard's rows by user and time; those of one time by their place in the input, or by item.

    Args:
      parts: all of the shard's rows, in any order.
      plan: how the rows are packed, and what decides among those of one time.
    """
    in_order = [part for _, part in sorted(parts, key=itemgetter(0))]
    if not plan.packed:
        columns = np.concatenate(in_order, axis=1)
        user, time, item = columns
        columns = columns[:, np.lexsort((time, user) if plan.by_place else (item, time, user))]
        return Sorted(columns[0].astype(np.int32), columns[1], columns[2].astype(np.int32))
    keys = np.concatenate(in_order).view(np.uint64)
    if plan.by_place:
        return _sort_stably(keys, plan)
    keys.sort()
    return _unpacked(keys, plan)


def _sort_stably(keys: npt.NDArray[np.uint64], plan: Plan) -> Sorted:
    """Sorts packed rows by user and time, and leaves those of one time as they are; the keys are changed."""
    place_bits = (len(keys) - 1).bit_length()
    if int(keys.max()).bit_length() - plan.item_bits + place_bits > 64:
        return _unpacked(keys[np.argsort(keys >> np.uint64(plan.item_bits), kind="stable")], plan)
    # Numbers that are all different need no stable sort, which is several times slower.
    items = loops.number(keys, plan.item_bits, place_bits)
    keys.sort()
    return Sorted(*loops.unpack(keys, place_bits, plan.time_bits, items))


def _unpacked(keys: npt.NDArray[np.uint64], plan: Plan) -> Sorted:
    return Sorted(*loops.unpack(keys, plan.item_bits, plan.time_bits, np.empty(0, np.int32)))


def _times(rows: Rows, plan: Plan) -> npt.NDArray[np.int64]:
    """The timestamps as integers in the same order; none where the rows have none."""
    if rows.timestamp is None:
        return np.empty(0, np.int64)
    times = sortable(rows.timestamp.astype(np.float64) if plan.fractional else rows.timestamp)
    return times if plan.time_step == 1 else times // plan.time_step


def _pack(
    users: npt.NDArray[np.int32],
    items: npt.NDArray[np.int32],
    times: npt.NDArray[np.int64],
    first_user: int,
    plan: Plan,
) -> Packed:
    if plan.packed:
        keys: npt.NDArray[np.uint64] = loops.pack(
            users, items, times, first_user, plan.first_time, plan.time_bits, plan.item_bits
        )
        return keys
    times = times if len(times) else np.zeros(len(users), np.int64)
    return np.stack([users.astype(np.int64) - first_user, times, items.astype(np.int64)])
