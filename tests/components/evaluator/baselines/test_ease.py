import numpy as np
import pytest

from components.evaluator.baselines.ease import Ease
from components.evaluator.baselines.linear import inverse, ridge_scorers
from tests.components.evaluator.baselines.trainings import (
    ITEMS,
    USERS,
    Bar,
    assert_scores,
    random_training,
    training_of,
)


def _by_regression(seen: np.ndarray, l2: float) -> np.ndarray:
    """The scores of all pairs, from a ridge regression of each item on the others, which have no weight for itself."""
    items = seen.shape[1]
    weights = np.zeros((items, items))
    for item in range(items):
        others = np.delete(np.arange(items), item)
        regressors = np.concatenate([seen[:, others], np.sqrt(l2) * np.eye(items - 1)])
        targets = np.concatenate([seen[:, item], np.zeros(items - 1)])
        weights[others, item] = np.linalg.lstsq(regressors, targets, rcond=None)[0]
    return seen @ weights


@pytest.mark.parametrize("l2", [0.5, 20.0])
def test_scores_are_those_of_a_ridge_regression_of_each_item(l2: float) -> None:
    training, seen = random_training()
    assert_scores(Ease(ease_l2=l2).fit(training, Bar()), _by_regression(seen, l2), tolerance=1e-8)


@pytest.mark.parametrize("cells", [1, 100, 1 << 22], ids=["one by one", "blocks with a rest", "at once"])
@pytest.mark.parametrize("l2", [0.5, 20.0])
def test_fewer_users_than_items_give_the_same_scores(monkeypatch: pytest.MonkeyPatch, l2: float, cells: int) -> None:
    monkeypatch.setattr(ridge_scorers, "_CELLS_AT_ONCE", cells)
    _, seen = random_training()
    users, items = np.nonzero(seen.T)
    turned = training_of((users.astype(np.int32), items.astype(np.int32)), users=ITEMS, items=USERS)
    assert_scores(Ease(ease_l2=l2).fit(turned, Bar()), _by_regression(seen.T, l2), tolerance=1e-8)


@pytest.mark.parametrize("at_once", [1, 7, 30, 512])
def test_a_matrix_is_inverted_in_its_place(monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(inverse, "_ROWS_AT_ONCE", at_once)
    values = np.random.default_rng(0).normal(size=(40, 30))
    matrix = values.T @ values + np.eye(30)
    expected = np.linalg.inv(matrix)
    inverse.invert(matrix)
    assert matrix == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("users", [80, 30], ids=["more users than items", "fewer"])
def test_items_with_the_same_users_tie(users: int) -> None:
    seen = np.random.default_rng(0).random((users, 40)) < 0.2
    seen[:, 30] = seen[:, 10]
    pairs = np.nonzero(seen)
    training = training_of((pairs[0].astype(np.int32), pairs[1].astype(np.int32)), users, 40)
    strangers = np.flatnonzero(~seen[:, 10]).astype(np.int32)
    scores = Ease(ease_l2=5.0).fit(training, Bar()).score_all_items(strangers)
    assert (scores[:, 10] == scores[:, 30]).all()


def test_it_is_not_fitted_where_items_squared_and_users_squared_do_not_fit() -> None:
    training, _ = random_training()
    assert Ease(ease_most_items=ITEMS).obstacle(training) is None
    reason = Ease(ease_most_items=22).obstacle(training)
    assert reason == "23 items, and 50 users, are more than evaluator.ease_most_items (22)"
