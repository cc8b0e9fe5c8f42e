"""What users did, in its order: what the towers in closed form learn from, and what they read."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt
import scipy.sparse

from components.artifacts.interactions import Interactions, Pairs, concatenate
from components.artifacts.splits import Split
from components.artifacts.vocabulary import RawIds
from components.shared.sequences import latest_items
from components.trainer.settings import Counts


@dataclass(frozen=True)
class Histories:
    """Interactions by user, those of a user in their order.

    Attributes:
      users: how many users there are.
      items: how many items there are.
      train: the training interactions; users ascend, a user's items are in their order.
      validation: at most one later interaction of each user, users ascending.
      afterwards: all else that is held out, in the order of `train`: the test's, and so only for what is served.
      in_order: whether the order is that of time, in which the held-out items are the latest; else it means nothing.
      user_ids: raw ids of the users, [users], by which some are drawn; None: by their indexes.
    """

    users: int
    items: int
    train: Pairs
    validation: Pairs
    afterwards: Pairs
    in_order: bool
    user_ids: RawIds | None = None

    @classmethod
    def read(cls, uri: str, user_ids: RawIds | None = None) -> Self:
        """Reads the interactions artifact at `uri`."""
        interactions = Interactions(uri)
        summary = interactions.summary
        wanted: Sequence[Sequence[Split]] = (("train",), ("validation",), ("test", "aside"))
        train, validation, afterwards = (concatenate(interactions.by_user(splits)) for splits in wanted)
        return cls(summary.users, summary.items, train, validation, afterwards, summary.latest_held_out, user_ids)

    def counts(self, batch_size: int) -> Counts:
        """What the rules for `auto` go by, with the batches that the examples were cut into."""
        interactions, validation = len(self.train.users), len(self.validation.users)
        return Counts(self.users, self.items, interactions, self.in_order, batch_size, validation)

    @cached_property
    def seen(self) -> scipy.sparse.csr_matrix:
        """1 where a user has interacted with an item in training, float32 [users, items]."""
        return self.all_of(self.train)

    @cached_property
    def complete(self) -> Pairs:
        """All interactions but those for the test, that for validation being a user's latest."""
        return _by_user(self.train, self.validation)

    @cached_property
    def everything(self) -> Pairs:
        """All interactions, those for the test too: only for what is served."""
        return _by_user(self.complete, self.afterwards)

    def with_validation(self) -> Self:
        """The same, what is held out for validation being for training."""
        nothing = Pairs(*(held_out[:0] for held_out in self.validation))
        return replace(self, train=self.complete, validation=nothing)

    def with_validation_of(self, some: npt.NDArray[np.bool_]) -> Self:
        """The same, what is held out for validation of some users, bool [users], being for training."""
        moved = some[self.validation.users]
        theirs, left = (Pairs(*(column[chosen] for column in self.validation)) for chosen in (moved, ~moved))
        return replace(self, train=_by_user(self.train, theirs), validation=left)

    def first(self, numbers: npt.NDArray[np.int32]) -> Pairs:
        """The first interactions of each user, but for the test's: so many, int32 [users]."""
        users, items = self.complete
        begins = np.searchsorted(users, np.arange(self.users))
        there = np.arange(len(users)) - begins[users] < numbers[users]
        return Pairs(users[there], items[there])

    def all_of(self, pairs: Pairs) -> scipy.sparse.csr_matrix:
        """1 for each of the pairs, float32 [users, items]."""
        values = np.ones(len(pairs.users), np.float32)
        return scipy.sparse.csr_matrix((values, tuple(pairs)), (self.users, self.items))

    def latest_of(self, pairs: Pairs, number: int, decay: float) -> scipy.sparse.csr_matrix:
        """The latest items of each user, the weight of each being `decay` to the power of how many came after it.

        Returns:
          float32 [users, items].
        """
        return latest_items(*pairs, (self.users, self.items), number, decay).astype(np.float32)


def _by_user(*parts: Pairs) -> Pairs:
    """Interactions of several parts, users ascending, those of a user in the order of the parts."""
    users, items = concatenate(parts)
    order = np.argsort(users, kind="stable")
    return Pairs(users[order], items[order])
