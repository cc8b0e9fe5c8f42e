import math
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tfx.components.util import model_utils

from components.artifacts.evaluation import ByWay, ChampionStatus, State
from components.artifacts.interactions_summary import InteractionsSummary
from components.artifacts.model_run import Epoch, History, Stage
from components.evaluator import serving_check
from components.serving.manifest import Origin
from tests.components.evaluator.running import Outcome, failed_rules, model_path, run_executor


def _expected(scores: np.ndarray, world: Any, k: int) -> dict[str, dict[str, float]]:
    """HR and NDCG by plain loops over sets."""
    ranks: dict[str, list[int]] = {"sampled": [], "full": []}
    for user in np.flatnonzero(world.positives >= 0):
        own = world.positives[user]
        drawn = [item for item, masked in zip(world.negatives[user], world.masked[user], strict=True) if not masked]
        unseen = set(range(scores.shape[1])) - world.seen[user] - {own}
        for way, rivals in (("sampled", drawn), ("full", unseen)):
            ranks[way].append(1 + sum(scores[user, item] >= scores[user, own] for item in rivals))
    return {
        way: {
            f"HR@{k}": sum(rank <= k for rank in found) / len(found),
            f"NDCG@{k}": sum(1 / math.log2(rank + 1) for rank in found if rank <= k) / len(found),
        }
        for way, found in ranks.items()
    }


@pytest.mark.parametrize("text_ids", [False, True], ids=["integer ids", "text ids"])
def test_a_good_model_is_blessed(
    make_world: Callable[..., Any], save_model: Callable[..., None], text_ids: bool
) -> None:
    world = make_world(text_ids=text_ids)
    scores = world.good_scores()
    save_model(model_path(world), scores, world)
    outcome = run_executor(world, minimum_hr=0.5, minimum_ndcg=0.3, ks=(1, 3, 10), gate_k=3, pairs_per_block=170)

    assert failed_rules(outcome) == []
    assert model_utils.is_model_blessed(outcome.blessing)
    assert outcome.blessing.get_string_custom_property("current_model") == world.uri("model")
    assert outcome.blessing.get_int_custom_property("current_model_id") == len("model")
    assert sorted(path.name for path in (world.root / "blessing").iterdir()) == ["BLESSED", "origin.json"]
    origin = Origin.read(str(world.root / "blessing"))
    assert origin is not None
    assert origin.data == outcome.report.dataset_fingerprint
    assert origin.metrics == pytest.approx(outcome.report.model.full)
    assert origin.verdict == {verdict.rule: verdict.state.value for verdict in outcome.report.rules}

    report = outcome.report
    popular = np.tile(world.train_counts, (len(scores), 1))
    for name, of_scorer in (("model", scores), ("popularity", popular)):
        expected, system = _expected(of_scorer, world, 3), report.systems[name]
        for metrics, found in ((expected["sampled"], system.sampled), (expected["full"], system.full)):
            assert {metric: found[metric] for metric in metrics} == pytest.approx(metrics)
    assert report.test_users == ByWay(123, 123)
    assert report.serving.users == 123
    assert report.best_possible_hr == 0.9
    assert report.dataset_fingerprint == "0123456789abcdef"
    assert report.model_path == model_path(world)
    assert report.data == InteractionsSummary.read(world.uri("interactions"))
    assert report.champion.drift is None
    assert outcome.note.startswith(f"HR@3 {report.model.full['HR@3']:.4f} NDCG@3 ")
    assert outcome.note.endswith(" · blessed")


def test_a_threshold_too_high_is_not_blessed(world: Any, save_model: Callable[..., None]) -> None:
    save_model(model_path(world), world.good_scores(), world)
    outcome = run_executor(world, minimum_hr=1.0, ks=(1,), gate_k=1)
    assert failed_rules(outcome) == ["minimum_hr"]
    assert not outcome.report.blessed
    assert not model_utils.is_model_blessed(outcome.blessing)
    assert outcome.blessing.get_int_custom_property("blessed") == 0
    assert [path.name for path in (world.root / "blessing").iterdir() if path.suffix != ".json"] == ["NOT_BLESSED"]
    assert f"· not blessed: HR@1 {outcome.report.model.full['HR@1']:.4f} is below the minimum 1" in outcome.note


def test_popularity_itself_is_not_below_popularity_but_not_better_either(
    world: Any, save_model: Callable[..., None]
) -> None:
    scores = np.tile(world.train_counts.astype(np.float32), (130, 1))
    save_model(model_path(world), scores, world)
    alone = {"als": False, "item_knn": False, "ease": False}
    outcome = run_executor(world, ks=(3,), gate_k=3, better_than_popularity=True, **alone)
    model, popularity = outcome.report.model, outcome.report.systems["popularity"]
    assert (model.sampled, model.full, model.intervals) == (popularity.sampled, popularity.full, popularity.intervals)
    assert failed_rules(outcome) == [f"better_than_popularity_{metric}" for metric in ("hr", "ndcg", "mrr")]


