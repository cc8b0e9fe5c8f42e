"""Writes the training records of one epoch, each file on its own."""

from collections.abc import Iterable
from dataclasses import dataclass

from components.artifacts import storage
from components.artifacts.examples import training_file
from components.artifacts.records import TRAIN_COLUMNS, BatchBuffer, BatchWriter
from components.sampling.drawing import Memory, PackedRows, draw_file, in_columns, pool
from components.sampling.sampler import Sampler

_memory = Memory()


@dataclass(frozen=True)
class LeftOver:
    """What a file hands over for the epoch's pool.

    Attributes:
      file: the file's number.
      rows: the rows at the end that filled no batch.
    """

    file: int
    rows: PackedRows


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


def write_file(sampler: Sampler, uri: str, epoch: int, file: int) -> tuple[Written, LeftOver]:
    """Samples, shuffles and writes one of the files of an epoch.

    Args:
      sampler: of the rows.
      uri: the folder that has, or is to have, the epochs' files.
      epoch: from 0 on.
      file: which of its files but the pool, from 0 on.

    Raises:
      UserError: the disk is full, or files of the interactions are missing.
    """
    drawn = draw_file(sampler, epoch, file, _memory)
    written = _write(sampler, uri, epoch, file, drawn.parts)
    _memory.give_back(drawn.room)
    return written, LeftOver(file, drawn.left_over)


def write_pool(sampler: Sampler, uri: str, epoch: int, left_over: Iterable[LeftOver]) -> Written:
    """Writes what the files of an epoch left over, in one more file behind them."""
    parts = sorted(left_over, key=lambda part: part.file)
    return _write(sampler, uri, epoch, sampler.files, [pool(sampler, (part.rows for part in parts))])


def _write(sampler: Sampler, uri: str, epoch: int, number: int, parts: Iterable[PackedRows]) -> Written:
    path = training_file(epoch, number, sampler.files + 1)
    with storage.write_atomically(f"{uri}/{path}") as file:
        writer, buffer = BatchWriter(file), BatchBuffer(TRAIN_COLUMNS, sampler.batch_size)
        for rows, columns in in_columns(parts, buffer.records * buffer.rows):
            records = rows // buffer.rows
            shaped = [column.reshape(buffer.records, buffer.rows) for column in columns]
            for name, values in zip(TRAIN_COLUMNS, shaped, strict=True):
                buffer.columns[name][:records] = values[:records]
            writer.write(buffer, records)
        return Written(path, writer.digest())
