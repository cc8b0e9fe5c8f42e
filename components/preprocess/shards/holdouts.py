"""Which rows are held out, and the indexes of those that are left."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from components.artifacts.interactions import Pairs, Shard
from components.preprocess.config import PreprocessConfig
from components.preprocess.loops import marks as occurring
from components.preprocess.shards import loops, split_loops
from components.preprocess.shards.filters import Arranged, keep_trained
from components.preprocess.shards.packing import Sorted
from components.preprocess.shards.plan import Plan
from components.shared.random_streams import stream_key


@dataclass(frozen=True)
class Outline:
    """What the shards together amount to.

    Attributes:
      users: the number of users of each shard, by its number: those with a training row.
      items: positions of the distinct items with a training row, int32, ascending.
      new_users: how many users have none.
      present: positions of the distinct items of all rows, int32, ascending.
      moments: how many rows there were at which time before the filters, int64; see `statistics.count_moments`.
    """

    users: dict[int, int]
    items: npt.NDArray[np.int32]
    new_users: int
    present: npt.NDArray[np.int32]
    moments: npt.NDArray[np.int64]

    @property
    def new_items(self) -> int:
        """How many items have no training row."""
        return len(self.present) - len(self.items)

    def first_user(self, shard: int) -> int:
        """The index of a shard's first user."""
        return sum(users for number, users in self.users.items() if number < shard)


def by_parts(preprocess: PreprocessConfig) -> bool:
    """Whether each row has a part, and not each user one row in each split."""
    return preprocess.split == "time" or (preprocess.split == "random" and preprocess.split_share is not None)


def mark(rows: Sorted, plan: Plan) -> npt.NDArray[np.uint8]:
    """The marks of a shard's rows, uint8 [n]: which are tied, and their parts where the split is by time."""
    marks: npt.NDArray[np.uint8] = loops.ties(rows.users, rows.times)
    if plan.cutoffs is not None:
        later = rows.times >= plan.sorts_as(plan.cutoffs.test)
        marks |= np.where(later, loops.TEST << loops.PART_BITS, 0).astype(np.uint8)
        if plan.cutoffs.validation is not None:
            before = ~later & (rows.times >= plan.sorts_as(plan.cutoffs.validation))
            marks |= np.where(before, loops.VALIDATION << loops.PART_BITS, 0).astype(np.uint8)
    return marks


def draw_parts(arranged: Arranged, preprocess: PreprocessConfig, seed: int) -> Arranged:
    """Draws the part of each row, where a share of the rows is held out at random."""
    if preprocess.split != "random" or preprocess.split_share is None:
        return arranged
    key = np.uint64(stream_key(seed, "parts"))
    drawn = split_loops.draw_parts(arranged.counts, arranged.users, preprocess.split_share, preprocess.validation, key)
    return replace(arranged, marks=arranged.marks | drawn)


def outline(arranged: Arranged, plan: Plan, preprocess: PreprocessConfig) -> Outline:
    """The part of one shard in the whole."""
    present = np.flatnonzero(occurring(arranged.items, 0, len(plan.items))).astype(np.int32)
    if not by_parts(preprocess):
        return Outline({arranged.shard: len(arranged.users)}, present, 0, present, arranged.moments)
    users, items = loops.trained(arranged.counts, arranged.items, arranged.marks, len(plan.items))
    return Outline(
        {arranged.shard: users},
        np.flatnonzero(items).astype(np.int32),
        len(arranged.users) - users,
        present,
        arranged.moments,
    )


def merge_outlines(outlines: Iterable[Outline]) -> Outline:
    """Adds up outlines; associative and commutative, as Beam asks."""
    parts = list(outlines)
    return Outline(
        {shard: count for part in parts for shard, count in part.users.items()},
        _union(part.items for part in parts),
        sum(part.new_users for part in parts),
        _union(part.present for part in parts),
        np.sum([part.moments for part in parts], axis=0),
    )


def settle(arranged: Arranged, plan: Plan, whole: Outline, preprocess: PreprocessConfig) -> Arranged:
    """Drops what no model can know: users and items without a training row, where rows are held out by parts."""
    if not by_parts(preprocess):
        return arranged
    trained = np.zeros(len(plan.items), np.bool_)
    trained[whole.items] = True
    return keep_trained(arranged, trained)


def choose(arranged: Arranged, preprocess: PreprocessConfig, *, timed: bool, seed: int) -> npt.NDArray[np.uint8]:
    """Chooses the split of each row: `loops.TRAIN`, `TEST`, `VALIDATION` or `ASIDE`, uint8 [n].

    Args:
      arranged: a shard's interactions that stay.
      preprocess: how to split.
      timed: whether the order of a user's rows is one of time; held-out rows are drawn where it is not.
      seed: the run's seed, for what is drawn.
    """
    if by_parts(preprocess):
        key = np.uint64(stream_key(seed, "chosen of a part"))
        at_random = preprocess.split == "random"
        chosen: npt.NDArray[np.uint8] = split_loops.choose_one(
            arranged.counts, arranged.users, arranged.marks, at_random, key
        )
        return chosen
    held_out: npt.NDArray[np.uint8] = split_loops.hold_out(
        arranged.counts,
        arranged.users,
        1 + preprocess.validation,
        preprocess.split == "random" or not timed,
        np.uint64(stream_key(seed, "holdout")),
    )
    return held_out


def index(
    arranged: Arranged, split: npt.NDArray[np.uint8], plan: Plan, whole: Outline, preprocess: PreprocessConfig
) -> Shard:
    """Gives a shard's users and items their dense indexes, each row in its split.

    Args:
      arranged: the shard's interactions that stay.
      split: of each of them, see `choose`.
      plan: which items there were before the filters.
      whole: which users and items the filters have left, in all shards.
      preprocess: which splits there are.
    """
    first_user = whole.first_user(arranged.shard)
    divided: split_loops.Divided = split_loops.divide(
        split, arranged.counts, first_user, arranged.items, _item_index(plan, whole)
    )

    def of(which: np.uint8) -> Pairs:
        part = slice(divided.ends[which], divided.ends[which + 1])
        return Pairs(divided.users[part], divided.items[part])

    return Shard(
        number=arranged.shard,
        first_user=first_user,
        train=of(loops.TRAIN),
        test=of(loops.TEST),
        validation=of(loops.VALIDATION) if preprocess.validation else None,
        train_counts=divided.train_counts,
        aside=of(loops.ASIDE) if by_parts(preprocess) else None,
    )


def _union(items: Iterable[npt.NDArray[np.int32]]) -> npt.NDArray[np.int32]:
    return np.unique(np.concatenate([np.empty(0, np.int32), *items]))


def _item_index(plan: Plan, whole: Outline) -> npt.NDArray[np.int32]:
    """The index of the item at each position, or -1 where the filters have dropped it."""
    item_index = np.full(len(plan.items), -1, np.int32)
    item_index[whole.items] = np.arange(len(whole.items), dtype=np.int32)
    return item_index
