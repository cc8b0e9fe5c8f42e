import math

import numpy as np
import pytest

from components.evaluator import bootstrap
from components.evaluator.bootstrap import Interval, intervals, paired_interval, resampled_means
from components.shared.random_streams import generator


def test_interval_is_that_of_the_normal_approximation_for_many_users() -> None:
    values = np.random.default_rng(0).normal(0.02, 0.4, 5_000)
    mean, low, high = paired_interval(values, 0.95, generator(0, "test"), samples=4_000)
    error = values.std() / math.sqrt(len(values))
    assert mean == pytest.approx(values.mean())
    assert low == pytest.approx(mean - 1.96 * error, abs=0.1 * error)
    assert high == pytest.approx(mean + 1.96 * error, abs=0.1 * error)


def test_the_interval_has_the_true_mean_as_often_as_it_says() -> None:
    random = np.random.default_rng(1)
    found = [paired_interval(random.random(60) < 0.3, 0.8, random, samples=200) for _ in range(400)]
    assert np.mean([low <= 0.3 <= high for _, low, high in found]) == pytest.approx(0.8, abs=0.06)


def test_differences_are_paired_by_user() -> None:
    hard = np.random.default_rng(2).random((1_000, 1))
    values = np.concatenate([hard, hard + 0.01], axis=1)
    resampled = resampled_means(values, generator(0, "test"), 500)
    low, high = intervals(values[:, :1], resampled[:, :1], 0.95)[0][1:]
    assert high - low > 0.03
    assert np.diff(resampled, axis=1) == pytest.approx(0.01)


@pytest.mark.parametrize("cells", [1, 1_700, 1 << 22], ids=["one by one", "blocks with a rest", "at once"])
def test_resamples_have_as_many_users_whatever_the_block(monkeypatch: pytest.MonkeyPatch, cells: int) -> None:
    monkeypatch.setattr(bootstrap, "_CELLS_AT_ONCE", cells)
    users = np.arange(300)
    values = np.stack([np.ones(300), users, users % 2], axis=1).astype(float)
    resampled = resampled_means(values, generator(3, "test"), 37)
    assert resampled.shape == (37, 3)
    assert resampled[:, 0] == pytest.approx(1)
    assert np.unique(resampled[:, 1]).size > 30
    assert resampled[:, 1].mean() == pytest.approx(149.5, abs=5)
    again = resampled_means(values, generator(3, "test"), 37)
    assert np.array_equal(resampled, again)


def test_one_user_has_an_interval_without_width_and_no_user_has_none() -> None:
    assert paired_interval(np.array([0.25]), 0.95, generator(0, "test")) == Interval(0.25, 0.25, 0.25)
    assert all(map(math.isnan, paired_interval(np.zeros(0), 0.95, generator(0, "test"))))


def test_a_one_sided_bound_is_within_the_two_sided_one() -> None:
    values = np.random.default_rng(4).normal(size=500)
    two_sided, one_sided = (paired_interval(values, c, generator(0, "test")).low for c in (0.95, 0.9))
    assert two_sided < one_sided < values.mean()
