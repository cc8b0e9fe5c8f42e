"""Users who are held out entirely, and what they are judged by."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from components.artifacts.held_out_users import HeldOutUsers
from components.artifacts.interactions_summary import Dropped
from components.preprocess.config import PreprocessConfig
from components.preprocess.rows import as_column
from components.preprocess.shards import holdouts, loops, split_loops
from components.preprocess.shards.filters import Arranged
from components.preprocess.shards.holdouts import Outline
from components.preprocess.shards.plan import Plan
from components.shared.random_streams import stream_key


def separate(arranged: Arranged, share: float, seed: int) -> tuple[Arranged, Arranged]:
    """Draws a share of a shard's users, each for itself.

    Args:
      arranged: the shard's interactions that the filters leave.
      share: how many are drawn, about.
      seed: the run's seed.

    Returns:
      The interactions of the users who stay, with all that the filters dropped, and those of the users drawn.
    """
    drawn = split_loops.draw_users(arranged.users, share, np.uint64(stream_key(seed, "new users")))
    return _of_users(arranged, ~drawn), replace(_of_users(arranged, drawn), dropped=Dropped())


def histories(
    arranged: Arranged, plan: Plan, whole: Outline, preprocess: PreprocessConfig, *, timed: bool, seed: int
) -> HeldOutUsers:
    """What users did, and which item each is judged by: that which would be the test item, were they not held out.

    The validation item belongs to the history; what would be set aside belongs to nothing.

    Args:
      arranged: the interactions of a shard's users who are held out.
      plan: the raw ids.
      whole: the items of the users who stay.
      preprocess: how to split.
      timed: see `holdouts.choose`.
      seed: the run's seed.
    """
    left = holdouts.settle(arranged, plan, whole, preprocess)
    split = holdouts.choose(left, preprocess, timed=timed, seed=seed)
    rows = np.repeat(np.arange(len(left.users)), left.counts)
    judged, history = split == loops.TEST, (split != loops.TEST) & (split != loops.ASIDE)
    complete = _has_any(rows, judged, left) & _has_any(rows, history, left)
    kept = (judged | history) & complete[rows]
    return HeldOutUsers(
        users=as_column(plan.users.take(left.users[rows[kept]])),
        items=as_column(plan.items.take(left.items[kept])),
        judged=judged[kept],
        drawn=len(arranged.users),
        rows=len(arranged.items),
    )


def _of_users(arranged: Arranged, wanted: npt.NDArray[np.bool_]) -> Arranged:
    if wanted.all():
        return arranged
    rows = np.repeat(wanted, arranged.counts)
    return replace(
        arranged,
        users=arranged.users[wanted],
        counts=arranged.counts[wanted],
        items=arranged.items[rows],
        marks=arranged.marks[rows],
    )


def _has_any(rows: npt.NDArray[np.int64], chosen: npt.NDArray[np.bool_], arranged: Arranged) -> npt.NDArray[np.bool_]:
    """Which users have a row among the chosen ones."""
    return np.bincount(rows[chosen], minlength=len(arranged.users)) > 0