def test_one_score_that_is_not_a_number_is_refused(world: Any, save_model: Callable[..., None]) -> None:
    scores = world.good_scores()
    scores[3, world.positives[3]] = np.nan
    save_model(model_path(world), scores, world)
    outcome = run_executor(world, ks=(3,), gate_k=3)
    assert outcome.report.model.not_finite == 2  # once in each ranking
    assert "finite" in failed_rules(outcome)


def test_nothing_but_nan_gives_no_hit_and_valid_json(world: Any, save_model: Callable[..., None]) -> None:
    save_model(model_path(world), np.full((130, 40), np.nan, np.float32), world)
    outcome = run_executor(world, ks=(3,), gate_k=3)
    assert outcome.report.model.full["HR@3"] == 0
    assert math.isnan(outcome.report.serving.largest_difference)
    assert {"finite", "serving_consistent"} <= set(failed_rules(outcome))


def test_no_test_users_is_not_blessed(make_world: Callable[..., Any], save_model: Callable[..., None]) -> None:
    world = make_world(users_with_test=0)
    save_model(model_path(world), world.good_scores(), world)
    outcome = run_executor(world, minimum_test_users=1, minimum_hr=0.0)
    assert math.isnan(outcome.report.model.sampled["HR@10"])
    below = ["not_below_best_baseline_ndcg", "not_below_best_baseline_ndcg_sampled"]
    unjudged = ["not_too_good", "finite", "harness_agrees_with_itself", "minimum_hr", *below]
    assert failed_rules(outcome) == ["minimum_test_users", *unjudged]
    assert outcome.note.startswith("HR@10 none")


CHAMPION_RULES = ["not_worse_than_champion_ndcg", "not_worse_than_champion_ndcg_sampled"]
NOT_OF_THIS_WORLD = ["rows_by_histories", "as_exported", "items_by_histories"]


def _skipped(outcome: Outcome) -> list[str]:
    return [verdict.rule for verdict in outcome.report.rules if verdict.state is State.SKIPPED]


def _push(world: Any, version: str) -> Path:
    """Copies the model to the push destination, as Pusher does."""
    return Path(shutil.copytree(model_path(world), world.root / "serving" / version))


def test_without_a_champion_its_rules_are_skipped(world: Any, save_model: Callable[..., None]) -> None:
    save_model(model_path(world), world.good_scores(), world)
    outcome = run_executor(world, ks=(3,), gate_k=3)
    assert outcome.report.blessed
    assert outcome.report.champion.status is ChampionStatus.NONE
    assert _skipped(outcome) == [*NOT_OF_THIS_WORLD, *CHAMPION_RULES]


def test_a_model_as_good_as_the_champion_is_blessed(world: Any, save_model: Callable[..., None]) -> None:
    save_model(model_path(world), world.good_scores(), world)
    _push(world, "1795348581")
    outcome = run_executor(world, ks=(3,), gate_k=3)
    assert outcome.report.blessed
    assert outcome.report.champion.version == "1795348581"
    assert outcome.report.champion.compared.shared_users == 123
    assert _skipped(outcome) == NOT_OF_THIS_WORLD
    assert outcome.report.champion == run_executor(world, ks=(3,), gate_k=3).report.champion


def test_a_model_worse_than_the_champion_is_not_blessed(world: Any, save_model: Callable[..., None]) -> None:
    save_model(model_path(world), world.good_scores(), world)
    _push(world, "1")
    shutil.rmtree(model_path(world))
    worse = np.random.default_rng(4).normal(size=(130, 40)).astype(np.float32)
    worse[:, :20] += world.good_scores()[:, :20]
    save_model(model_path(world), worse, world)
    outcome = run_executor(world, ks=(3,), gate_k=3)
    assert failed_rules(outcome) == CHAMPION_RULES
    assert not model_utils.is_model_blessed(outcome.blessing)
    assert "not blessed: NDCG@3 over all items minus the champion's (upper bound" in outcome.note
    assert failed_rules(run_executor(world, ks=(3,), gate_k=3, champion_margin=None)) == []


def test_a_corrupted_champion_blocks_until_it_is_removed(world: Any, save_model: Callable[..., None]) -> None:
    save_model(model_path(world), world.good_scores(), world)
    champion = _push(world, "7")
    (champion / "saved_model.pb").write_bytes(b"not a model")
    outcome = run_executor(world, ks=(3,), gate_k=3)
    assert failed_rules(outcome) == CHAMPION_RULES
    assert outcome.report.champion.status is ChampionStatus.BROKEN
    assert f"the model at {champion} cannot be loaded" in outcome.note
    (champion / "saved_model.pb").unlink()
    assert run_executor(world, ks=(3,), gate_k=3).report.blessed


