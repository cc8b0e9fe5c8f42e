"""A rehearsal of the test, by which baselines choose their settings: the validation items stand for the test items."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from components.evaluator.baselines.base import Pairs, Training
from components.metrics.by_user import summarise
from components.ranking.ranks import Holdouts, rank_unseen
from components.shared.parallel import cores
from components.shared.random_streams import generator
from components.shared.scorer import Scorer

MOST_INTERACTIONS = 500_000
MOST_SCORES = 50_000_000
_SCORES_AT_ONCE = 1 << 20
_METRIC, _K = "NDCG", 10


@dataclass(frozen=True)
class Rehearsal:
    """What settings are tried on: a sample of the users where there are many interactions.

    Attributes:
      training: the training interactions of these users; their validation items are not in their histories.
      holdouts: those of them with a validation item, or as many as are quickly ranked.
    """

    training: Training
    holdouts: Holdouts

    @classmethod
    def of(cls, training: Training, most_users: int | None = None) -> Self:
        """Draws the sample, which depends on the run's seed alone.

        Args:
          training: all there is to learn from, with validation items.
          most_users: how many users are in the sample at most; None leaves it to the number of interactions.
        """
        random = generator(training.seed, "rehearsal")
        sample = _sample(training, most_users or training.users, random)
        return cls(
            dataclasses.replace(sample, read=lambda: sample.pairs, read_validation=_nothing),
            _holdouts(sample, random, MOST_SCORES // sample.items),
        )

    def ndcg(self, scorer: Scorer) -> float:
        """NDCG@10 of the validation items among all that their users have not seen in training."""
        blocks = self.holdouts.blocks(max(1, _SCORES_AT_ONCE // self.training.items))
        with ThreadPoolExecutor(cores()) as pool:
            ranks = list(pool.map(lambda block: rank_unseen(scorer.score_all_items(block.users), block), blocks))
        # Rounded, as the order of the sum depends on the CPU.
        return round(summarise(np.concatenate(ranks), (_K,))[f"{_METRIC}@{_K}"], 12)


def _sample(training: Training, most_users: int, random: np.random.Generator) -> Training:
    """The same of some users, who are numbered anew, and all items."""
    users, _ = training.pairs
    if len(users) <= MOST_INTERACTIONS and training.users <= most_users:
        return training
    counts = np.bincount(users, minlength=training.users)
    order = random.permutation(training.users)[:most_users]
    chosen = np.sort(order[np.cumsum(counts[order]) <= MOST_INTERACTIONS])
    pairs, validation = _of(chosen, training.pairs), _of(chosen, training.validation)
    return Training(
        users=len(chosen),
        item_counts=np.bincount(pairs[1], minlength=training.items),
        read=lambda: pairs,
        read_validation=lambda: validation,
        by_time=training.by_time,
        seed=training.seed,
    )


def _of(chosen: npt.NDArray[np.int64], pairs: Pairs) -> Pairs:
    """The pairs of some users, ascending, each called by its place among them."""
    users, items = pairs
    places = np.searchsorted(chosen, users)
    found = chosen[np.minimum(places, len(chosen) - 1)] == users
    return places[found].astype(np.int32), items[found]


def _holdouts(training: Training, random: np.random.Generator, most: int) -> Holdouts:
    """The validation items of at most so many users."""
    users, items = training.validation
    chosen = np.sort(random.permutation(len(users))[:most])
    everybody, seen = training.pairs
    seen_by = np.isin(everybody, users[chosen])
    ends = np.searchsorted(everybody[seen_by], users[chosen], side="right")
    return Holdouts(users[chosen], items[chosen], seen[seen_by], ends)


def _nothing() -> Pairs:
    return np.zeros(0, np.int32), np.zeros(0, np.int32)
