import math

import ir_measures
import numpy as np
import pytest
from sklearn.metrics import ndcg_score

from components.metrics import METRICS
from components.metrics.by_user import by_user, summarise
from components.ranking.ranks import rank_first

KS = (1, 5, 10, 20)


@pytest.mark.parametrize("lift", [-10.0, 0.0, 1.5], ids=["no user has a hit", "by chance", "better than chance"])
def test_agrees_with_independent_libraries(lift: float) -> None:
    random = np.random.default_rng(1)
    scores = random.permuted(np.tile(np.linspace(-1, 1, 60), (200, 1)), axis=1)
    scores[:, 0] += lift + 1e-6
    measured = summarise(rank_first(scores, np.zeros(scores.shape, bool)), KS)

    qrels = {str(user): {"0": 1} for user in range(200)}
    run = {str(user): {str(item): float(score) for item, score in enumerate(row)} for user, row in enumerate(scores)}
    measures = [kind @ k for k in KS for kind in (ir_measures.Success, ir_measures.nDCG, ir_measures.RR)]
    theirs = ir_measures.calc_aggregate(measures, qrels, run)
    relevance = np.zeros(scores.shape)
    relevance[:, 0] = 1
    for k in KS:
        assert measured[f"HR@{k}"] == pytest.approx(theirs[ir_measures.Success @ k])
        assert measured[f"NDCG@{k}"] == pytest.approx(theirs[ir_measures.nDCG @ k])
        assert measured[f"MRR@{k}"] == pytest.approx(theirs[ir_measures.RR @ k])
        assert measured[f"NDCG@{k}"] == pytest.approx(ndcg_score(relevance, scores, k=k))


def test_closed_form() -> None:
    ranks = np.array([1, 2, 3, 10, 11])
    assert METRICS["HR"](ranks, 3).tolist() == [1, 1, 1, 0, 0]
    assert METRICS["NDCG"](ranks, 10).tolist() == pytest.approx([1, 1 / math.log2(3), 0.5, 1 / math.log2(11), 0])
    assert METRICS["MRR"](ranks, 10).tolist() == [1, 1 / 2, 1 / 3, 1 / 10, 0]
    assert summarise(ranks, (10,)) == {
        "HR@10": 0.8,
        "NDCG@10": pytest.approx(np.mean(METRICS["NDCG"](ranks, 10))),
        "MRR@10": pytest.approx((1 + 1 / 2 + 1 / 3 + 1 / 10) / 5),
    }


def test_no_user_gives_nan_and_one_user_a_number() -> None:
    assert all(math.isnan(value) for value in summarise(np.zeros(0, np.int64), KS).values())
    assert summarise(np.array([2]), (1, 2)) == {
        "HR@1": 0, "NDCG@1": 0, "MRR@1": 0, "HR@2": 1, "NDCG@2": pytest.approx(1 / math.log2(3)), "MRR@2": 0.5,
    }  # fmt: skip


def test_a_user_with_fewer_rivals_than_k_has_no_metric_at_k() -> None:
    ranks, rivals = np.array([1, 4, 2, 3]), np.array([99, 9, 10, 2])
    assert np.isnan(by_user(ranks, (5, 10), rivals)).tolist() == [
        [False] * 6,
        [False] * 3 + [True] * 3,
        [False] * 6,
        [True] * 6,
    ]
    found = summarise(ranks, (5, 10, 100), rivals)
    assert found["HR@5"] == 1
    assert found["MRR@5"] == pytest.approx((1 + 1 / 4 + 1 / 2) / 3)
    assert found["MRR@10"] == pytest.approx((1 + 1 / 2) / 2)
    assert math.isnan(found["HR@100"])
