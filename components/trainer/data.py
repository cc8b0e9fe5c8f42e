"""The examples artifact: batches for training as arrays, those for validation as tf.data."""

import contextlib
import itertools
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self, TypeAlias

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from components.artifacts.examples import (
    EvaluationLayout,
    ExamplesSummary,
    list_evaluation_files,
    list_training_files,
)
from components.artifacts.interactions import Interactions
from components.artifacts.records import DTYPES, TRAIN_COLUMNS, read_batches
from components.sampling.epochs_ahead import written_ahead
from components.sampling.sampler import Sampler
from components.sampling.stream import TrainingBatches, stream
from components.shared.errors import UserError
from components.shared.files.folders import local_file
from components.shared.parallel import ahead
from components.trainer.config import TrainerConfig

_READ_BUFFER_BYTES = 4 << 20
_PARALLEL = 2
_GROUPS_AHEAD = 2

Rows: TypeAlias = tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.uint8]]
"""Users, items and labels, [n]."""


@dataclass(frozen=True)
class Examples:
    """An examples artifact.

    Attributes:
      uri: where it is.
      summary: what is in it.
      sampler: what draws its rows; None where its files have them.
      folder: where files of the rows are written while training goes on; None: nowhere, they are drawn into memory.
    """

    uri: str
    summary: ExamplesSummary
    sampler: Sampler | None = None
    folder: str | None = None

    @classmethod
    def open(cls, uri: str, interactions: str | None = None) -> Self:
        """Reads the summary of the artifact at `uri`.

        Args:
          uri: of the examples.
          interactions: URI of what they were made from, which examples without training files are drawn from.

        Raises:
          UserError: the artifact is not whole; its rows are to be drawn, from other interactions.
        """
        summary = ExamplesSummary.read(uri)
        return cls(uri, summary, _sampler(summary, uri, interactions))

    def written_ahead_to(self, folder: str) -> Self:
        """The same examples, with files in a folder of this training alone where the summary says to write them."""
        return replace(self, folder=folder) if self.summary.streamed and self.summary.streamed.epochs_ahead else self

    @property
    def validation(self) -> EvaluationLayout | None:
        """Shape of the validation split; None where no user is in it."""
        layout = self.summary.evaluation.get("validation")
        return layout if layout and layout.users else None

    def check(self, config: TrainerConfig) -> None:
        """Raises UserError unless these examples were cut for `config`."""
        if config.batch_size not in (self.summary.batch_size, "auto"):
            raise UserError(
                f"trainer.batch_size is {config.batch_size:,}, but the examples at {self.uri} were cut into batches of "
                f"{self.summary.batch_size:,}; run NegativeGen again with this batch size, or set "
                f"trainer.batch_size={self.summary.batch_size}"
            )
        if self.sampler is None and self.summary.epochs < config.epochs_of_examples:
            raise UserError(
                f"training needs {config.epochs_of_examples:,} epochs, but the examples at {self.uri} hold "
                f"{self.summary.epochs:,}; run NegativeGen again with this number of epochs, or set "
                f"trainer.epochs={self.summary.epochs} (and trainer.pretraining_epochs likewise)"
            )

    def training_epochs(
        self, epochs: Sequence[int], steps_per_call: int
    ) -> Generator[Iterator[TrainingBatches], None, None]:
        """The batches of some epochs, several batches at a time, read or drawn ahead by threads of their own.

        To be closed where it is not exhausted.

        Args:
          epochs: which ones, from 0 on.
          steps_per_call: batches in an element, S.

        Yields:
          An epoch's elements, to be taken before the next epoch is, `steps, user, item, label`: the number of batches
          in it, which is S but for the last one; int32 [S, B]; int32 [S, B]; uint8 [S, B], 1 for a positive. The arrays
          are always of this size.

        Raises:
          UserError: an epoch has no files, or one of them is damaged; files of the interactions are missing; files
            could not be written ahead.
        """
        if self.sampler is None:
            return (self._read(self.uri, epoch, steps_per_call) for epoch in epochs)
        if self.folder is None:
            return stream(self.sampler, epochs, steps_per_call)
        return self._read_written_ahead(self.sampler, self.folder, epochs, steps_per_call)

    def _read_written_ahead(
        self, sampler: Sampler, folder: str, epochs: Sequence[int], steps_per_call: int
    ) -> Generator[Iterator[TrainingBatches], None, None]:
        assert self.summary.streamed is not None
        number = self.summary.streamed.epochs_ahead or 0
        with contextlib.closing(written_ahead(sampler, folder, epochs, number)) as written:
            for epoch in written:
                with contextlib.closing(self._read(folder, epoch, steps_per_call)) as batches:
                    yield batches

    def _read(self, uri: str, epoch: int, steps_per_call: int) -> Generator[TrainingBatches, None, None]:
        batches = itertools.chain.from_iterable(map(read_batches, list_training_files(uri, epoch)))
        return ahead(self._grouped(batches, steps_per_call), _GROUPS_AHEAD)

    def _grouped(self, batches: Iterator[dict[str, npt.NDArray[Any]]], size: int) -> Iterator[TrainingBatches]:
        while group := list(itertools.islice(batches, size)):
            arrays = {name: np.zeros((size, self.summary.batch_size), DTYPES[name]) for name in TRAIN_COLUMNS}
            for name, array in arrays.items():
                for position, batch in enumerate(group):
                    array[position] = batch[name]
            yield len(group), arrays["user"], arrays["item"], arrays["label"]

    def training_rows(self, epoch: int) -> Iterator[Rows]:
        """The rows of an epoch (from 0), the few that fill its batches included, a part at a time.

        Yields:
          Users and items, int32 [n], and labels, uint8 [n], 1 for a positive.
        """
        for batches in replace(self, folder=None).training_epochs([epoch], steps_per_call=1):
            for _, user, item, label in batches:
                yield user[0], item[0], label[0]

    def validation_batches(self) -> tf.data.Dataset:
        """The validation batches: `user`, `item` int32 [U, width], `mask` uint8 [U, width], the positive first."""
        assert self.validation is not None
        shape = (self.validation.users_per_batch, self.validation.width)
        columns = {"user": tf.int32, "item": tf.int32, "mask": tf.uint8}
        records = _records(list(map(local_file, list_evaluation_files(self.uri, "validation"))))
        return records.map(lambda record: _decode(record, columns, shape), num_parallel_calls=_PARALLEL).prefetch(4)


def _sampler(summary: ExamplesSummary, uri: str, interactions: str | None) -> Sampler | None:
    if summary.streamed is None:
        return None
    assert interactions is not None
    source = Interactions(interactions)
    if source.summary.fingerprint != summary.streamed.interactions:
        raise UserError(
            f"the examples at {uri} are to be drawn from other interactions than those at {interactions}; "
            "run NegativeGen again"
        )
    return Sampler(source, summary.num_negatives, summary.batch_size, summary.seed, summary.streamed.file_bits)


def _records(files: list[str]) -> tf.data.Dataset:
    return tf.data.TFRecordDataset(files, buffer_size=_READ_BUFFER_BYTES, num_parallel_reads=_PARALLEL)


def _decode(record: tf.Tensor, columns: dict[str, tf.DType], shape: tuple[int, ...]) -> tuple[tf.Tensor, ...]:
    example = tf.io.parse_single_example(record, {name: tf.io.FixedLenFeature((), tf.string) for name in columns})
    return tuple(tf.reshape(tf.io.decode_raw(example[name], dtype), shape) for name, dtype in columns.items())
