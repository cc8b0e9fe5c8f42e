"""What the training rows of every epoch are drawn from, and how."""

import math
from dataclasses import dataclass
from functools import cached_property

from components.artifacts.interactions import Interactions
from components.sampling.train_shards import TrainShards


@dataclass(frozen=True)
class Sampler:
    """All that decides which rows an epoch has, and in which order. It is sent to the workers as it is.

    Attributes:
      interactions: whose training split has the positives.
      num_negatives: rows for each of them, besides its own.
      batch_size: rows of a batch.
      seed: the run's seed.
      file_bits: random bits that choose a row's file: an epoch has 2^file_bits files, which are drawn one by one, and
        then the pool of what they left over.
    """

    interactions: Interactions
    num_negatives: int
    batch_size: int
    seed: int
    file_bits: int

    @property
    def items(self) -> int:
        """Items of the vocabulary."""
        return self.interactions.summary.items

    @property
    def files(self) -> int:
        """Files of an epoch, without the pool."""
        return 1 << self.file_bits

    @property
    def rows_per_epoch(self) -> int:
        """Positives and negatives of one epoch."""
        return self.interactions.summary.interactions["train"] * (1 + self.num_negatives)

    @property
    def batches_per_epoch(self) -> int:
        """Batches of one epoch, the filled-up one included."""
        return math.ceil(self.rows_per_epoch / self.batch_size)

    @cached_property
    def train_shards(self) -> TrainShards:
        """The training split; each worker keeps its own in memory."""
        return TrainShards(self.interactions)
