from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from threadpoolctl import threadpool_limits

from components.evaluator.baselines import BASELINES, Training, co_occurrences
from components.evaluator.baselines.ease import Ease
from components.evaluator.baselines.item_knn import ItemKnn, keep_largest
from components.evaluator.baselines.popularity import PopularityScorer
from components.evaluator.config import EvaluatorConfig
from components.shared.als import Als
from components.shared.progress import Reporter
from components.shared.scorer import Scorer

USERS, ITEMS = 50, 23


class Bar:
    """Counts the steps."""

    def __init__(self) -> None:
        self.steps = 0

    def advance(self, steps: int = 1) -> None:
        self.steps += steps

    def describe(self, text: str) -> None:
        pass


def random_training(interactions: int = 400) -> tuple[Training, npt.NDArray[np.float64]]:
    """Some training interactions, a few of them twice, and the same as a matrix of zeros and ones."""
    random = np.random.default_rng(7)
    users, items = random.integers(USERS, size=interactions), random.zipf(1.3, interactions) % (ITEMS - 1)
    seen = np.zeros((USERS, ITEMS))  # nobody has seen the last item
    seen[users, items] = 1
    pairs = users.astype(np.int32), items.astype(np.int32)
    assert len(set(zip(*pairs, strict=True))) < interactions
    return Training(USERS, np.bincount(items, minlength=ITEMS), lambda: pairs, seed=0), seen


def assert_scores(scorer: Scorer, expected: npt.NDArray[np.float64], tolerance: float = 1e-12) -> None:
    users = np.array([3, 0, 49, 3], np.int32)
    candidates = np.random.default_rng(1).integers(ITEMS, size=(4, 9)).astype(np.int32)
    assert scorer.score_all_items(users) == pytest.approx(expected[users], abs=tolerance)
    wanted = np.take_along_axis(expected[users], candidates, axis=1)
    assert scorer.score_candidates(users, candidates) == pytest.approx(wanted, abs=tolerance)


def test_popularity_gives_every_user_the_counts() -> None:
    popularity = PopularityScorer(np.array([5, 0, 9]))
    assert popularity.score_candidates(np.arange(2), np.array([[2, 1], [0, 2]])).tolist() == [[9, 0], [5, 9]]
    assert popularity.score_all_items(np.arange(2)).tolist() == [[5, 0, 9]] * 2


def test_counts_beyond_float32_stay_apart() -> None:
    scores = PopularityScorer(np.array([2**24, 2**24 + 1])).score_candidates(np.zeros(1, np.int32), np.array([[0, 1]]))
    assert scores[0, 0] < scores[0, 1]


def test_als_takes_its_keys_from_the_configuration() -> None:
    training, _ = random_training()
    with Reporter().bar("", 2) as bar:
        als = EvaluatorConfig(als_factors=3, als_iterations=2).baselines()["als"].fit(training, bar)
    assert isinstance(als, Als)
    assert als.user_factors.shape == (USERS, 3)


def test_popularity_alone_does_not_read_the_training_interactions() -> None:
    others = dict.fromkeys(set(BASELINES) - {"popularity"}, False)
    baselines = EvaluatorConfig(**others).baselines()
    assert list(baselines) == ["popularity"]
    training = Training(2, np.ones(3, np.int64), lambda: pytest.fail("read"), seed=0)
    assert baselines["popularity"].fit(training, Bar()).score_all_items(np.arange(2)).shape == (2, 3)


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


