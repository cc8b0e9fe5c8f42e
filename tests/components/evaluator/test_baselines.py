import gzip
from pathlib import Path

import numpy as np
import pytest

from components.evaluator.baselines import Popularity
from components.evaluator.metrics import summarise
from components.evaluator.ranking import Candidates, Holdouts, rank_all_items, rank_candidates
from components.progress import Reporter

Data = tuple[np.ndarray, np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def ml_1m(shared_data: Path) -> Data:
    """Training pairs [rows, 2], test pairs [users, 2] and the paper's negatives [users, 99]."""
    folder = shared_data / "ml-1m-ncf"
    with gzip.open(folder / "ml-1m.train.rating.gz", "rt") as file:
        train = np.loadtxt(file, np.int32, delimiter="\t", usecols=(0, 1))
    test = np.loadtxt(folder / "ml-1m.test.rating", np.int32, delimiter="\t", usecols=(0, 1))
    negatives = np.loadtxt(folder / "ml-1m.test.negative", np.int32, delimiter="\t", usecols=range(1, 100))
    return train, test, negatives


@pytest.mark.parametrize(
    ("own_positive_dropped", "hr", "ndcg"),
    [(True, (0.4530, 0.4540), (0.2540, 0.2550)), (False, (0.4515, 0.4525), (0.2520, 0.2530))],
)
def test_popularity_has_the_published_accuracy_on_ml_1m(
    ml_1m: Data, own_positive_dropped: bool, hr: tuple[float, float], ndcg: tuple[float, float]
) -> None:
    train, test, negatives = ml_1m
    items = np.concatenate([test[:, 1:], negatives], axis=1)
    own_positive = items == test[:, 1:]
    own_positive[:, 0] = False
    assert own_positive.any(axis=1).sum() == 156
    batch = Candidates(test[:, 0], items, own_positive & own_positive_dropped)
    with Reporter().bar("", 1) as bar:
        ranking = rank_candidates(Popularity(np.bincount(train[:, 1], minlength=3706)), [batch], bar)
    measured = summarise(ranking.ranks, (10,))
    assert hr[0] <= measured["HR@10"] <= hr[1]
    assert ndcg[0] <= measured["NDCG@10"] <= ndcg[1]


def test_popularity_has_the_reference_accuracy_in_full_ranking(ml_1m: Data) -> None:
    train, test, _ = ml_1m
    train = train[np.argsort(train[:, 0], kind="stable")]
    ends = np.searchsorted(train[:, 0], test[:, 0], side="right")
    with Reporter().bar("", 1) as bar:
        popularity = Popularity(np.bincount(train[:, 1], minlength=3706))
        ranking = rank_all_items(popularity, Holdouts(test[:, 0], test[:, 1], train[:, 1], ends), 64, bar)
    measured = summarise(ranking.ranks, (10,))
    assert measured["HR@10"] == pytest.approx(0.0414, abs=1e-4)
    assert measured["NDCG@10"] == pytest.approx(0.0204, abs=1e-4)


def test_counts_beyond_float32_stay_apart() -> None:
    scores = Popularity(np.array([2**24, 2**24 + 1])).score_candidates(np.zeros(1, np.int32), np.array([[0, 1]]))
    assert scores[0, 0] < scores[0, 1]
