"""The `negatives` section of the configuration."""

import math
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from components.artifacts.records import BYTES_PER_TRAINING_ROW
from components.shared.parameters import Auto, Section

Protocol = Literal["standard", "ncf", "mlperf"]
Source = Literal["auto", "files", "streamed"]


class NegativesConfig(Section):
    """How negatives are sampled, for training and for evaluation."""

    protocol: Protocol = Field(
        default="standard",
        description=(
            "evaluation negatives. standard: without replacement, nothing that the user has seen; ncf: those that the "
            "dataset brings for its test items; mlperf: with replacement, no training item of the user, repeats masked"
        ),
    )
    num_negatives: int = Field(
        default=4, ge=1, le=1_000, description="fresh negatives for each training positive in every epoch"
    )
    num_eval_negatives: int = Field(
        default=999,
        ge=1,
        le=1_000_000,
        description=(
            "negatives that each held-out item is ranked against; all of them where a user has fewer unseen items; "
            "with protocol ncf the dataset decides"
        ),
    )
    eval_users: Annotated[int, Field(ge=1)] | None = Field(
        default=200_000,
        description=(
            "users of each split that are ranked so, at most: where more have a held-out item, a sample drawn with the "
            "run's seed, since records of all would take more than the data (9 bytes for each item of each user's "
            "list). null: all"
        ),
    )
    source: Source = Field(
        default="auto",
        description=(
            "where training takes its rows from, which are the same ones in the same order. files: NegativeGen writes "
            "those of every epoch; streamed: training draws them itself, and nothing of them is on disk; auto: files, "
            "unless all epochs together would take more than files_limit_gb"
        ),
    )
    files_limit_gb: float = Field(
        default=4.0, ge=0, allow_inf_nan=False, description="GB of training files that auto writes at most"
    )
    epochs_ahead: int = Field(
        default=0,
        ge=0,
        le=100,
        description=(
            "with source files: how many epochs ahead of the one that training reads another process writes their "
            "files, while training goes on; each epoch's are deleted once it is over. 0: NegativeGen writes those of "
            "all epochs before. On one machine only ([scale.md](scale.md))"
        ),
    )
    eval_rows_per_batch: int = Field(
        default=65_536, ge=1, le=1 << 24, description="rows of an evaluation batch, about: it holds whole users"
    )

    @model_validator(mode="after")
    def _only_files_are_written_ahead(self) -> Self:
        if self.epochs_ahead and self.source != "files":
            raise ValueError(
                f"epochs_ahead is {self.epochs_ahead}, and source {self.source}: only files are written ahead; set "
                "source to files, or epochs_ahead to 0"
            )
        return self

    def gigabytes(self, positives: int, batch_size: int, epochs: int) -> float:
        """What the training files of all epochs take.

        Args:
          positives: training interactions.
          batch_size: rows of a batch; the last one of an epoch is filled up.
          epochs: how many.

        Example:
          >>> NegativesConfig(num_negatives=4).gigabytes(positives=1_000_000, batch_size=10_000, epochs=10)
          0.45
        """
        batches = math.ceil(positives * (1 + self.num_negatives) / batch_size)
        return epochs * batches * batch_size * BYTES_PER_TRAINING_ROW / 1e9

    def streams(self, gigabytes: float) -> bool:
        """Whether the training rows are left to the Trainer, where the files of all epochs would take so much."""
        if self.source == "auto":
            return gigabytes > self.files_limit_gb
        return self.source == "streamed" or self.epochs_ahead > 0


class BatchesConfig(Section):
    """What the training examples are cut for; the trainer's configuration says it."""

    batch_size: Annotated[int, Field(ge=1, le=2**31 - 1)] | Auto = Field(
        description="rows of a training batch; auto: what `batch_size_for` says"
    )
    epochs: int = Field(ge=1, description="of training")
    pretraining_epochs: int = Field(default=0, ge=0, description="of pretraining, on the same examples")

    def batch_size_of(self, rows: int) -> int:
        """The rows of a batch where an epoch has so many."""
        return batch_size_for(rows) if self.batch_size == "auto" else self.batch_size


def batch_size_for(rows: int) -> int:
    """Rows of a training batch, so that an epoch has 200 to 400 steps: a power of two between 1,024 and 16,384.

    Args:
      rows: of an epoch.

    Example:
      >>> [batch_size_for(rows) for rows in (100_000, 500_000, 5_000_000)]
      [1024, 2048, 16384]
    """
    return int(min(max(1 << (max(rows // 200, 1).bit_length() - 1), 1024), 16_384))
