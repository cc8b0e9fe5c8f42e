import tracemalloc

import numpy as np
import pytest

from components.evaluator.baselines.popularity import PopularityScorer
from components.ranking import ranks
from components.ranking.ranks import (
    Candidates,
    Holdouts,
    all_candidates,
    rank_all_items,
    rank_candidates,
    rank_first,
    rank_unseen,
    top_unseen,
)
from components.shared.als import Als
from components.shared.progress import Reporter

NAN, INF = np.nan, np.inf


@pytest.mark.parametrize(
    ("scores", "masked", "rank"),
    [
        ([3, 1, 2], [], 1),
        ([1, 1, 0], [], 2),
        ([1, 1, 1], [], 3),
        ([1, 2, 2], [1], 2),
        ([1, 2, 1], [1, 2], 1),
        ([NAN, 1, -INF], [], 3),
        ([NAN, 1, NAN], [2], 2),
        ([1, NAN, 0], [], 2),
        ([INF, INF, 0], [], 2),
        ([-INF, 0, NAN], [], 3),
    ],
    ids=str,
)
def test_rank_among_candidates(scores: list[float], masked: list[int], rank: int) -> None:
    mask = np.zeros((1, 3), bool)
    mask[0, masked] = True
    assert rank_first(np.array([scores], np.float32), mask).tolist() == [rank]


class _Counting(Reporter):
    steps = 0

    def advance(self, steps: int = 1) -> None:
        self.steps += steps

    def describe(self, text: str) -> None: ...


def test_padding_users_do_not_count() -> None:
    items = np.array([[0, 1], [1, 0], [0, 0]], np.int32)
    masked = np.array([[0, 0], [0, 0], [1, 0]], bool)
    bar = _Counting()
    ranking = rank_candidates(
        PopularityScorer(np.array([5, 9])), [Candidates(np.arange(3, dtype=np.int32), items, masked)], bar
    )
    assert ranking.users.tolist() == [0, 1]
    assert ranking.items.tolist() == [0, 1]
    assert ranking.ranks.tolist() == [2, 1]
    assert bar.steps == 1


def test_masked_copies_of_the_held_out_item_are_counted_apart() -> None:
    items = np.array([[2, 0, 2, 2], [1, 0, 0, 2]], np.int32)
    masked = np.array([[0, 0, 1, 1], [0, 0, 1, 0]], bool)
    scorer = PopularityScorer(np.array([5, 9, 7]))
    ranking = rank_candidates(scorer, [Candidates(np.arange(2, dtype=np.int32), items, masked)], _Counting())
    assert ranking.ranks.tolist() == [1, 1]
    assert ranking.copies.tolist() == [2, 0]
    naive = rank_candidates(scorer, [Candidates(np.arange(2, dtype=np.int32), items, masked & False)], _Counting())
    assert naive.ranks.tolist() == (ranking.ranks + ranking.copies).tolist()


def test_scores_that_are_not_finite_count_unless_masked() -> None:
    class Broken:
        def score_candidates(self, users: np.ndarray, items: np.ndarray) -> np.ndarray:
            return np.array([[1, NAN, INF], [1, NAN, 2], [NAN, NAN, NAN]])

        score_all_items = None

    masked = np.array([[0, 0, 0], [0, 1, 0], [1, 0, 0]], bool)
    batch = Candidates(np.arange(3, dtype=np.int32), np.zeros((3, 3), np.int32), masked)
    assert rank_candidates(Broken(), [batch], _Counting()).not_finite == 2  # type: ignore[arg-type]


def _holdouts(random: np.random.Generator, users: int, items: int) -> tuple[Holdouts, list[set[int]]]:
    positives = random.integers(items, size=users, dtype=np.int32)
    seen = [
        {int(item) for item in random.choice(items, random.integers(0, items - 1), replace=False)} - {int(positive)}
        for positive in positives
    ]
    flat = np.array([item for of_user in seen for item in sorted(of_user)], np.int32)
    ends = np.cumsum([len(of_user) for of_user in seen])
    return Holdouts(np.arange(users, dtype=np.int32), positives, flat, ends), seen


@pytest.mark.parametrize("block", [1, 7, 50, 1000])
def test_full_ranking_leaves_seen_items_out_whatever_the_block(block: int) -> None:
    random = np.random.default_rng(2)
    holdouts, seen = _holdouts(random, 50, 30)
    table = random.integers(0, 8, size=(50, 30)).astype(np.float32)  # with many ties
    table[random.random(table.shape) < 0.1] = NAN

    class Table:
        def score_all_items(self, users: np.ndarray) -> np.ndarray:
            assert users.shape == (block,)
            return table[users]

        score_candidates = None

    bar = _Counting()
    ranking = rank_all_items(Table(), holdouts, 5, block, bar)  # type: ignore[arg-type]
    expected = []
    for user, positive in enumerate(holdouts.items):
        rivals = [table[user, item] for item in range(30) if item != positive and item not in seen[user]]
        expected.append(1 + sum(not rival < table[user, positive] for rival in rivals))
    assert ranking.ranks.tolist() == expected
    assert ranking.not_finite == np.isnan(table).sum()
    assert ranking.users.tolist() == list(range(50))
    assert ranking.items.tolist() == holdouts.items.tolist()
    assert bar.steps == 50
    for user, top in enumerate(ranking.top):
        unseen = {item: table[user, item] for item in range(30) if item not in seen[user] if table[user, item] > -INF}
        assert (top >= 0).sum() == min(5, len(unseen))
        best = top[top >= 0].tolist()
        assert [unseen[item] for item in best] == sorted(unseen.values(), reverse=True)[:5]
        assert best == sorted(best, key=lambda item: (-unseen[item], item))


