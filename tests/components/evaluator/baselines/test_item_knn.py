import numpy as np
import pytest

from components.evaluator.baselines.item_knn import ItemKnn
from components.evaluator.baselines.linear import neighbours
from tests.components.evaluator.baselines.trainings import ITEMS, USERS, Bar, assert_scores, random_training


@pytest.mark.parametrize("at_once", [1, 10, 256], ids=["one by one", "parts with a rest", "at once"])
@pytest.mark.parametrize(("number", "shrinkage"), [(1, 0.0), (4, 0.0), (4, 3.5), (ITEMS, 2.0), (99, 0.0)])
def test_scores_are_those_of_plain_loops(
    monkeypatch: pytest.MonkeyPatch, number: int, shrinkage: float, at_once: int
) -> None:
    monkeypatch.setattr(neighbours, "_ITEMS_AT_ONCE", at_once)
    training, seen = random_training()
    expected = np.zeros((USERS, ITEMS))
    for item in range(ITEMS):
        similarities = []
        for other in range(ITEMS):
            shared = float(seen[:, item] @ seen[:, other])
            sizes = np.sqrt(seen[:, item].sum()) * np.sqrt(seen[:, other].sum())
            similarities.append(shared / (sizes + shrinkage) if shared and other != item else 0.0)
        nearest = sorted(range(ITEMS), key=lambda other: (-similarities[other], other))[:number]
        for other in nearest:
            expected[:, item] += seen[:, other] * similarities[other]
    knn = ItemKnn(item_knn_neighbours=number, item_knn_shrinkage=shrinkage)
    assert_scores(knn.fit(training, Bar()), expected)
