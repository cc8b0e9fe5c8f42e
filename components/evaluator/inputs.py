"""The users whom the model is judged by, and what they have seen."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from components.artifacts.interactions import Interactions, Pairs, concatenate
from components.evaluator.ranking.ranks import Holdouts


def read_holdouts(interactions: Interactions, most_users: int | None, random: np.random.Generator) -> Holdouts:
    """Reads users with a test item, and what they have seen (training and validation items).

    Memory is bounded by one shard and the seen items of the chosen users.

    Args:
      interactions: the artifact.
      most_users: draws so many of the users; None takes them all.
      random: draws them.
    """
    users, items = interactions.split("test")
    if most_users is not None and most_users < len(users):
        chosen = np.sort(random.choice(len(users), most_users, replace=False))
        users, items = users[chosen], items[chosen]
    seen = concatenate(_seen_by(users, interactions))
    return Holdouts(users, items, seen.items, np.searchsorted(seen.users, users, side="right"))


def _seen_by(users: npt.NDArray[np.int32], interactions: Interactions) -> Iterator[Pairs]:
    for pairs in interactions.by_user(("train", "validation")):
        wanted = np.isin(pairs.users, users)
        yield Pairs(pairs.users[wanted], pairs.items[wanted])
