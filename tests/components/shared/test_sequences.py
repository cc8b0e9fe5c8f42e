"""What follows what, and what came last, against lists."""

import numpy as np

from components.shared.sequences import count_following, latest_items

USERS, ITEMS = np.array([0, 0, 0, 1, 1], np.int32), np.array([0, 1, 2, 3, 0], np.int32)


def test_what_follows_counts_by_distance_and_within_users_alone() -> None:
    expected = np.zeros((4, 4))
    expected[0, 1] = expected[1, 2] = expected[3, 0] = 1
    expected[0, 2] = 1 / 2
    np.testing.assert_array_equal(count_following(USERS, ITEMS, 4, places=5).toarray(), expected)


def test_nothing_follows_further_away_than_was_asked_for() -> None:
    assert count_following(USERS, ITEMS, 4, places=1)[0, 2] == 0


def test_the_latest_items_count_by_how_many_came_after_them() -> None:
    found = latest_items(USERS, ITEMS, (3, 4), length=2, decay=0.5).toarray()
    np.testing.assert_array_equal(found, [[0, 0.5, 1, 0], [1, 0, 0, 0.5], [0, 0, 0, 0]])
