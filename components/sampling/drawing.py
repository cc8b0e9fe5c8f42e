"""Draws the training rows of one epoch, those of each file on their own.

Why the whole is a uniform shuffle of the epoch: every row goes into a file at random (see `placement`), there into a
bucket at random, and each bucket is shuffled (Rao 1961; Sandelius 1962). Given the sizes of files and buckets, every
arrangement of the epoch's rows over all the places is equally likely. The rows at the end of a file that fill no batch
move, all in their order, to places in one more file, the pool: a fixed renaming of places, which leaves every
arrangement as likely as before.

Every batch is full. Where the epoch's rows do not fill the last one, the first batch of file 0 is filled up: with the
rows that come next, and appear again at their own places. Like all that stand at fixed places, they are a uniform
sample of the epoch's rows, and different from those they join, so that this batch is distributed as every other one is.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from components.sampling import loops
from components.sampling.chunks import mark_chunks
from components.sampling.item_sets import make_scratch
from components.sampling.placement import Placement
from components.sampling.sampler import Sampler
from components.shared.random_streams import stream_key

_ROWS_PER_BUCKET = 1 << 16  # a bucket is shuffled inside a core's second-level cache

PackedRows: TypeAlias = npt.NDArray[np.uint64]
"""User, item and label of each row in one number, [n]."""

Columns: TypeAlias = tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.uint8]]
"""Users, items and labels of rows, [n]; a label is 1 for a positive."""


class Memory:
    """Room for the rows of files, by any number of threads: what was used before costs much less than fresh memory."""

    def __init__(self) -> None:
        self._free: deque[PackedRows] = deque()

    def take(self, shape: tuple[int, int]) -> PackedRows:
        """Room for rows, uint64 of that shape, with anything in it."""
        while self._free:
            try:
                room = self._free.pop()
            except IndexError:  # another thread was faster
                break
            if room.shape == shape:
                return room
        return np.empty(shape, np.uint64)

    def give_back(self, room: PackedRows) -> None:
        """Takes room whose rows are no longer needed."""
        self._free.append(room)


@dataclass(frozen=True)
class Drawn:
    """The rows of a file.

    Attributes:
      parts: those that fill batches, in their order.
      left_over: those at the end that fill none, a copy.
      room: what the parts lie in, of the `Memory`.
    """

    parts: Sequence[PackedRows]
    left_over: PackedRows
    room: PackedRows


def compile_ahead() -> None:
    """Compiles the loops, and keeps the code on disk."""
    items, key, rows = np.zeros(0, np.int32), np.uint64(0), np.zeros((1, 0), np.uint64)
    ends, scratch = np.zeros(1, np.int64), make_scratch(1)
    loops.spread_out(items, ends)
    mark_chunks(0, ends[:0], ends[:0], key, scratch[0])
    loops.scatter_rows(items, ends, 0, 1, 1, scratch[0], 0, key, rows, ends, scratch, loops.make_waiting())
    loops.shuffle(rows[0], key)
    loops.unpack(rows[0], *_columns(0))


def draw_file(sampler: Sampler, epoch: int, file: int, memory: Memory) -> Drawn:
    """Draws and shuffles the rows of one of the files of an epoch.

    Raises:
      UserError: files of the interactions are missing.
    """
    room, buckets = _scatter(sampler, epoch, file, memory)
    for number, bucket in enumerate(buckets):
        loops.shuffle(bucket, np.uint64(stream_key(sampler.seed, "shuffle", epoch, file, number)))
    size, rows = sampler.batch_size, sum(map(len, buckets))
    short = sampler.rows_per_epoch % size if file == 0 and rows >= size else 0
    filled_up = _between(buckets, 0, size) if short else []
    end = rows - (rows - short) % size
    return Drawn(
        [*filled_up, *_between(buckets, short, end)], np.concatenate([*_between(buckets, end, rows), room[0, :0]]), room
    )


def pool(sampler: Sampler, left_over: Iterable[PackedRows]) -> PackedRows:
    """The rows that the files of an epoch left over, in whole batches.

    Where file 0 is smaller than a batch, the first one is filled up here: with the other rows, then the batch's own,
    again and again.

    Args:
      sampler: of the rows.
      left_over: by file, in their order.
    """
    rows = np.concatenate(list(left_over))
    short = len(rows) % sampler.batch_size
    if not short:
        return rows
    supply = np.concatenate([rows[short:], rows[:short]])
    return np.concatenate([rows[:short], np.resize(supply, sampler.batch_size - short), rows[short:]])


def in_columns(parts: Iterable[PackedRows], size: int) -> Iterator[tuple[int, Columns]]:
    """Unpacks rows, a number of them at a time, each time into new arrays.

    Yields:
      How many rows there are, which is `size` but for the last time; their columns, [size], zero beyond.
    """
    columns, filled = _columns(size), 0
    for part in parts:
        done = 0
        while done < len(part):
            step = min(len(part) - done, size - filled)
            loops.unpack(part[done : done + step], *(column[filled : filled + step] for column in columns))
            done, filled = done + step, filled + step
            if filled == size:
                yield size, columns
                columns, filled = _columns(size), 0
    if filled:
        for column in columns:
            column[filled:] = 0
        yield filled, columns


def _columns(size: int) -> Columns:
    return np.empty(size, np.int32), np.empty(size, np.int32), np.empty(size, np.uint8)


def _scatter(sampler: Sampler, epoch: int, file: int, memory: Memory) -> tuple[PackedRows, list[PackedRows]]:
    """The file's rows in random buckets, unshuffled, and the room that these lie in."""
    expected = sampler.rows_per_epoch / sampler.files
    number = 1 << int(expected / _ROWS_PER_BUCKET).bit_length()
    per_bucket = expected / number
    capacity = int(per_bucket + 12 * per_bucket**0.5) + 64  # exceeded by chance with probability 1e-30
    while (buckets := _try_to_scatter(sampler, epoch, file, room := memory.take((number, capacity)))) is None:
        capacity *= 2
    return room, buckets


def _try_to_scatter(sampler: Sampler, epoch: int, file: int, room: PackedRows) -> list[PackedRows] | None:
    """A bucket in each row of `room`, or None when one needs more."""
    ends = np.zeros(len(room), np.int64)
    placement = Placement(sampler, epoch, file)
    draw_key = np.uint64(stream_key(sampler.seed, "training negatives", epoch, file))
    scratch, waiting = make_scratch(sampler.items), loops.make_waiting()
    first_row = 0
    for shard_number in range(sampler.interactions.shards):
        shard = sampler.train_shards[shard_number]
        rows = len(shard.items) * (1 + sampler.num_negatives)
        marks, before = placement.marks(first_row, rows)
        first_row += rows
        loops.scatter_rows(
            shard.items, shard.offsets, shard.first_user, sampler.items, sampler.num_negatives,
            marks, before, draw_key, room, ends, scratch, waiting,
        )  # fmt: skip
    if ends.max() > room.shape[1]:
        return None
    return [bucket[:end] for bucket, end in zip(room, ends, strict=True)]


def _between(parts: Sequence[PackedRows], begin: int, end: int) -> list[PackedRows]:
    """The rows from place `begin` to place `end` of all parts, as they lie there."""
    starts = np.cumsum([0, *map(len, parts)])
    cut = (part[max(begin - start, 0) : max(end - start, 0)] for part, start in zip(parts, starts, strict=False))
    return [part for part in cut if len(part)]
