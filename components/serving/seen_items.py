"""What each user has interacted with, which the served model does not recommend again."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from components.artifacts.interactions import Interactions, concatenate
from components.artifacts.splits import SPLITS
from components.shared.errors import UserError


@dataclass(frozen=True)
class SeenItems:
    """Each user's items, held-out ones too.

    Attributes:
      items: int32 [interactions], indexes; those of user 0 first.
      ends: int64 [users], where each user's part of `items` ends.
    """

    items: npt.NDArray[np.int32]
    ends: npt.NDArray[np.int64]

    @classmethod
    def open(cls, uri: str, users: int) -> Self:
        """Reads the interactions artifact at `uri`.

        Raises:
          UserError: it is not whole, or has more users than there are.
        """
        interactions = Interactions(uri)
        if interactions.summary.users > users:
            raise UserError(
                f"the interactions at {uri} have {interactions.summary.users:,} users, but their vocabulary has "
                f"{users:,}; run Preprocess again"
            )
        seen = concatenate(interactions.by_user(SPLITS))
        return cls(seen.items, np.searchsorted(seen.users, np.arange(users), side="right"))

    @classmethod
    def nothing(cls, users: int) -> Self:
        """Of users who have seen nothing."""
        return cls(np.zeros(0, np.int32), np.zeros(users, np.int64))
