"""Whether the figures of an evaluation can be believed.

They cannot where the test is known before it is held, nor where the harness contradicts itself: where it ranks
otherwise the second time, or finds a difference between popularity and itself. Both are tried on a seeded sample of the
users.
"""

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from components.artifacts.evaluation import MODEL, Soundness
from components.artifacts.interactions import Interactions
from components.evaluator.baselines.popularity import PopularityScorer
from components.evaluator.bootstrap import intervals, resampled_means
from components.metrics.by_user import by_user
from components.ranking.ranks import FullRanking, Holdouts, rank_all_items
from components.shared.progress import Reporter
from components.shared.scorer import Scorer

MOST_USERS = 256
_RESAMPLES = 20
_KS = (1, 10, 100)


def count_leaked(interactions: Interactions) -> int:
    """How many test rows have an item that is among the training or validation items of the same user.

    Memory is bounded by the test rows and one shard.

    Args:
      interactions: the artifact.
    """
    test = interactions.split("test")
    held_out = np.full(interactions.summary.users, -1, np.int32)
    held_out[test.users] = test.items
    leaked = (
        np.unique(seen.users[held_out[seen.users] == seen.items])
        for seen in interactions.by_user(("train", "validation"))
    )
    return sum(map(len, leaked))


def count_repeated(users: npt.NDArray[np.int32]) -> int:
    """How many rows are not the first of their user.

    Args:
      users: int32 [rows].

    Example:
      >>> count_repeated(np.array([3, 1, 3, 3], np.int32))
      2
    """
    return len(users) - len(np.unique(users))


def check_soundness(
    scorer: Scorer,
    rankings: Mapping[str, FullRanking],
    holdouts: Holdouts,
    interactions: Interactions,
    item_counts: npt.NDArray[np.int64],
    users_per_block: int,
    random: np.random.Generator,
) -> Soundness:
    """Looks for what is known before the test, and ranks a sample of the users again.

    Args:
      scorer: what ranked as the model.
      rankings: of all systems, by name.
      holdouts: the users that they ranked for.
      interactions: where the users come from.
      item_counts: training interactions of each item, int64 [items].
      users_per_block: for how many users all items are scored at once.
      random: draws the sample and the resamples.
    """
    rows = np.sort(random.choice(len(holdouts.users), min(MOST_USERS, len(holdouts.users)), replace=False))
    sample = holdouts.take(rows)
    again = _rank(scorer, sample, users_per_block)
    first, second = (_rank(PopularityScorer(item_counts), sample, users_per_block) for _ in range(2))
    return Soundness(
        leaked=count_leaked(interactions),
        repeated=count_repeated(interactions.split("test").users),
        ranked_first={name: _share_first(found.ranks) for name, found in rankings.items()},
        ranked_again=len(rows),
        moved=int((again != rankings[MODEL].ranks[rows]).sum()),
        popularity_to_itself=largest_difference_of(first, second, random),
    )


def largest_difference_of(
    ranks: npt.NDArray[np.int64], others: npt.NDArray[np.int64], random: np.random.Generator
) -> float:
    """The largest of the paired differences between two rankings, and of their bounds; NaN without users.

    Args:
      ranks: int64 [users].
      others: int64 [users].
      random: draws the resamples.

    Example:
      >>> largest_difference_of(np.array([1, 7]), np.array([1, 7]), np.random.default_rng(0))
      0.0
    """
    # Subtracted first: so equal ranks give zeros, whatever the CPU.
    differences = by_user(ranks, _KS) - by_user(others, _KS)
    return float(np.abs(intervals(differences, resampled_means(differences, random, _RESAMPLES), 0.95)).max())


def _rank(scorer: Scorer, holdouts: Holdouts, users_per_block: int) -> npt.NDArray[np.int64]:
    with Reporter().bar("", len(holdouts.users)) as bar:
        return rank_all_items(scorer, holdouts, 1, users_per_block, bar).ranks


def _share_first(ranks: npt.NDArray[np.int64]) -> float:
    return float((ranks == 1).mean()) if len(ranks) else math.nan
