"""What each user has interacted with, which the served model does not recommend again."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from components.artifacts.interactions import concatenate, read_by_user
from components.artifacts.storage import SPLITS
from components.shared.errors import UserError


@dataclass(frozen=True)
class SeenItems:
    """Each user's items, held-out ones too.

    Attributes:
      items: int32 [interactions], indexes; those of user 0 first.
      ends: int64 [users], where each user's part of `items` ends.
    """

    items: np.ndarray
    ends: np.ndarray

    @classmethod
    def open(cls, uri: str, users: int) -> Self:
        """Reads the interactions artifact at `uri`.

        Raises:
          UserError: it has more users than there are.
        """
        of_user, items = concatenate(read_by_user(uri, SPLITS))
        if len(of_user) and of_user[-1] >= users:
            raise UserError(
                f"the interactions at {uri} have {of_user[-1] + 1:,} users, but their vocabulary has {users:,}; "
                "run Preprocess again"
            )
        return cls(items, np.searchsorted(of_user, np.arange(users), side="right"))

    @classmethod
    def nothing(cls, users: int) -> Self:
        """Of users who have seen nothing."""
        return cls(np.zeros(0, np.int32), np.zeros(users, np.int64))
