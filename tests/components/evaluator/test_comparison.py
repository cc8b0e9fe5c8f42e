import dataclasses

import numpy as np
import pytest

from components.artifacts.evaluation import Difference
from components.evaluator.bootstrap import paired_interval
from components.evaluator.comparison import Resampled, summarise_copies, summarise_slices
from components.evaluator.slices import slicings
from components.metrics import METRICS
from components.metrics.by_user import summarise
from components.shared.random_streams import generator

RANKS = {name: np.random.default_rng(seed).integers(1, 30, 400) for seed, name in enumerate(("model", "als"))}


def _resampled(ranks: dict[str, np.ndarray], ks: tuple[int, ...]) -> Resampled:
    return Resampled.of(ranks, ks, generator(0, "test"), 300)


def test_systems_are_resampled_together() -> None:
    alone = _resampled({"model": RANKS["model"]}, (5, 10))
    together = _resampled(RANKS, (5, 10))
    of_systems, differences = together.bounds(0.9), together.differences(0.9)
    assert alone.differences(0.9) == {}
    for metric, bounds in of_systems["model"].items():
        # Products of other shapes may differ in the last bit.
        assert bounds == pytest.approx(alone.bounds(0.9)["model"][metric], rel=1e-12)
    ahead = METRICS["HR"](RANKS["model"], 10) - METRICS["HR"](RANKS["als"], 10)
    expected = paired_interval(ahead, 0.9, generator(0, "test"), 300)
    assert differences == {"als": differences["als"]}
    assert dataclasses.astuple(differences["als"]["HR@10"]) == pytest.approx(expected)
    assert list(differences["als"]) == ["HR@5", "NDCG@5", "MRR@5", "HR@10", "NDCG@10", "MRR@10"]
    for name, ranks in RANKS.items():
        for metric, value in summarise(ranks, (5, 10)).items():
            low, high = of_systems[name][metric]
            assert low < value < high


def test_a_system_is_not_ahead_of_its_equal() -> None:
    differences = _resampled({"model": RANKS["model"], "als": RANKS["model"]}, (10,)).differences(0.9)
    assert differences["als"]["NDCG@10"] == Difference(0, 0, 0)


def test_the_best_rival_is_another_one_for_another_metric() -> None:
    first, often = np.where(np.arange(100) < 30, 1, 99), np.where(np.arange(100) < 40, 10, 99)
    ranks = {"model": np.full(100, 5), "first": first, "often": often, "never": np.full(100, 99)}
    titles = {name: name.upper() for name in ranks}
    best = _resampled(ranks, (10,)).best_rivals(["HR@10", "MRR@10"], titles, 0.95)
    assert {metric: (rival.name, rival.title, rival.value) for metric, rival in best.items()} == {
        "HR@10": ("often", "OFTEN", 0.4),
        "MRR@10": ("first", "FIRST", 0.3),
    }
    two_sided = _resampled(ranks, (10,)).differences(0.9)["often"]["HR@10"]
    assert dataclasses.astuple(best["HR@10"].difference) == pytest.approx(dataclasses.astuple(two_sided))


def test_without_a_rival_none_is_best() -> None:
    assert _resampled({"model": RANKS["model"]}, (10,)).best_rivals(["HR@10"], {}, 0.95) == {}


def test_slices_hold_the_metrics_of_their_users() -> None:
    users = np.arange(400)
    items = users % 7
    cut = slicings(users, items, users, np.arange(7))["activity"]
    found = summarise_slices(cut, users, items, RANKS, 10)
    assert [part.users for part in found] == [100] * 4
    assert (found[1].name, found[1].low, found[1].high) == ("quartile 2", 100, 199)
    assert found[1].metrics["als"] == summarise(RANKS["als"][100:200], (10,))


def test_copies_of_the_held_out_item_push_it_down() -> None:
    found = summarise_copies(np.array([1, 10, 3, 11]), np.array([1, 1, 0, 2]), 10)
    assert found.dropped["HR@10"] == 0.75
    assert found.counted["HR@10"] == 0.5
    assert found.difference["HR@10"] == -0.25
    assert found.difference["NDCG@10"] == pytest.approx((1 / np.log2(3) - 1 - 1 / np.log2(11)) / 4)
