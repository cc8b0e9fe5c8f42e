"""Writes the training records of one epoch, each file on its own.

Why the whole is a uniform shuffle of the epoch: every row goes into a file at random, there into a bucket at random,
and each bucket is shuffled (Rao 1961; Sandelius 1962). Given the sizes of files and buckets, every arrangement of the
epoch's rows over all the places is equally likely. The rows at the end of a file that fill no batch move, all in
their order, to places in one more file: a fixed renaming of places, which leaves every arrangement as likely as before.
"""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from components.artifacts import storage
from components.artifacts.examples import training_file
from components.artifacts.records import TRAIN_COLUMNS, BatchBuffer, BatchWriter
from components.negative_gen import loops
from components.negative_gen.job import NegativesJob
from components.shared.random_streams import stream_key

_memory = threading.local()  # a thread's buckets: memory that was used before costs much less than fresh memory

_ROWS_PER_BUCKET = 1 << 16  # a bucket is shuffled inside a core's second-level cache

PackedRows: TypeAlias = npt.NDArray[np.uint64]
"""User, item and label of each row in one number, [n]."""


@dataclass(frozen=True)
class LeftOver:
    """What a file hands over for the epoch's pool.

    Attributes:
      file: the file's number.
      rows: the rows at the end that filled no batch.
      first_batch: of file 0: a copy of its first batch, if it has one.
    """

    file: int
    rows: PackedRows
    first_batch: PackedRows


@dataclass(frozen=True)
class Written:
    """A file that was written.

    Attributes:
      name: its path below the artifact.
      digest: of its records.
      short_users: of evaluation records: how many users have fewer candidates than negatives were asked for.
    """

    name: str
    digest: bytes
    short_users: int = 0


def write_file(job: NegativesJob, epoch: int, file: int) -> tuple[Written, LeftOver]:
    """Samples, shuffles and writes one of the 2^file_bits files of an epoch.

    Raises:
      UserError: the disk is full.
    """
    buckets = _scatter(job, epoch, file)
    for number, bucket in enumerate(buckets):
        loops.shuffle(bucket, np.uint64(stream_key(job.seed, "shuffle", epoch, file, number)))
    written, rows = _write_batches(job, epoch, 1 + file, buckets)
    first_batch = _first(buckets, job.batch_size) if file == 0 else rows[:0]
    return written, LeftOver(file, rows, first_batch)


def write_pool(job: NegativesJob, epoch: int, left_over: Iterable[LeftOver]) -> Written:
    """Writes the left-over rows of an epoch's files; the first batch is the one that has to be filled up.

    It is filled with the rows that begin file 0: like all that stand at fixed places, they are a uniform sample of the
    epoch's rows, and different from those they join, so that this batch is distributed as every other one is. Where
    there are none (the files are smaller than a batch), the other left-over rows serve, then the batch's own, again
    and again.
    """
    parts = sorted(left_over, key=lambda part: part.file)
    rows = np.concatenate([part.rows for part in parts])
    short = len(rows) % job.batch_size
    if short:
        supply = np.concatenate([parts[0].first_batch, rows[short:], rows[:short]])
        rows = np.concatenate([rows[:short], np.resize(supply, job.batch_size - short), rows[short:]])
    written, _ = _write_batches(job, epoch, 0, [rows])
    return written


def _scatter(job: NegativesJob, epoch: int, file: int) -> list[PackedRows]:
    """The file's rows in random buckets, unshuffled; good until this thread scatters the next file."""
    expected = job.rows_per_epoch / 2**job.file_bits
    number = 1 << int(expected / _ROWS_PER_BUCKET).bit_length()
    per_bucket = expected / number
    capacity = int(per_bucket + 12 * per_bucket**0.5) + 64  # exceeded by chance with probability 1e-30
    while (buckets := _try_to_scatter(job, epoch, file, number, capacity)) is None:
        capacity *= 2
    return buckets


def _try_to_scatter(job: NegativesJob, epoch: int, file: int, number: int, capacity: int) -> list[PackedRows] | None:
    """`number` buckets, or None when one needs more than `capacity` rows."""
    if getattr(_memory, "rows", np.empty(0)).shape != (number, capacity):
        _memory.rows = np.empty((number, capacity), np.uint64)
    rows, ends = _memory.rows, np.zeros(number, np.int64)
    placement_key = np.uint64(stream_key(job.seed, "placement", epoch))
    draw_key = np.uint64(stream_key(job.seed, "training negatives", epoch, file))
    scratch = loops.make_scratch(job.items)
    for shard_number in range(job.interactions.shards):
        shard = job.train_shards[shard_number]
        outcome = loops.scatter_rows(
            shard.items, shard.offsets, shard.first_user, job.items, job.negatives.num_negatives,
            file, job.file_bits, placement_key, draw_key, rows, ends, scratch,
        )  # fmt: skip
        if outcome == loops.TOO_SMALL:
            return None
    return [bucket[:end] for bucket, end in zip(rows, ends, strict=True)]


def _write_batches(
    job: NegativesJob, epoch: int, number: int, parts: Sequence[PackedRows]
) -> tuple[Written, PackedRows]:
    """Cuts packed rows into the batches of file `number`; returns the rows of the last, incomplete one as well."""
    name = training_file(epoch, number, 1 + 2**job.file_bits)
    with storage.write_atomically(f"{job.examples_uri}/{name}") as file:
        writer = BatchWriter(file)
        rest = _cut(parts, BatchBuffer(TRAIN_COLUMNS, job.batch_size), writer)
        return Written(name, writer.digest()), rest


def _cut(parts: Sequence[PackedRows], buffer: BatchBuffer, writer: BatchWriter) -> PackedRows:
    """Writes the rows of all parts in whole batches; returns those that remain."""
    size = buffer.records * buffer.rows
    columns = {name: np.empty(size, values.dtype) for name, values in buffer.columns.items()}
    filled = 0
    for part in parts:
        done = 0
        while done < len(part):
            step = min(len(part) - done, size - filled)
            loops.unpack(part[done : done + step], *(values[filled : filled + step] for values in columns.values()))
            done, filled = done + step, filled + step
            if filled == size:
                _write(columns, buffer, buffer.records, writer)
                filled = 0
    records = filled // buffer.rows
    _write(columns, buffer, records, writer)
    user, item, label = (values[records * buffer.rows : filled].astype(np.uint64) for values in columns.values())
    return user << np.uint64(32) | item << np.uint64(1) | label


def _write(columns: dict[str, npt.NDArray[Any]], buffer: BatchBuffer, records: int, writer: BatchWriter) -> None:
    for name, values in columns.items():
        buffer.columns[name][:records] = values.reshape(buffer.records, buffer.rows)[:records]
    writer.write(buffer, records)


def _first(parts: Sequence[PackedRows], size: int) -> PackedRows:
    """A copy of the first `size` rows of all parts; empty when there are fewer."""
    needed = int(np.searchsorted(np.cumsum([len(part) for part in parts]), size)) + 1
    first = np.concatenate(parts[:needed])[:size]
    return first if len(first) == size else first[:0]
