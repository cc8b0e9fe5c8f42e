import numpy as np
import pytest

from benchmarks import gate
from components.artifacts.evaluation import ByWay
from components.evaluator.config import EvaluatorConfig
from components.metrics.ndcg import ndcg
from components.preprocess.datasets.synthetic_generator import SyntheticConfig

CONFIG = EvaluatorConfig(bootstrap_samples=100)


@pytest.fixture(scope="module")
def data() -> gate.Data:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gate, "SYNTHETIC", SyntheticConfig(users=400, items=300, interactions=20_000))
        return gate.synthetic()


def test_candidates_are_the_held_out_item_and_unseen_ones(data: gate.Data) -> None:
    assert data.candidates.shape == (400, 100)
    assert np.array_equal(data.candidates[:, 0], data.holdouts.items)
    seen = np.split(data.holdouts.seen, data.holdouts.seen_ends[:-1])
    for items, own in zip(data.candidates, seen, strict=True):
        assert len(np.unique(items)) == 100
        assert not np.isin(items, own).any()


@pytest.mark.parametrize("way", ["full", "sampled"])
def test_a_harmed_model_is_as_much_worse_as_asked(data: gate.Data, way: str) -> None:
    models = [gate.fit(data, seed) for seed in range(2)]
    before = np.mean([ndcg(gate.rank(model, data).of(way), 10) for model in models])
    for harm in gate.harms(data).values():
        after = np.mean([ndcg(ranks.of(way), 10) for ranks in gate.harm_until_worse(models, data, harm, 0.2, way)])
        assert after / before == pytest.approx(0.8, abs=0.03)


def test_equal_models_pass_and_worse_ones_fail() -> None:
    """Ranks of 5,000 users that differ a little from seed to seed; the worse rank 15 % lower."""
    random = np.random.default_rng(0)
    typical = np.exp(random.normal(3, 1.5, 5_000))

    def ranks(longer: float = 1.0) -> gate.Ranks:
        found = np.ceil(longer * typical * np.exp(random.normal(0, 0.2, 5_000))).astype(np.int64)
        return ByWay(sampled=np.ceil(found / 15).astype(np.int64), full=found)

    equal = [(ranks(), ranks()) for _ in range(10)]
    worse = [(ranks(1.15), ranks()) for _ in range(10)]
    assert gate.share_failed(equal, 5_000, 60, CONFIG) <= 0.05
    assert gate.share_failed(worse, 5_000, 20, CONFIG) >= 0.95
    lenient = CONFIG.model_copy(update={"noise_tolerance": 0.5})
    assert gate.share_failed(worse, 5_000, 20, lenient) == 0
