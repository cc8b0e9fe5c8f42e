"""What is measured, on a small world."""

import dataclasses
import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from components.artifacts.evaluation import CopiesEffect, Evaluation, State
from components.evaluator.config import EvaluatorConfig
from components.evaluator.evaluation import evaluate
from components.evaluator.trials import Sources

SYSTEMS = ("model", "popularity", "als", "item_knn", "ease", "recent_items")


def _evaluate(world: Any, seed: int = 0, learnt_validation: bool = False, **config: Any) -> Evaluation:
    inputs = (world.uri(name) for name in ("model", "examples", "interactions", "vocabulary"))
    sources = Sources(*inputs, learnt_validation=learnt_validation)
    found = evaluate(sources, EvaluatorConfig(**{"ks": (1, 3), "gate_k": 3, **config}), seed)
    content = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert Evaluation.from_json(content).to_json() == content
    return found


@pytest.fixture
def good_world(world: Any, save_model: Callable[..., None]) -> Any:
    save_model(world.uri("model"), world.good_scores(), world)
    return world


def test_systems_stand_side_by_side(good_world: Any) -> None:
    found = _evaluate(good_world)
    assert tuple(found.systems) == SYSTEMS
    for system in found.systems.values():
        for means, intervals in ((system.sampled, system.intervals.sampled), (system.full, system.intervals.full)):
            assert list(means) == ["HR@1", "NDCG@1", "MRR@1", "HR@3", "NDCG@3", "MRR@3"]
            for metric, value in means.items():
                low, high = intervals[metric]
                assert low <= value <= high
        assert system.not_finite == 0
        assert system.coverage.k == 3
        assert 0 < system.coverage.share <= 1
        assert sum(system.recommended_popularity.quartiles) == pytest.approx(1)
    assert tuple(found.differences) == SYSTEMS[1:]
    for baseline, ways in found.differences.items():
        for differences, ours, theirs in (
            (ways.sampled, found.model.sampled, found.systems[baseline].sampled),
            (ways.full, found.model.full, found.systems[baseline].full),
        ):
            for metric, difference in differences.items():
                ahead = ours[metric] - theirs[metric]
                assert difference.mean == pytest.approx(ahead)
                assert difference.low - 1e-12 <= ahead <= difference.high + 1e-12
    popularity = found.systems["popularity"]
    assert found.model.coverage.share > popularity.coverage.share
    assert popularity.recommended_popularity.quartiles[0] == 0
    assert (found.ks, found.gate_k, found.confidence, found.bootstrap_samples) == ((1, 3), 3, 0.95, 1000)
    assert found.weights_not_finite == 0


def test_baselines_say_how_long_they_took(good_world: Any) -> None:
    found = _evaluate(good_world)
    assert found.model.fit_seconds is None
    for baseline in found.baselines.values():
        assert baseline.fit_seconds is not None
        assert 0 <= baseline.fit_seconds <= found.seconds


def test_a_baseline_that_does_not_fit_is_left_out_and_says_why(good_world: Any) -> None:
    found = _evaluate(good_world, ease_most_items=39, better_than_ease=True)
    assert list(found.systems) == [name for name in SYSTEMS if name != "ease"]
    reason = "40 items, and 130 users, are more than evaluator.ease_most_items (39)"
    assert found.left_out["ease"].reason == reason
    failed = [rule for rule in found.rules if rule.rule.startswith("better_than_ease")]
    assert [rule.rule.removeprefix("better_than_ease_") for rule in failed] == ["hr", "ndcg", "mrr"]
    assert {rule.detail for rule in failed} == {f"EASE cannot be compared with: {reason}"}
    assert not found.blessed


def test_baselines_learn_from_validation_items_where_the_model_did(good_world: Any) -> None:
    before, after = (_evaluate(good_world, learnt_validation=learnt) for learnt in (False, True))
    assert before.model.full == after.model.full
    assert before.systems["popularity"].sampled != after.systems["popularity"].sampled


def test_slices_are_of_the_sampled_ranking(good_world: Any) -> None:
    found = _evaluate(good_world)
    counts = {
        "activity": [len(seen) - 1 for seen in good_world.seen[:123]],
        "item_popularity": good_world.train_counts[good_world.positives[:123]].tolist(),
    }
    for way, slices in found.slices.items():
        assert [part.name for part in slices] == [f"quartile {number}" for number in range(1, 5)]
        for part in slices:
            assert part.users == sum(part.low <= count <= part.high for count in counts[way])
        for name, system in found.systems.items():
            mean = sum(part.users * part.metrics[name]["HR@3"] for part in slices) / 123
            assert mean == pytest.approx(system.sampled["HR@3"])


def test_a_held_out_item_among_its_negatives_counts_only_with_the_switch(good_world: Any) -> None:
    copies = sum(int(item) in good_world.negatives[user] for user, item in enumerate(good_world.positives[:123]))
    assert copies > 10
    dropped, counted = (_evaluate(good_world, count_positive_among_negatives=switch) for switch in (False, True))

    def means(effect: CopiesEffect, found: Evaluation) -> dict[str, float]:
        return effect.counted if found is counted else effect.dropped

    for found in (dropped, counted):
        effect = found.positive_among_negatives
        assert effect.users == copies
        metrics = ("HR@3", "NDCG@3", "MRR@3")
        assert means(effect.systems["model"], found) == {metric: found.model.sampled[metric] for metric in metrics}
        assert means(effect.systems["als"], found)["HR@3"] == found.systems["als"].sampled["HR@3"]
    differences = [found.positive_among_negatives.systems["model"].difference for found in (dropped, counted)]
    assert differences[0] == differences[1]
    assert counted.model.sampled["HR@1"] < dropped.model.sampled["HR@1"]
    assert counted.model.full == dropped.model.full


