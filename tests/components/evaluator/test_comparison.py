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
    found = summarise_slices(cut, users, items, RANKS, np.full(400, 99), 10)
    assert [part.users for part in found] == [100] * 4
    assert (found[1].name, found[1].low, found[1].high) == ("quartile 2", 100, 199)
    assert found[1].metrics["als"] == summarise(RANKS["als"][100:200], (10,))


def test_copies_of_the_held_out_item_push_it_down() -> None:
    found = summarise_copies(np.array([1, 10, 3, 11]), np.array([1, 1, 0, 2]), np.full(4, 99), 10)
    assert found.dropped["HR@10"] == 0.75
    assert found.counted["HR@10"] == 0.5
    assert found.difference["HR@10"] == -0.25
    assert found.difference["NDCG@10"] == pytest.approx((1 / np.log2(3) - 1 - 1 / np.log2(11)) / 4)


def test_users_with_fewer_rivals_than_k_are_in_no_figure_at_k() -> None:
    rivals = np.where(np.arange(400) < 100, 9, 99)
    with_them = Resampled.of(RANKS, (5, 10), generator(0, "test"), 300, rivals)
    others = {name: ranks[100:] for name, ranks in RANKS.items()}
    expected = {metric: summarise(others["als"], (10,))[metric] for metric in ("HR@10", "NDCG@10", "MRR@10")}
    best = with_them.best_rivals(list(expected), {"als": "ALS"}, 0.95)
    assert {metric: rival.value for metric, rival in best.items()} == pytest.approx(expected)
    ahead = METRICS["NDCG"](others["model"], 10) - METRICS["NDCG"](others["als"], 10)
    found = with_them.differences(0.95)["als"]["NDCG@10"]
    low, high = paired_interval(ahead, 0.95, generator(1, "test"), 2_000)[1:]
    assert found.mean == pytest.approx(ahead.mean())
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.2 * (high - low))
    assert with_them.bounds(0.95)["model"]["HR@5"] == pytest.approx(
        _resampled(RANKS, (5, 10)).bounds(0.95)["model"]["HR@5"]
    )


def test_a_metric_that_no_user_has_is_no_number() -> None:
    nobody = Resampled.of(RANKS, (10, 20), generator(0, "test"), 30, np.full(400, 15))
    assert np.isnan(nobody.bounds(0.9)["model"]["HR@20"]).all()
    assert np.isnan(dataclasses.astuple(nobody.differences(0.9)["als"]["HR@20"])).all()
    assert not np.isnan(nobody.bounds(0.9)["model"]["HR@10"]).any()


def test_a_ratio_between_groups_of_users_has_the_width_that_both_groups_give_it() -> None:
    random = np.random.default_rng(3)
    new, trained = (np.where(random.random(users) < share, 1, 30) for users, share in ((400, 0.3), (900, 0.4)))
    of, by = (new == 1).mean(), (trained == 1).mean()
    measured, others = (
        Resampled.of({name: ranks}, (10,), generator(0, name), 4000) for name, ranks in (("a", new), ("b", trained))
    )
    low, high = measured.ratio_bounds("a", others, "b", 0.95)["HR@10"]
    # The delta method: relative variances add up.
    half = 1.96 * of / by * np.sqrt((1 - of) / (400 * of) + (1 - by) / (900 * by))
    assert low < of / by < high
    assert (high - low) / 2 == pytest.approx(half, rel=0.1)


def test_there_is_no_ratio_to_nothing() -> None:
    hits, misses = (Resampled.of({"one": np.full(50, rank)}, (10,), generator(0, "test"), 100) for rank in (1, 30))
    assert np.isnan(hits.ratio_bounds("one", misses, "one", 0.95)["HR@10"]).all()
    assert misses.ratio_bounds("one", hits, "one", 0.95)["HR@10"] == (0, 0)