@pytest.mark.parametrize("cells", [1, 100, 1 << 22], ids=["one by one", "blocks with a rest", "at once"])
@pytest.mark.parametrize(("neighbours", "shrinkage"), [(1, 0.0), (4, 0.0), (4, 3.5), (ITEMS, 2.0), (99, 0.0)])
def test_item_knn_is_that_of_plain_loops(
    monkeypatch: pytest.MonkeyPatch, neighbours: int, shrinkage: float, cells: int
) -> None:
    monkeypatch.setattr(co_occurrences, "_CELLS_AT_ONCE", cells)
    training, seen = random_training()
    expected = np.zeros((USERS, ITEMS))
    for item in range(ITEMS):
        similarities = []
        for other in range(ITEMS):
            shared = float(seen[:, item] @ seen[:, other])
            sizes = np.sqrt(seen[:, item].sum()) * np.sqrt(seen[:, other].sum())
            similarities.append(shared / (sizes + shrinkage) if shared and other != item else 0.0)
        nearest = sorted(range(ITEMS), key=lambda other: (-similarities[other], other))[:neighbours]
        for other in nearest:
            expected[:, item] += seen[:, other] * similarities[other]
    knn = ItemKnn(item_knn_neighbours=neighbours, item_knn_shrinkage=shrinkage)
    assert_scores(knn.fit(training, Bar()), expected)


@pytest.mark.parametrize("number", [1, 2, 3, 6, 7])
def test_the_largest_of_each_row_are_kept_and_of_equal_ones_the_first(number: int) -> None:
    values = np.random.default_rng(0).integers(4, size=(200, 6)).astype(np.float64)
    expected = np.zeros(values.shape)
    for row, found in enumerate(values):
        best = sorted(range(6), key=lambda column: (-found[column], column))[:number]
        expected[row, best] = found[best]
    assert (keep_largest(values, number) == expected).all()


@pytest.mark.parametrize("l2", [0.5, 20.0])
def test_ease_is_the_constrained_ridge_regression_of_each_item(l2: float) -> None:
    training, seen = random_training()
    weights = np.zeros((ITEMS, ITEMS))
    for item in range(ITEMS):
        # Without the item itself among the regressors, its weight is zero, as the constraint says.
        others = np.delete(np.arange(ITEMS), item)
        regressors = np.concatenate([seen[:, others], np.sqrt(l2) * np.eye(ITEMS - 1)])
        targets = np.concatenate([seen[:, item], np.zeros(ITEMS - 1)])
        weights[others, item] = np.linalg.lstsq(regressors, targets, rcond=None)[0]
    assert_scores(Ease(ease_l2=l2).fit(training, Bar()), seen @ weights, tolerance=1e-8)


@pytest.mark.parametrize("make", [ItemKnn, Ease])
def test_scores_are_the_same_bytes_whatever_the_number_of_cores(make: Callable[[], ItemKnn | Ease]) -> None:
    random = np.random.default_rng(0)
    pairs = random.integers(300, size=20_000, dtype=np.int32), random.integers(700, size=20_000, dtype=np.int32)
    training = Training(300, np.bincount(pairs[1], minlength=700), lambda: pairs, seed=0)
    everybody = np.arange(300, dtype=np.int32)
    found = []
    for threads in (1, 2, 4):
        with threadpool_limits(threads):
            found.append(make().fit(training, Bar()).score_all_items(everybody))
    assert found[0].tobytes() == found[1].tobytes() == found[2].tobytes()


def test_items_with_the_same_users_tie() -> None:
    random = np.random.default_rng(0)
    seen = random.random((80, 40)) < 0.2
    seen[:, 30] = seen[:, 10]
    users, items = (found.astype(np.int32) for found in np.nonzero(seen))
    training = Training(80, seen.sum(axis=0), lambda: (users, items), seed=0)
    strangers = np.flatnonzero(~seen[:, 10]).astype(np.int32)
    for baseline in (ItemKnn(item_knn_neighbours=40), Ease(ease_l2=5.0)):
        scores = baseline.fit(training, Bar()).score_all_items(strangers)
        assert scores[:, 10] == pytest.approx(scores[:, 30], abs=1e-12)


def test_ease_is_not_fitted_where_items_squared_do_not_fit() -> None:
    training, _ = random_training()
    assert Ease(ease_most_items=ITEMS).obstacle(training) is None
    assert Ease(ease_most_items=22).obstacle(training) == "23 items are more than evaluator.ease_most_items (22)"


def test_names_of_baselines_are_free() -> None:
    """`model` is a system already, and each name becomes a key of the configuration."""
    own_keys = EvaluatorConfig.__bases__[0].model_fields  # those that come from no baseline
    assert not {"model", *own_keys} & set(BASELINES)
