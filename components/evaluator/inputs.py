"""The users whom the model is judged by, and what they have seen."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from components.artifacts.interactions import Interactions, Pairs, concatenate
from components.artifacts.splits import Split
from components.artifacts.vocabulary import RawIds
from components.ranking.ranks import Holdouts
from components.shared.stable_samples import draw_ids


@dataclass(frozen=True)
class Draw:
    """Which users are drawn.

    Attributes:
      number: how many at most.
      user_ids: raw ids of all users, [users], by which they are drawn: they stay the same ones where data comes.
      key: of a random stream.
    """

    number: int
    user_ids: RawIds
    key: int


def read_holdouts(interactions: Interactions, draw: Draw | None = None) -> Holdouts:
    """Reads users with a test item, and what they have seen (training and validation items).

    Memory is bounded by one shard and the seen items of the chosen users.

    Args:
      interactions: the artifact.
      draw: which of the users; None takes them all.
    """
    users, items = interactions.split("test")
    if draw is not None:
        chosen = draw_ids(draw.user_ids[users], draw.number, draw.key)
        users, items = users[chosen], items[chosen]
    seen = concatenate(_seen_by(users, interactions, ("train", "validation")))
    return Holdouts(users, items, seen.items, np.searchsorted(seen.users, users, side="right"))


def with_aside(holdouts: Holdouts, interactions: Interactions) -> Holdouts:
    """The same users, with what is set aside among their seen items: a served model does not recommend that either."""
    if "aside" not in interactions.summary.interactions:
        return holdouts
    seen = concatenate(_seen_by(holdouts.users, interactions, ("train", "validation", "aside")))
    return replace(holdouts, seen=seen.items, seen_ends=np.searchsorted(seen.users, holdouts.users, side="right"))


def _seen_by(users: npt.NDArray[np.int32], interactions: Interactions, splits: Sequence[Split]) -> Iterator[Pairs]:
    for pairs in interactions.by_user(splits):
        wanted = np.isin(pairs.users, users)
        yield Pairs(pairs.users[wanted], pairs.items[wanted])
