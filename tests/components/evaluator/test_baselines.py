import numpy as np
import pytest

from components.evaluator.baselines import Training
from components.evaluator.baselines.popularity import PopularityScorer
from components.evaluator.config import EvaluatorConfig
from components.shared.als import Als
from components.shared.progress import Reporter


def test_popularity_gives_every_user_the_counts() -> None:
    popularity = PopularityScorer(np.array([5, 0, 9]))
    assert popularity.score_candidates(np.arange(2), np.array([[2, 1], [0, 2]])).tolist() == [[9, 0], [5, 9]]
    assert popularity.score_all_items(np.arange(2)).tolist() == [[5, 0, 9]] * 2


def test_counts_beyond_float32_stay_apart() -> None:
    scores = PopularityScorer(np.array([2**24, 2**24 + 1])).score_candidates(np.zeros(1, np.int32), np.array([[0, 1]]))
    assert scores[0, 0] < scores[0, 1]


def _training() -> Training:
    return Training(
        2, np.array([1, 1, 1]), lambda: (np.array([0, 0, 1], np.int32), np.array([2, 0, 1], np.int32)), seed=0
    )


def test_als_is_one_of_the_baselines_if_it_is_asked_for() -> None:
    baselines = EvaluatorConfig(als_factors=3, als_iterations=2).baselines()
    assert list(baselines)[:2] == ["popularity", "als"]
    with Reporter().bar("", 2) as bar:
        als = baselines["als"].fit(_training(), bar)
    assert isinstance(als, Als)
    assert als.user_factors.shape == (2, 3)
    assert als.score_all_items(np.arange(2)).shape == (2, 3)


def test_popularity_alone_does_not_read_the_training_interactions() -> None:
    baselines = EvaluatorConfig(als=False).baselines()
    assert list(baselines) == ["popularity"]
    training = Training(2, np.ones(3, np.int64), lambda: pytest.fail("read"), seed=0)
    with Reporter().bar("", 1) as bar:
        assert baselines["popularity"].fit(training, bar).score_all_items(np.arange(2)).shape == (2, 3)
