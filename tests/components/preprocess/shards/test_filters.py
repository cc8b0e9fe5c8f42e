"""The filters of users and items against sets of pairs in plain Python."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from components.artifacts.interactions_summary import Dropped
from components.preprocess.shards import filters
from components.preprocess.shards.filters import Arranged

USERS, ITEMS = 60, 40


def drawn(seed: int) -> set[tuple[int, int]]:
    """Pairs of which some users and items have many, and most have few."""
    random = np.random.default_rng(seed)
    users = np.minimum(random.geometric(0.05, 350), USERS) - 1
    items = np.minimum(random.geometric(0.08, 350), ITEMS) - 1
    return set(zip(users.tolist(), items.tolist(), strict=True))


def arranged(pairs: set[tuple[int, int]], bounds: list[int]) -> list[Arranged]:
    """The pairs as shards."""
    parts = []
    for number, (first, last) in enumerate(pairwise(bounds)):
        rows = sorted(pair for pair in pairs if first <= pair[0] < last)
        counts = Counter(user for user, _ in rows)
        parts.append(
            Arranged(
                number,
                np.array(sorted(counts), np.int32),
                np.array([counts[user] for user in sorted(counts)], np.int32),
                np.array([item for _, item in rows], np.int32),
                np.zeros(len(rows), np.uint8),
                Dropped(),
                np.zeros(0, np.int64),
            )
        )
    return parts


def of(parts: list[Arranged]) -> set[tuple[int, int]]:
    users = np.concatenate([np.repeat(part.users, part.counts) for part in parts])
    items = np.concatenate([part.items for part in parts])
    return set(zip(users.tolist(), items.tolist(), strict=True))


def with_enough(pairs: set[tuple[int, int]], side: int, minimum: int) -> set[tuple[int, int]]:
    counts = Counter(pair[side] for pair in pairs)
    return {pair for pair in pairs if counts[pair[side]] >= minimum}


def core(pairs: set[tuple[int, int]], users: int, items: int) -> set[tuple[int, int]]:
    """Drops items first, then users, until nothing changes: the other way round than the code."""
    while (left := with_enough(with_enough(pairs, 1, items), 0, users)) != pairs:
        pairs = left
    return pairs


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("bounds", [[0, USERS], [0, 1, 20, 21, USERS]], ids=["one shard", "four shards"])
def test_what_is_left_has_enough_on_both_sides_and_is_all_that_can_have(seed: int, bounds: list[int]) -> None:
    pairs = drawn(seed)
    expected = core(pairs, 4, 5)
    shards = arranged(with_enough(pairs, 0, 4), bounds)
    wanted = filters.find_items(shards, ITEMS, 4, 5, until_stable=True)
    left = [filters.keep_items(part, wanted, 4) for part in shards]
    assert of(left) == expected
    assert set(np.flatnonzero(wanted).tolist()) == {item for _, item in expected}
    gone = sum((part.dropped for part in left), Dropped())
    assert gone.rows == sum(map(len, (part.items for part in shards))) - len(expected)


def test_the_cases_drop_users_for_the_sake_of_items() -> None:
    """Else the test above would not tell a core from one round of filters."""
    changed = [core(drawn(seed), 4, 5) != with_enough(with_enough(drawn(seed), 0, 4), 1, 5) for seed in range(20)]
    assert sum(changed) > 10
    assert sum(len(core(drawn(seed), 4, 5)) > 20 for seed in range(20)) > 10


@pytest.mark.parametrize("seed", range(5))
def test_once_drops_users_and_then_items(seed: int) -> None:
    pairs = drawn(seed)
    shards = arranged(with_enough(pairs, 0, 4), [0, 20, USERS])
    wanted = filters.find_items(shards, ITEMS, 4, 5, until_stable=False)
    assert of([filters.keep_items(part, wanted, 1) for part in shards]) == with_enough(with_enough(pairs, 0, 4), 1, 5)


def test_a_chain_falls_apart_to_its_end() -> None:
    """Each user has two items and each item two users, but for the first and the last item."""
    pairs = {(user, user + step) for user in range(30) for step in (0, 1)}
    shards = arranged(pairs, [0, 10, 20, 30])
    assert not filters.find_items(shards, 31, 2, 2, until_stable=True).any()
    ring = pairs - {(29, 30)} | {(29, 0)}
    assert filters.find_items(arranged(ring, [0, 10, 20, 30]), 30, 2, 2, until_stable=True).all()


def test_reasons_are_told_apart() -> None:
    # Item 9 has one user. User 1 has too few items once it is gone; user 0 has not.
    pairs = {(0, 1), (0, 2), (0, 9), (1, 1), (1, 9), (2, 1), (2, 2)} - {(1, 9)} | {(1, 8)}
    (part,) = arranged(pairs, [0, 3])
    wanted = filters.find_items([part], 10, 2, 2, until_stable=True)
    left = filters.keep_items(part, wanted, 2)
    assert of([left]) == {(0, 1), (0, 2), (2, 1), (2, 2)}
    assert left.dropped == Dropped(below_min_interactions=1, below_min_item_interactions=2)
