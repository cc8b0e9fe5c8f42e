"""Recent items, beside plain loops."""

import numpy as np
import numpy.typing as npt
import pytest

from components.evaluator.baselines.base import Pairs
from components.evaluator.baselines.recent_items import RecentItems
from tests.components.evaluator.baselines.trainings import ITEMS, USERS, Bar, assert_scores, random_pairs, training_of

# Not every user has a validation item.
VALIDATION = np.arange(0, USERS, 2, dtype=np.int32), (np.arange(0, USERS, 2, dtype=np.int32) * 7) % ITEMS


def by_plain_loops(
    pairs: Pairs, validation: Pairs, length: int, decay: float, distance: int, shrinkage: float
) -> npt.NDArray[np.float64]:
    histories: list[list[int]] = [[] for _ in range(USERS)]
    for user, item in zip(*pairs, strict=True):
        histories[user].append(item)
    follows = np.zeros((ITEMS, ITEMS))
    for history in histories:
        for late in range(len(history)):
            for early in range(max(0, late - distance), late):
                follows[history[early], history[late]] += 1 / (late - early)
    for user, item in zip(*validation, strict=True):
        histories[user].append(item)
    before, after = follows.sum(axis=1) + shrinkage, follows.sum(axis=0) + shrinkage
    scores = np.zeros((USERS, ITEMS))
    for user, history in enumerate(histories):
        for age, item in enumerate(reversed(history[-length:])):
            for other in np.flatnonzero(follows[item]):
                scores[user, other] += decay**age * follows[item, other] / np.sqrt(before[item] * after[other])
    return scores


@pytest.mark.parametrize(
    ("length", "decay", "distance", "shrinkage"),
    [(10, 0.7, 5, 10.0), (1, 0.7, 1, 0.0), (3, 1.0, 2, 0.5), (100, 0.1, 100, 1.0)],
)
def test_scores_are_those_of_plain_loops(length: int, decay: float, distance: int, shrinkage: float) -> None:
    pairs = random_pairs()
    expected = by_plain_loops(pairs, VALIDATION, length, decay, distance, shrinkage)
    recent = RecentItems(
        recent_items_length=length,
        recent_items_decay=decay,
        recent_items_distance=distance,
        recent_items_shrinkage=shrinkage,
    )
    training = training_of(pairs, USERS, ITEMS, read_validation=lambda: VALIDATION)
    assert_scores(recent.fit(training, Bar()), expected)


def test_what_follows_is_read_off_training_interactions_alone() -> None:
    pairs: Pairs = np.array([0, 0, 1, 1], np.int32), np.array([0, 1, 2, 0], np.int32)
    validation: Pairs = np.array([0], np.int32), np.array([3], np.int32)
    training = training_of(pairs, users=2, items=4, read_validation=lambda: validation)
    scores = RecentItems().fit(training, Bar()).score_all_items(np.arange(2, dtype=np.int32))
    assert (scores[:, 3] == 0).all()
    assert scores[1].argmax() == 1


def test_it_is_left_out_where_no_times_are_known() -> None:
    pairs = random_pairs()
    assert RecentItems().obstacle(training_of(pairs, USERS, ITEMS)) is None
    reason = RecentItems().obstacle(training_of(pairs, USERS, ITEMS, by_time=False))
    assert reason == "it is not known which of a user's items were the latest"
