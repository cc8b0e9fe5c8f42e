"""Where a scorer ranks each user's held-out item, among given candidates or among all items.

A rival is ahead unless its score is below that of the held-out item. So a tie counts against the held-out item, a
held-out item scored NaN comes last, and a rival scored NaN is ahead.
"""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from components.shared.parallel import cores, map_ahead
from components.shared.progress import Bar
from components.shared.scorer import Scorer, Scores


@dataclass(frozen=True)
class Candidates:
    """Some users' held-out items and rivals.

    Attributes:
      users: int32 [n].
      items: int32 [n, width]; column 0 is the held-out item.
      masked: bool [n, width]; a masked rival does not count, nor does a user whose held-out item is masked.
    """

    users: npt.NDArray[np.int32]
    items: npt.NDArray[np.int32]
    masked: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Holdouts:
    """Users with a held-out item, and the items they are not to be recommended.

    Attributes:
      users: int32 [n].
      items: int32 [n], the held-out items.
      seen: int32, the seen items of all users, one user after the other, each user's latest last.
      seen_ends: int64 [n], where each user's part of `seen` ends.
    """

    users: npt.NDArray[np.int32]
    items: npt.NDArray[np.int32]
    seen: npt.NDArray[np.int32]
    seen_ends: npt.NDArray[np.int64]

    def seen_rows(self) -> npt.NDArray[np.int64]:
        """The row, 0 to n - 1, that each of `seen` belongs to: int64."""
        return np.repeat(np.arange(len(self.users)), np.diff(self.seen_ends, prepend=0))

    def take(self, rows: npt.NDArray[np.int64]) -> "Holdouts":
        """Some of the users, by their rows."""
        starts = np.concatenate([[0], self.seen_ends])
        seen = [self.seen[starts[row] : starts[row + 1]] for row in rows]
        return Holdouts(
            self.users[rows],
            self.items[rows],
            np.concatenate([np.zeros(0, np.int32), *seen]),
            np.cumsum([len(part) for part in seen], dtype=np.int64),
        )

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
      items: int32 [n], the held-out items.
      ranks: int64 [n], 1 = best.
      rivals: int64 [n], how many items each held-out item was ranked against.
      not_finite: how many scores were NaN or infinite, without those of masked candidates.
    """

    users: npt.NDArray[np.int32]
    items: npt.NDArray[np.int32]
    ranks: npt.NDArray[np.int64]
    rivals: npt.NDArray[np.int64]
    not_finite: int


@dataclass(frozen=True)
class SampledRanking(Ranking):
    """Ranks among candidates.

    Attributes:
      copies: int64 [n], how many of the masked rivals were the held-out item itself. Had they counted, they would tie
        with it: the rank would be greater by so many.
    """

    copies: npt.NDArray[np.int64]


@dataclass(frozen=True)
class FullRanking(Ranking):
    """Ranks among all unseen items.

    Attributes:
      top: int32 [n, k], the unseen items with the highest scores, best first; -1 where there is none.
    """

    top: npt.NDArray[np.int32]


_SomeRanking = TypeVar("_SomeRanking", bound=Ranking)


def rank_candidates(scorer: Scorer, batches: Iterable[Candidates], bar: Bar) -> SampledRanking:
    """Ranks held-out items among their candidates; the bar moves on by one for each batch."""
    no_items, no_ranks = np.zeros(0, np.int32), np.zeros(0, np.int64)
    nothing = SampledRanking(no_items, no_items, no_ranks, no_ranks, 0, no_ranks)
    return join_rankings([nothing, *_rank_batches(scorer, batches, bar)])


def _rank_batches(scorer: Scorer, batches: Iterable[Candidates], bar: Bar) -> Iterator[SampledRanking]:
    def rank(batch: Candidates) -> SampledRanking:
        # Padding is scored too: so every batch has one shape.
        scores = scorer.score_candidates(batch.users, batch.items)
        counts = ~batch.masked[:, 0]
        scores, items, masked = scores[counts], batch.items[counts], batch.masked[counts]
        return SampledRanking(
            users=batch.users[counts],
            items=items[:, 0],
            ranks=rank_first(scores, masked),
            rivals=(~masked[:, 1:]).sum(axis=1),
            not_finite=int((~np.isfinite(scores) & ~masked).sum()),
            copies=(masked & (items == items[:, :1])).sum(axis=1),
        )

    with contextlib.closing(map_ahead(rank, batches, cores())) as rankings:
        for ranking in rankings:
            yield ranking
            bar.advance()


def all_candidates(holdouts: Holdouts, items: int, users_per_block: int) -> Iterator[Candidates]:
    """All unseen items as the rivals of each user's held-out item, a block of users at a time.

    Args:
      holdouts: the users.
      items: how many items there are.
      users_per_block: how many of the users come at once.
    """
    for block in holdouts.blocks(users_per_block):
        rows = np.arange(len(block.users))
        candidates = np.empty((len(rows), 1 + items), np.int32)
        candidates[:, 0], candidates[:, 1:] = block.items, np.arange(items)
        masked = np.zeros(candidates.shape, bool)
        masked[block.seen_rows(), 1 + block.seen] = True
        masked[rows, 1 + block.items] = True
        yield Candidates(block.users, candidates, masked)


def rank_first(scores: Scores, masked: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Ranks column 0 of each row among the other columns that are not masked: int64 [n].

    Args:
      scores: floats [n, width].
      masked: bool [n, width].
    """
    ahead = ~(scores[:, 1:] < scores[:, :1])
    ranks: npt.NDArray[np.int64] = 1 + (ahead & ~masked[:, 1:]).sum(axis=1)
    return ranks


