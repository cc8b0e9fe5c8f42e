"""The examples: TFRecord files of ready batches (see `records`), one set of them per training epoch.

Training: `Split-train/epoch-00000-shard-00000-of-00004.tfrecord`; every epoch has as many batches, all of one size.
There are none where training draws the same batches itself, or has their files written (`ExamplesSummary.streamed`).
Evaluation: one file for each split, where a batch holds whole users, and of each the held-out item first.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field

from components.artifacts import storage
from components.artifacts.splits import Split, shard_name, split_dir
from components.artifacts.summary import Part, Summary
from components.shared.errors import UserError

_SUFFIX = "tfrecord"


@dataclass(frozen=True, kw_only=True)
class EvaluationLayout(Part):
    """Shape of an evaluation split.

    Attributes:
      users: the number of those that have a held-out item there.
      width: rows of each: the held-out item, and what it is ranked against.
      users_per_batch: users of a batch; what is left of the last one is padding.
      batches: the number of batches.
      short_users: how many users have fewer candidates than `width - 1`; they have all of them, and then masked rows.
        None where there are none.
    """

    users: int
    width: int
    users_per_batch: int
    batches: int
    short_users: int | None = None


@dataclass(frozen=True, kw_only=True)
class Streamed(Part):
    """What training draws its rows by, besides what the summary has anyway.

    Attributes:
      interactions: fingerprint of those that they are drawn from.
      file_bits: of `components.sampling.sampler.Sampler`.
      epochs_ahead: how many epochs ahead of the one that is read training has their files written; None where it draws
        the rows into memory.
    """

    interactions: str
    file_bits: int
    epochs_ahead: int | None = None


@dataclass(frozen=True, kw_only=True)
class ExamplesSummary(Summary):
    """What is in the artifact; every size is known before anything is read.

    Attributes:
      batch_size: rows of a training batch.
      epochs: the number of epochs that there are files of; where there are none, that training was to draw.
      num_negatives: training rows for each positive, besides its own.
      rows_per_epoch: positives and negatives.
      batches_per_epoch: batches, the filled-up one included.
      users: the number of users in the vocabulary.
      items: the number of items in the vocabulary.
      train_positives: training interactions.
      protocol: how negatives were chosen.
      streamed: what training draws its rows by, where NegativeGen wrote no files of them; else None.
      evaluation: shapes of the evaluation splits that are there; "eval" in JSON.
      seed: the seed of the run, which negatives and orders were drawn from.
      fingerprint: a digest of all records.
    """

    STEP: ClassVar[str] = "NegativeGen"

    batch_size: int
    epochs: int
    num_negatives: int
    rows_per_epoch: int
    batches_per_epoch: int
    users: int
    items: int
    train_positives: int
    protocol: str
    streamed: Streamed | None = None
    evaluation: Annotated[dict[Split, EvaluationLayout], Field(alias="eval")]
    seed: int
    fingerprint: str


def training_file(epoch: int, shard: int, shards: int) -> str:
    """The path, below the artifact, of one of the files of an epoch."""
    return f"{split_dir('', 'train')}/{_epoch_prefix(epoch)}{shard_name(shard, shards, _SUFFIX)}"


def evaluation_file(split: Split) -> str:
    """The path, below the artifact, of the file of an evaluation split."""
    return f"{split_dir('', split)}/{shard_name(0, 1, _SUFFIX)}"


def list_training_files(uri: str, epoch: int) -> list[str]:
    """The files of an epoch, in the order of their batches.

    Raises:
      UserError: there are none.
    """
    return _list(uri, "train", _epoch_prefix(epoch))


def list_evaluation_files(uri: str, split: Split) -> list[str]:
    """The files of an evaluation split, in the order of their batches.

    Raises:
      UserError: there are none.
    """
    return _list(uri, split)


def _epoch_prefix(epoch: int) -> str:
    return f"epoch-{epoch:05d}-"


def _list(uri: str, split: Split, prefix: str = "") -> list[str]:
    folder = split_dir(uri, split)
    files = storage.list_files(folder, _SUFFIX, prefix)
    if not files:
        raise UserError(f"{folder} has no file {prefix}*.{_SUFFIX}; run {ExamplesSummary.STEP} again")
    return files