def test_a_model_below_the_best_baseline_is_not_blessed_unless_it_may_be(
    world: Any, save_model: Callable[..., None]
) -> None:
    scores = np.random.default_rng(4).normal(size=(130, 40)).astype(np.float32)
    scores[np.arange(123), world.positives[:123]] -= 3
    save_model(model_path(world), scores, world)
    outcome = run_executor(world, ks=(3,), gate_k=3)
    assert failed_rules(outcome) == ["not_below_best_baseline_ndcg", "not_below_best_baseline_ndcg_sampled"]
    best = outcome.report.best_baselines.full["NDCG@3"]
    assert best.value == max(system.full["NDCG@3"] for system in outcome.report.baselines.values())
    assert f"the best baseline: {best.title}" in outcome.note
    assert run_executor(world, ks=(3,), gate_k=3, baseline_margin=None).report.blessed


def test_test_rows_that_leaked_into_training_are_not_blessed(
    make_world: Callable[..., Any], save_model: Callable[..., None]
) -> None:
    world = make_world(leaked=5)
    save_model(model_path(world), world.good_scores(), world)
    assert failed_rules(run_executor(world, ks=(3,), gate_k=3)) == ["leak_free"]


def test_a_score_table_that_equals_the_labels_is_not_blessed(world: Any, save_model: Callable[..., None]) -> None:
    scores = world.good_scores()
    scores[np.arange(123), world.positives[:123]] += 9
    save_model(model_path(world), scores, world)
    outcome = run_executor(world, ks=(3,), gate_k=3)
    assert outcome.report.soundness.ranked_first["model"] == 1
    assert failed_rules(outcome) == ["not_too_good"]
    assert run_executor(world, ks=(3,), gate_k=3, suspicious_share=None).report.blessed


def test_report_shows_the_run_and_its_history(world: Any, save_model: Callable[..., None]) -> None:
    save_model(model_path(world), world.good_scores(), world)
    epochs = [Epoch(7.43217, {"HR@10": 0.5, "NDCG@10": 0.25}, seconds=1.0, examples_per_second=9)]
    stage = Stage("neumf", epochs, 1, "ndcg@10 on validation", "all epochs done")
    history = History(stage, seconds=2.0, config={"num_factors": 7})
    page = run_executor(world, ks=(3,), gate_k=3, history=history).page
    assert "a small pipeline" in page
    assert "7.4322" in page
    assert re.search(r"num_factors\W.*?\b7\b", page, re.DOTALL), "what the training was told, not the description"
    assert "7.4322" not in run_executor(world, ks=(3,), gate_k=3).page


@pytest.mark.parametrize(
    ("fault", "rule"),
    [
        ({"serving_scale": 1.001}, "serving_consistent"),
        ({"known_users": 122}, "serving_knows_ids"),
        ({"recommends": "seen"}, "serving_consistent"),
        ({"recommends": "other ids"}, "serving_consistent"),
    ],
    ids=["other scores", "a user it does not know", "recommends what was seen", "recommends other items"],
)
def test_serving_that_differs_from_what_was_measured_is_refused(
    world: Any, save_model: Callable[..., None], fault: dict[str, Any], rule: str
) -> None:
    save_model(model_path(world), world.good_scores(), world, **fault)
    assert rule in failed_rules(run_executor(world, ks=(3,), gate_k=3))


def test_one_unknown_user_is_found_whoever_is_in_the_sample(
    world: Any, save_model: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving_check, "MOST_USERS", 5)
    save_model(model_path(world), world.good_scores(), world, known_users=122)
    assert "serving_knows_ids" in failed_rules(run_executor(world, ks=(3,), gate_k=3))


def test_full_ranking_of_a_seeded_sample_of_users(world: Any, save_model: Callable[..., None]) -> None:
    save_model(model_path(world), world.good_scores(), world)
    first, again, other = (run_executor(world, seed=seed, full_ranking_users=20).report for seed in (1, 1, 2))
    assert first.test_users == ByWay(123, 20)
    assert first.model == again.model
    assert first.model.sampled == other.model.sampled
    assert first.model.full != other.model.full


def test_interactions_without_validation(world: Any, save_model: Callable[..., None]) -> None:
    save_model(model_path(world), world.good_scores(), world)
    with_validation = run_executor(world).report.model.full
    summary = InteractionsSummary.read(world.uri("interactions"))
    splits = {split: rows for split, rows in summary.interactions.items() if split != "validation"}
    replace(summary, interactions=splits).write(world.uri("interactions"))
    without = run_executor(world).report.model.full
    assert without["NDCG@10"] < with_validation["NDCG@10"]