def test_held_out_item_is_never_masked() -> None:
    holdouts = Holdouts(np.array([4], np.int32), np.array([1], np.int32), np.array([0, 1], np.int32), np.array([2]))
    assert rank_unseen(np.array([[9.0, 1.0, 5.0, 0.0]]), holdouts).tolist() == [2]


def test_full_ranking_takes_the_memory_of_a_block_of_users_for_each_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranks, "cores", lambda: 2)
    users, items, block = 3_000, 2_000, 50
    random = np.random.default_rng(0)
    factors = random.normal(size=(users + items, 8)).astype(np.float32)
    seen_ends = 20 * np.arange(1, users + 1)
    seen = random.integers(items, size=20 * users, dtype=np.int32)
    holdouts = Holdouts(np.arange(users, dtype=np.int32), np.zeros(users, np.int32), seen, seen_ends)
    tracemalloc.start()
    try:
        rank_all_items(Als(factors[:users], factors[users:]), holdouts, 10, block, _Counting())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Two copies of a block's scores, float32, and the int64 indexes that sort them; all scores would be 24 MB.
    assert peak < 2 * 2 * block * items * (4 + 4 + 8)


@pytest.mark.parametrize(
    ("scores", "seen", "top"),
    [
        ([1, 4, 3, 2], [], [1, 2, 3]),
        ([1, 4, 3, 2], [1], [2, 3, 0]),
        ([1, 4, 3, 2], [1, 3], [2, 0, -1]),
        ([2, 2, 2, 1], [], [0, 1, 2]),
        ([1, NAN, -INF, 2], [], [3, 0, -1]),
        ([INF, 1, 2, 3], [0], [3, 2, 1]),
        ([1, 4], [0], [1, -1, -1]),
    ],
    ids=str,
)
def test_best_unseen_items(scores: list[float], seen: list[int], top: list[int]) -> None:
    holdouts = Holdouts(np.zeros(1, np.int32), np.zeros(1, np.int32), np.array(seen, np.int32), np.array([len(seen)]))
    assert top_unseen(np.array([scores], np.float32), holdouts, 3).tolist() == [top]


def test_some_of_the_users_by_their_rows() -> None:
    holdouts = Holdouts(
        np.array([3, 5, 8]), np.array([1, 2, 3]), np.array([10, 11, 12, 13, 14], np.int32), np.array([2, 2, 5])
    )
    some = holdouts.take(np.array([0, 2]))
    assert [some.users.tolist(), some.items.tolist()] == [[3, 8], [1, 3]]
    assert [some.seen.tolist(), some.seen_ends.tolist()] == [[10, 11, 12, 13, 14], [2, 5]]
    assert some.seen_rows().tolist() == [0, 0, 1, 1, 1]
    assert holdouts.take(np.array([1])).seen.tolist() == []


def test_no_users() -> None:
    nothing = np.zeros(0, np.int32)
    ranking = rank_all_items(
        PopularityScorer(np.ones(3)), Holdouts(nothing, nothing, nothing, nothing), 3, 5, _Counting()
    )
    assert ranking.ranks.size == 0
    assert ranking.top.shape == (0, 3)
    assert rank_candidates(PopularityScorer(np.ones(3)), [], _Counting()).ranks.size == 0


def test_all_unseen_items_as_candidates_give_the_ranks_of_the_full_ranking() -> None:
    random = np.random.default_rng(0)
    users = np.arange(23, dtype=np.int32)
    seen = [np.sort(random.choice(40, random.integers(0, 30), replace=False)) for _ in users]
    holdouts = Holdouts(
        users,
        random.integers(40, size=23, dtype=np.int32),  # which may be among the seen ones
        np.concatenate(seen).astype(np.int32),
        np.cumsum([len(items) for items in seen]),
    )
    # Few values, so that there are ties.
    scorer = Als(
        random.integers(3, size=(23, 2)).astype(np.float32), random.integers(3, size=(40, 2)).astype(np.float32)
    )
    full = rank_all_items(scorer, holdouts, 10, 5, _Counting())
    candidates = list(all_candidates(holdouts, 40, 5))
    assert [len(batch.users) for batch in candidates] == [5, 5, 5, 5, 3]
    found = rank_candidates(scorer, candidates, _Counting())
    assert found.users.tolist() == users.tolist()
    assert found.items.tolist() == holdouts.items.tolist()
    assert found.ranks.tolist() == full.ranks.tolist()
