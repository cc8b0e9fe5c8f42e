"""What towers in closed form read, against lists."""

import numpy as np
import pytest

from components.artifacts.interactions import Pairs
from components.trainer.linear.histories import Histories

TRAIN = {0: [3, 1, 2], 2: [0]}
VALIDATION = {0: 0, 1: 3}


def pairs(rows: list[tuple[int, int]]) -> Pairs:
    users, items = np.array(rows, np.int32).reshape(-1, 2).T
    return Pairs(users, items)


@pytest.fixture
def histories() -> Histories:
    train = pairs([(user, item) for user, items in TRAIN.items() for item in items])
    return Histories(3, 4, train, pairs(list(VALIDATION.items())), pairs([(0, 1)]), in_order=True)


def test_the_item_for_validation_is_the_latest(histories: Histories) -> None:
    users, items = histories.complete
    assert list(zip(users, items, strict=True)) == [(0, 3), (0, 1), (0, 2), (0, 0), (1, 3), (2, 0)]


def test_what_is_served_has_the_rest_at_the_end(histories: Histories) -> None:
    users, items = histories.everything
    assert list(zip(users, items, strict=True)) == [(0, 3), (0, 1), (0, 2), (0, 0), (0, 1), (1, 3), (2, 0)]


def test_the_latest_items_count_by_how_many_came_after_them(histories: Histories) -> None:
    latest = histories.latest_of(histories.train, 2, 0.5).toarray()
    np.testing.assert_array_equal(latest, [[0, 0.5, 1, 0], [0, 0, 0, 0], [1, 0, 0, 0]])


def test_all_that_was_seen_counts_the_same(histories: Histories) -> None:
    np.testing.assert_array_equal(histories.seen.toarray(), [[0, 1, 1, 1], [0, 0, 0, 0], [1, 0, 0, 0]])


def test_items_for_validation_of_some_users_are_for_training(histories: Histories) -> None:
    later = histories.with_validation_of(np.array([True, False, True]))
    assert list(zip(*later.train, strict=True)) == [(0, 3), (0, 1), (0, 2), (0, 0), (2, 0)]
    assert list(zip(*later.validation, strict=True)) == [(1, 3)]
    for one, other in zip(later.complete, histories.complete, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_first_interactions_of_each_user(histories: Histories) -> None:
    first = histories.first(np.array([4, 1, 0], np.int32))
    assert list(zip(*first, strict=True)) == [(0, 3), (0, 1), (0, 2), (0, 0), (1, 3)]
    assert list(zip(*histories.first(np.array([2, 0, 5], np.int32)), strict=True)) == [(0, 3), (0, 1), (2, 0)]
