"""What a baseline is."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Final, Self

import numpy as np
import numpy.typing as npt
import scipy.sparse

from components.shared.parameters import Section
from components.shared.progress import Bar
from components.shared.scorer import Scorer

AUTO: Final = "auto"
Pairs = tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]


@dataclass(frozen=True)
class Training:
    """What baselines learn from: nothing that the model did not learn from.

    Attributes:
      users: how many users there are.
      item_counts: training interactions of each item, int64 [items].
      read: reads the users and the items of the training interactions, int32 [interactions] each: by user, and where
        `by_time`, a user's oldest first.
      read_validation: reads those that are held out for validation, at most one of each user, by user.
      by_time: whether a user's held-out interactions are its latest: for validation the last but one, for the test the
        last.
      seed: the seed of the run, for what is drawn at random.
    """

    users: int
    item_counts: npt.NDArray[np.int64]
    read: Callable[[], Pairs]
    read_validation: Callable[[], Pairs]
    by_time: bool
    seed: int

    @property
    def items(self) -> int:
        """How many items there are."""
        return len(self.item_counts)

    @cached_property
    def pairs(self) -> Pairs:
        """The training interactions; read once, and only if a baseline asks for them."""
        return self.read()

    @cached_property
    def validation(self) -> Pairs:
        """The interactions that are held out for validation; read once, and only if a baseline asks for them."""
        return self.read_validation()

    def with_validation(self) -> Self:
        """The same, what is held out for validation being learnt from too, as each user's latest."""
        users, items = self.validation
        return replace(
            self,
            item_counts=self.item_counts + np.bincount(items, minlength=self.items),
            read=self._all_pairs,
            read_validation=lambda: (users[:0], items[:0]),
        )

    def _all_pairs(self) -> Pairs:
        users, items = map(np.concatenate, zip(self.pairs, self.validation, strict=True))
        order = np.argsort(users, kind="stable")
        return users[order], items[order]

    @cached_property
    def matrix(self) -> scipy.sparse.csr_matrix:
        """1 where a user has interacted with an item in training, float64 [users, items]."""
        users, items = self.pairs
        found = scipy.sparse.csr_matrix((np.ones(len(users)), (users, items)), (self.users, self.items))
        # Where pairs are kept as often as they come, they have been summed.
        found.data[:] = 1
        return found


class Baseline(Section):
    """A ranking that a model has to beat: its keys in the section `evaluator`, and how it is fitted.

    Attributes:
      title: what sentences and the console call it.
      label: what charts and columns call it: one short word, another one than "Model".
      about: what `evaluator.NAME` measures, for the description of that key.
    """

    title: ClassVar[str]
    label: ClassVar[str]
    about: ClassVar[str]

    def steps(self, training: Training) -> int:
        """By how many steps `fit` moves the bar on."""
        return 1

    def tries(self) -> int:
        """By how many steps `tuned` moves the bar on; 0 where there is nothing to choose."""
        return 0

    def obstacle(self, training: Training) -> str | None:
        """Why it cannot be fitted to this data, in a few words; None where it can."""
        return None

    def tuned(self, training: Training, bar: Bar) -> Self:
        """The same baseline, with a number for each setting that is `auto`: the best on the validation items.

        Args:
          training: what there is to learn from.
          bar: moves on by `tries` in all.
        """
        return self

    def chosen(self, tuned: Self) -> dict[str, int | float]:
        """The settings that were `auto`, as they are now."""
        return {name: value for name, value in tuned if getattr(self, name) == AUTO}

    def fit(self, training: Training, bar: Bar) -> Scorer:
        """Learns from the training interactions.

        Args:
          training: what there is to learn from.
          bar: moves on by `steps` in all.
        """
        raise NotImplementedError