def rank_all_items(scorer: Scorer, holdouts: Holdouts, k: int, users_per_block: int, bar: Bar) -> FullRanking:
    """Ranks held-out items among all items but the seen ones, and finds the best `k` items of each user.

    Memory is bounded by a block of users for each core. The bar moves on by one for each user.
    """
    no_items, no_ranks = np.zeros(0, np.int32), np.zeros(0, np.int64)
    nothing = FullRanking(no_items, no_items, no_ranks, no_ranks, 0, np.zeros((0, k), np.int32))
    return join_rankings([nothing, *_rank_blocks(scorer, holdouts, k, users_per_block, bar)])


def _rank_blocks(scorer: Scorer, holdouts: Holdouts, k: int, users_per_block: int, bar: Bar) -> Iterator[FullRanking]:
    def rank(block: Holdouts) -> FullRanking:
        scores = scorer.score_all_items(_fill(block.users, users_per_block))[: len(block.users)]
        return FullRanking(
            users=block.users,
            items=block.items,
            ranks=rank_unseen(scores, block),
            rivals=count_unseen(block, scores.shape[1]),
            not_finite=int((~np.isfinite(scores)).sum()),
            top=top_unseen(scores, block, k),
        )

    with ThreadPoolExecutor(cores()) as pool:
        for ranking in pool.map(rank, holdouts.blocks(users_per_block)):
            yield ranking
            bar.advance(len(ranking.users))


def rank_unseen(scores: Scores, holdouts: Holdouts) -> npt.NDArray[np.int64]:
    """Ranks each user's held-out item among the items that the user has not seen: int64 [n].

    Args:
      scores: floats [n, items].
      holdouts: the same n users.
    """
    rows = np.arange(len(holdouts.users))
    ahead = ~(scores < scores[rows, holdouts.items][:, None])
    ahead[holdouts.seen_rows(), holdouts.seen] = False
    ahead[rows, holdouts.items] = False
    ranks: npt.NDArray[np.int64] = 1 + ahead.sum(axis=1)
    return ranks


def count_unseen(holdouts: Holdouts, items: int) -> npt.NDArray[np.int64]:
    """How many items each user has not seen, the held-out one left out: int64 [n].

    Args:
      holdouts: the users.
      items: how many items there are.
    """
    unseen = np.ones((len(holdouts.users), items), np.bool_)
    unseen[holdouts.seen_rows(), holdouts.seen] = False
    unseen[np.arange(len(holdouts.users)), holdouts.items] = False
    counts: npt.NDArray[np.int64] = unseen.sum(axis=1)
    return counts


def top_unseen(scores: Scores, holdouts: Holdouts, k: int) -> npt.NDArray[np.int32]:
    """The items with the highest scores among those that the user has not seen, best first: int32 [n, k].

    Those with equal scores come in the order of their indexes. -1 fills up where fewer than `k` items are left; one
    whose score is not finite is never taken.

    Args:
      scores: floats [n, items].
      holdouts: the same n users.
      k: the number of items.
    """
    costs = -scores
    costs[holdouts.seen_rows(), holdouts.seen] = np.inf
    best = np.argpartition(costs, min(k, scores.shape[1]) - 1, axis=1)[:, :k].astype(np.int32)
    best.sort(axis=1)
    found = np.take_along_axis(costs, best, axis=1)
    best = np.take_along_axis(np.where(np.isfinite(found), best, -1), found.argsort(axis=1, kind="stable"), axis=1)
    return np.pad(best, ((0, 0), (0, k - best.shape[1])), constant_values=-1)


def _fill(users: npt.NDArray[np.int32], size: int) -> npt.NDArray[np.int32]:
    return np.pad(users, (0, size - len(users)), mode="edge")


def join_rankings(rankings: Sequence[_SomeRanking]) -> _SomeRanking:
    """The rankings of some users, one after the other, of which there is at least one."""
    first = rankings[0]
    arrays: dict[str, npt.NDArray[Any]] = {
        field.name: np.concatenate([getattr(ranking, field.name) for ranking in rankings])
        for field in fields(first)
        if field.name != "not_finite"
    }
    return type(first)(**arrays, not_finite=sum(ranking.not_finite for ranking in rankings))