def test_examples_are_test_users_with_raw_ids(good_world: Any) -> None:
    users = good_world.user_ids.tolist()
    examples = _evaluate(good_world).examples
    assert len(examples) == 10
    for example in examples:
        user = users.index(example.user)
        seen = {good_world.item_ids[item] for item in good_world.seen[user]}
        assert example.interactions == len(seen)
        assert set(example.history) <= seen
        assert not seen & {item.item for item in example.recommended}
        assert example.held_out == good_world.item_ids[good_world.positives[user]]
        scores = [item.score for item in example.recommended]
        assert scores == sorted(scores, reverse=True)
        if example.rank <= 10:
            assert example.recommended[example.rank - 1].held_out


def test_the_same_seed_gives_the_same_figures(good_world: Any) -> None:
    first, again, other = (_evaluate(good_world, seed=seed) for seed in (0, 0, 1))
    assert _without_seconds(first) == _without_seconds(again)
    assert first.model.intervals != other.model.intervals
    assert first.model.sampled == other.model.sampled


def _without_seconds(found: Evaluation) -> Evaluation:
    systems = {name: dataclasses.replace(system, fit_seconds=None) for name, system in found.systems.items()}
    return dataclasses.replace(found, seconds=0, systems=systems)


def test_without_als_there_is_nothing_of_it(good_world: Any) -> None:
    found = _evaluate(good_world, als=False, ease=False, recent_items=False)
    assert list(found.systems) == ["model", "popularity", "item_knn"]
    assert list(found.differences) == ["popularity", "item_knn"]
    assert list(found.slices["activity"][0].metrics) == ["model", "popularity", "item_knn"]


def test_nobody_to_test_on(make_world: Callable[..., Any], save_model: Callable[..., None]) -> None:
    world = make_world(users_with_test=0)
    save_model(world.uri("model"), world.good_scores(), world)
    found = _evaluate(world)
    assert found.slices == {"activity": (), "item_popularity": ()}
    assert found.examples == ()
    assert all(map(math.isnan, found.model.intervals.full["HR@1"]))
    assert all(map(math.isnan, dataclasses.astuple(found.differences["als"].sampled["HR@3"])))
    assert math.isnan(found.model.recommended_popularity.mean_interactions)
    assert found.to_json()["differences"]["als"]["sampled"]["HR@3"] == {"mean": None, "low": None, "high": None}


def test_scores_that_are_no_numbers_are_never_recommended(world: Any, save_model: Callable[..., None]) -> None:
    save_model(world.uri("model"), np.full((130, 40), np.nan, np.float32), world)
    found = _evaluate(world)
    assert found.weights_not_finite == 130 * 40
    assert found.model.coverage.items == 0
    assert found.examples[0].recommended == ()
    assert found.examples[0].rank > 10


def test_where_nobody_has_more_candidates_than_k_there_is_no_metric(good_world: Any) -> None:
    found = _evaluate(good_world, ks=(3, 10), gate_k=10)
    unseen = [40 - len(seen) - 1 for seen in good_world.seen[:123]]
    assert found.short_users.sampled[10] == 123
    assert found.short_users.full == {}
    assert min(unseen) >= 10
    assert math.isnan(found.model.sampled["HR@10"])
    assert found.model.sampled["HR@3"] > 0
    assert found.model.not_finite == 0
    states = {rule.rule: (rule.state, rule.detail) for rule in found.rules}
    told = "no test user has more than 10 sampled candidates to choose the held-out one from: "
    assert states["not_below_best_baseline_ndcg_sampled"] == (
        State.SKIPPED,
        f"skipped: {told}HR@10 NDCG@10 MRR@10 are not given; a lower evaluator.gate_k has them",
    )
    assert states["not_below_best_baseline_ndcg"][0] is State.PASSED
    assert found.blessed
    assert not _evaluate(good_world, ks=(3, 10), gate_k=10, gate_on="sampled").blessed


def test_users_who_have_seen_nearly_all_are_left_out_and_counted(good_world: Any) -> None:
    unseen = np.array(
        [40 - len(seen | {good_world.positives[user]}) for user, seen in enumerate(good_world.seen[:123])]
    )
    k = int(np.median(unseen)) + 1
    found = _evaluate(good_world, ks=(3, k), gate_k=k, minimum_test_users=20)
    short = int((unseen < k).sum())
    assert found.short_users.full == {k: short}
    assert f"{short} of 123 test users have {k} unseen items or fewer" in found.told_short_users("full")
    scores = good_world.good_scores()[:123]
    hits = []
    for user in np.flatnonzero(unseen >= k):
        rivals = sorted(set(range(40)) - good_world.seen[user] - {int(good_world.positives[user])})
        hits.append((scores[user, rivals] >= scores[user, good_world.positives[user]]).sum() < k)
    assert found.model.full[f"HR@{k}"] == pytest.approx(np.mean(hits))
    (rule,) = (rule for rule in found.rules if rule.rule == "minimum_test_users")
    assert rule.value == 123 - short
    assert f"left out: {short} of 123 test users" in rule.detail
