"""What one run of NegativeGen has to do: its inputs, its parameters, and the shape of its outputs."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from components.artifacts.interactions import Interactions
from components.artifacts.splits import Split
from components.artifacts.vocabulary import Vocabulary
from components.negative_gen.config import NegativesConfig
from components.sampling.sampler import Sampler
from components.shared.errors import UserError


@dataclass(frozen=True)
class NegativesJob:
    """One run. It is sent to the workers as it is.

    Attributes:
      interactions: the input.
      evaluation_splits: the splits that get evaluation records.
      vocabulary_uri: the vocabulary, for the raw ids in error messages.
      examples_uri: where to write.
      negatives: how to sample.
      batch_size: rows of a training batch.
      epochs: training epochs to write, or to leave to the Trainer.
      seed: the run's seed.
      max_rows_per_file: about how many rows a file may hold; it is shuffled in memory, at eight bytes a row.
    """

    interactions: Interactions
    evaluation_splits: tuple[Split, ...]
    vocabulary_uri: str
    examples_uri: str
    negatives: NegativesConfig
    batch_size: int
    epochs: int
    seed: int
    max_rows_per_file: int = 1 << 25

    @property
    def users(self) -> int:
        """Users of the vocabulary."""
        return self.interactions.summary.users

    @property
    def items(self) -> int:
        """Items of the vocabulary."""
        return self.interactions.summary.items

    @property
    def train_positives(self) -> int:
        """Training interactions."""
        return self.interactions.summary.interactions["train"]

    @cached_property
    def sampler(self) -> Sampler:
        """What draws the training rows."""
        negatives = self.negatives.num_negatives
        rows = max(1, self.train_positives * (1 + negatives))
        file_bits = max(0, math.ceil(math.log2(rows / self.max_rows_per_file)))
        return Sampler(self.interactions, negatives, self.batch_size, self.seed, file_bits)

    @property
    def gigabytes(self) -> float:
        """What the training files of all epochs take."""
        return self.negatives.gigabytes(self.train_positives, self.batch_size, self.epochs)

    @property
    def streams(self) -> bool:
        """Whether the training rows are left to the Trainer, to draw or to have written."""
        return self.negatives.streams(self.gigabytes)

    @cached_property
    def width(self) -> int:
        """Rows of one user in the evaluation records: the positive and its negatives.

        Raises:
          UserError: protocol ncf, and the dataset brings no negatives.
        """
        if self.negatives.protocol != "ncf":
            return 1 + self.negatives.num_eval_negatives
        given = self.interactions.given_negatives()
        if not given:
            raise UserError(
                "negatives.protocol ncf takes the test negatives from the dataset, and this one brings none: "
                "set dataset.kind to ncf, or negatives.protocol to standard or mlperf"
            )
        return 1 + max(map(len, given.values()))

    def ranked_users(self, split: Split) -> int:
        """How many users have evaluation records."""
        users, most = self.interactions.summary.interactions[split], self.negatives.eval_users
        return users if most is None else min(users, most)

    @property
    def users_per_batch(self) -> int:
        """Users of one evaluation batch."""
        return max(1, self.negatives.eval_rows_per_batch // self.width)

    def raw_user(self, user: int) -> str:
        """A user as messages show it: by the id that the data set has."""
        return repr(Vocabulary.open(self.vocabulary_uri).user(user))

    def users_with_every_item(self) -> list[str]:
        """Those whose training items are all that there are, as messages show them."""
        vocabulary = Vocabulary.open(self.vocabulary_uri)
        return [repr(vocabulary.user(user)) for user in np.flatnonzero(vocabulary.user_counts >= self.items).tolist()]
