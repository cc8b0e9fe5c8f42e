"""What holds for all baselines, and popularity and ALS."""

from collections.abc import Callable

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from components.evaluator.baselines import BASELINES, Baseline
from components.evaluator.baselines.ease import Ease
from components.evaluator.baselines.item_knn import ItemKnn
from components.evaluator.baselines.popularity import PopularityScorer
from components.evaluator.baselines.recent_items import RecentItems
from components.evaluator.config import EvaluatorConfig
from components.shared.als import Als
from tests.components.evaluator.baselines.trainings import USERS, Bar, random_training, training_of


def test_popularity_gives_every_user_the_counts() -> None:
    popularity = PopularityScorer(np.array([5, 0, 9]))
    assert popularity.score_candidates(np.arange(2), np.array([[2, 1], [0, 2]])).tolist() == [[9, 0], [5, 9]]
    assert popularity.score_all_items(np.arange(2)).tolist() == [[5, 0, 9]] * 2


def test_counts_beyond_float32_stay_apart() -> None:
    scores = PopularityScorer(np.array([2**24, 2**24 + 1])).score_candidates(np.zeros(1, np.int32), np.array([[0, 1]]))
    assert scores[0, 0] < scores[0, 1]


def test_als_takes_its_keys_from_the_configuration() -> None:
    training, _ = random_training()
    als = EvaluatorConfig(als_factors=3, als_iterations=2).baselines()["als"].fit(training, Bar())
    assert isinstance(als, Als)
    assert als.user_factors.shape == (USERS, 3)


def test_popularity_alone_does_not_read_the_training_interactions() -> None:
    others = dict.fromkeys(set(BASELINES) - {"popularity"}, False)
    baselines = EvaluatorConfig(**others).baselines()
    assert list(baselines) == ["popularity"]
    training, _ = random_training(read=lambda: pytest.fail("read"), read_validation=lambda: pytest.fail("read"))
    assert baselines["popularity"].fit(training, Bar()).score_all_items(np.arange(2)).shape == (2, 23)


def test_what_is_held_out_for_validation_is_learnt_from_as_each_users_latest() -> None:
    pairs = (np.array([0, 0, 2], np.int32), np.array([3, 1, 4], np.int32))
    held_out = (np.array([0, 1], np.int32), np.array([4, 4], np.int32))
    training = training_of(pairs, 3, 5, read_validation=lambda: held_out).with_validation()
    assert list(zip(*(column.tolist() for column in training.pairs), strict=True)) == [
        (0, 3), (0, 1), (0, 4), (1, 4), (2, 4)
    ]  # fmt: skip
    assert training.item_counts.tolist() == [0, 1, 0, 1, 3]
    assert len(training.validation[0]) == 0


def test_labels_and_titles_are_all_different() -> None:
    assert len({kind.title for kind in BASELINES.values()}) == len(BASELINES)
    assert len({kind.label for kind in BASELINES.values()} | {"Model"}) == len(BASELINES) + 1


@pytest.mark.parametrize("name", BASELINES)
def test_the_bar_comes_to_its_end(name: str) -> None:
    baseline, bar = EvaluatorConfig().baselines()[name], Bar()
    training, _ = random_training()
    assert baseline.obstacle(training) is None
    baseline.fit(training, bar)
    assert bar.steps == baseline.steps(training)


@pytest.mark.parametrize("items", [700, 200], ids=["more items than users", "fewer"])
@pytest.mark.parametrize("make", [ItemKnn, Ease, RecentItems])
def test_scores_are_the_same_bytes_whatever_the_number_of_cores(
    monkeypatch: pytest.MonkeyPatch, make: Callable[[], Baseline], items: int
) -> None:
    random = np.random.default_rng(0)
    pairs = np.sort(random.integers(300, size=20_000)).astype("i4"), random.integers(items, size=20_000, dtype=np.int32)
    everybody = np.arange(300, dtype=np.int32)
    found = []
    for number in (1, 2, 4):
        for module in ("inverse", "ridge_scorers", "neighbours"):
            monkeypatch.setattr(f"components.evaluator.baselines.linear.{module}.cores", lambda number=number: number)
        with threadpool_limits(number):
            scorer = make().fit(training_of(pairs, 300, items), Bar())
            found.append(scorer.score_all_items(everybody))
    assert found[0].tobytes() == found[1].tobytes() == found[2].tobytes()


def test_names_of_baselines_are_free() -> None:
    """`model` is a system already, and each name becomes a key of the configuration."""
    own_keys = EvaluatorConfig.__bases__[0].model_fields  # those that come from no baseline
    assert not {"model", *own_keys} & set(BASELINES)
