import numpy as np
import pytest

from components.evaluator.baselines import Popularity, make_baselines
from components.evaluator.config import EvaluatorConfig
from components.shared.als import Als


def test_popularity_gives_every_user_the_counts() -> None:
    popularity = Popularity(np.array([5, 0, 9]))
    assert popularity.score_candidates(np.arange(2), np.array([[2, 1], [0, 2]])).tolist() == [[9, 0], [5, 9]]
    assert popularity.score_all_items(np.arange(2)).tolist() == [[5, 0, 9]] * 2


def test_counts_beyond_float32_stay_apart() -> None:
    scores = Popularity(np.array([2**24, 2**24 + 1])).score_candidates(np.zeros(1, np.int32), np.array([[0, 1]]))
    assert scores[0, 0] < scores[0, 1]


def _read_train() -> tuple[np.ndarray, np.ndarray]:
    return np.array([0, 0, 1], np.int32), np.array([2, 0, 1], np.int32)


def test_als_is_one_of_the_baselines_if_it_is_asked_for() -> None:
    config = EvaluatorConfig(als_factors=3, als_iterations=2)
    baselines = make_baselines(config, 2, np.array([1, 1, 1]), _read_train, seed=0)
    assert list(baselines) == ["popularity", "als"]
    als = baselines["als"]
    assert isinstance(als, Als)
    assert als.user_factors.shape == (2, 3)
    assert als.score_all_items(np.arange(2)).shape == (2, 3)


def test_without_als_the_training_interactions_are_not_read() -> None:
    baselines = make_baselines(EvaluatorConfig(als=False), 2, np.ones(3, np.int64), lambda: pytest.fail("read"), seed=0)
    assert list(baselines) == ["popularity"]
