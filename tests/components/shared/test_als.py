import numpy as np
import pytest

from components.shared.als import Als, AlsSettings, fit_als
from components.shared.progress import Reporter

SETTINGS = AlsSettings(factors=16, iterations=8, regularization=0.01, unobserved_weight=0.1)


class _Counting(Reporter):
    steps = 0

    def advance(self, steps: int = 1) -> None:
        self.steps += steps

    def describe(self, text: str) -> None: ...


def _interactions(users: int = 120, items: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Users of two tastes, each of which likes one half of the items."""
    random = np.random.default_rng(0)
    likes = (np.arange(users)[:, None] % 2) == (np.arange(items) % 2)
    user, item = np.nonzero(random.random((users, items)) < np.where(likes, 0.3, 0.01))
    return user.astype(np.int32), item.astype(np.int32)


def _fit(settings: AlsSettings = SETTINGS, seed: int = 0, shuffled: bool = False) -> tuple[Als, _Counting]:
    users, items = _interactions()
    order = np.random.default_rng(1).permutation(len(users)) if shuffled else np.arange(len(users))
    bar = _Counting()
    return fit_als(users[order], items[order], (120, 60), settings, seed, bar), bar


def test_items_of_the_same_taste_are_ahead() -> None:
    als, bar = _fit()
    scores = als.score_all_items(np.arange(120, dtype=np.int32))
    likes = (np.arange(120)[:, None] % 2) == (np.arange(60) % 2)
    assert scores.shape == (120, 60)
    assert scores[likes].mean() > scores[~likes].mean() + 0.2
    assert bar.steps == SETTINGS.iterations


def test_candidates_have_the_scores_that_they_have_among_all_items() -> None:
    als, _ = _fit()
    users = np.array([5, 0, 5], np.int32)
    items = np.array([[3, 59], [0, 0], [7, 3]], np.int32)
    expected = np.take_along_axis(als.score_all_items(users), items, axis=1)
    assert als.score_candidates(users, items) == pytest.approx(expected, rel=1e-5)


def test_the_factors_depend_on_the_seed_and_not_on_the_order_of_the_rows() -> None:
    first, again, other = _fit()[0], _fit(shuffled=True)[0], _fit(seed=1)[0]
    assert np.array_equal(first.user_factors, again.user_factors)
    assert np.array_equal(first.item_factors, again.item_factors)
    assert not np.array_equal(first.item_factors, other.item_factors)


def test_the_factors_do_not_depend_on_the_number_of_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    first = _fit()[0]
    monkeypatch.setattr("components.shared.parallel.cores", lambda: 1)
    assert np.array_equal(first.user_factors, _fit()[0].user_factors)


def test_factors_solve_the_weighted_least_squares() -> None:
    """After the last iteration every item's factors are the best ones for the users' factors, in closed form."""
    settings = AlsSettings(factors=4, iterations=60, regularization=0.02, unobserved_weight=0.25)
    als, _ = _fit(settings)
    users, items = _interactions()
    weights = np.full((120, 60), 0.25)
    weights[users, items] = 1
    liked = np.zeros((120, 60))
    liked[users, items] = 1
    strength = 0.02 * 2 * (len(users) + 0.25 * 120 * 60) / (120 + 60)
    factors = als.user_factors.astype(np.float64)
    for item in range(60):
        left = (factors * weights[:, item, None]).T @ factors + strength * np.eye(4)
        best = np.linalg.solve(left, factors.T @ (weights * liked)[:, item])
        assert als.item_factors[item] == pytest.approx(best, abs=1e-3)


def test_a_user_and_an_item_without_interactions_score_zero() -> None:
    users, items = _interactions()
    with Reporter().bar("", 1) as bar:
        als = fit_als(users, items, (121, 61), SETTINGS, 0, bar)
    assert als.score_all_items(np.array([120], np.int32)) == pytest.approx(0, abs=1e-6)
    assert als.score_all_items(np.arange(120, dtype=np.int32))[:, 60] == pytest.approx(0, abs=1e-6)
