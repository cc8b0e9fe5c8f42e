"""Where a scorer ranks each user's held-out item, among given candidates or among all items.

A rival is ahead unless its score is below that of the held-out item. So a tie counts against the held-out item, a
held-out item scored NaN comes last, and a rival scored NaN is ahead.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from components.evaluator.scorer import Scorer
from components.progress import Bar


@dataclass(frozen=True)
class Candidates:
    """Some users' held-out items and rivals.

    Attributes:
      users: int32 [n].
      items: int32 [n, width]; column 0 is the held-out item.
      masked: bool [n, width]; a masked rival does not count, nor does a user whose held-out item is masked.
    """

    users: np.ndarray
    items: np.ndarray
    masked: np.ndarray


@dataclass(frozen=True)
class Holdouts:
    """Users with a held-out item, and the items they are not to be recommended.

    Attributes:
      users: int32 [n], ascending.
      items: int32 [n], the held-out items.
      seen: int32, the seen items of all users, one user after the other.
      seen_ends: int64 [n], where each user's part of `seen` ends.
    """

    users: np.ndarray
    items: np.ndarray
    seen: np.ndarray
    seen_ends: np.ndarray

    def blocks(self, size: int) -> Iterator["Holdouts"]:
        """Cuts into parts of at most `size` users."""
        starts = np.concatenate([[0], self.seen_ends])
        for begin in range(0, len(self.users), size):
            end = min(begin + size, len(self.users))
            yield Holdouts(
                self.users[begin:end],
                self.items[begin:end],
                self.seen[starts[begin] : starts[end]],
                starts[begin + 1 : end + 1] - starts[begin],
            )


@dataclass(frozen=True)
class Ranking:
    """The ranks that one scorer gave.

    Attributes:
      users: int32 [n].
      ranks: int64 [n], 1 = best.
      not_finite: how many scores were NaN or infinite, without those of masked candidates.
    """

    users: np.ndarray
    ranks: np.ndarray
    not_finite: int


def rank_candidates(scorer: Scorer, batches: Iterable[Candidates], bar: Bar) -> Ranking:
    """Ranks held-out items among their candidates; the bar moves on by one for each batch."""
    return _join(_rank_batches(scorer, batches, bar))


def _rank_batches(scorer: Scorer, batches: Iterable[Candidates], bar: Bar) -> Iterator[Ranking]:
    for batch in batches:
        # Padding is scored too: so every batch has one shape.
        scores = scorer.score_candidates(batch.users, batch.items)
        counts = ~batch.masked[:, 0]
        scores, masked = scores[counts], batch.masked[counts]
        yield Ranking(batch.users[counts], rank_first(scores, masked), int((~np.isfinite(scores) & ~masked).sum()))
        bar.advance()


def rank_first(scores: np.ndarray, masked: np.ndarray) -> np.ndarray:
    """Ranks column 0 of each row among the other columns that are not masked: int64 [n].

    Args:
      scores: floats [n, width].
      masked: bool [n, width].
    """
    ahead = ~(scores[:, 1:] < scores[:, :1])
    return 1 + (ahead & ~masked[:, 1:]).sum(axis=1)


def rank_all_items(scorer: Scorer, holdouts: Holdouts, users_per_block: int, bar: Bar) -> Ranking:
    """Ranks held-out items among all items but the seen ones; the bar moves on by one for each user."""
    return _join(_rank_blocks(scorer, holdouts, users_per_block, bar))


def _rank_blocks(scorer: Scorer, holdouts: Holdouts, users_per_block: int, bar: Bar) -> Iterator[Ranking]:
    for block in holdouts.blocks(users_per_block):
        scores = scorer.score_all_items(_fill(block.users, users_per_block))[: len(block.users)]
        yield Ranking(block.users, rank_unseen(scores, block), int((~np.isfinite(scores)).sum()))
        bar.advance(len(block.users))


def rank_unseen(scores: np.ndarray, holdouts: Holdouts) -> np.ndarray:
    """Ranks each user's held-out item among the items that the user has not seen: int64 [n].

    Args:
      scores: floats [n, items].
      holdouts: the same n users.
    """
    rows = np.arange(len(holdouts.users))
    ahead = ~(scores < scores[rows, holdouts.items][:, None])
    ahead[np.repeat(rows, np.diff(holdouts.seen_ends, prepend=0)), holdouts.seen] = False
    ahead[rows, holdouts.items] = False
    return 1 + ahead.sum(axis=1)


def _fill(users: np.ndarray, size: int) -> np.ndarray:
    return np.pad(users, (0, size - len(users)), mode="edge")


def _join(parts: Iterable[Ranking]) -> Ranking:
    ranked = list(parts)
    return Ranking(
        np.concatenate([np.zeros(0, np.int32), *(part.users for part in ranked)]),
        np.concatenate([np.zeros(0, np.int64), *(part.ranks for part in ranked)]),
        sum(part.not_finite for part in ranked),
    )
