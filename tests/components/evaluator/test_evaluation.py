"""What `metrics.json` holds, on a small world."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from components.evaluator.config import EvaluatorConfig
from components.evaluator.evaluation import Sources, evaluate

SYSTEMS = ("model", "popularity", "als")


def _evaluate(world: Any, seed: int = 0, **config: Any) -> dict[str, Any]:
    sources = Sources(*(world.uri(name) for name in ("model", "examples", "interactions", "vocabulary")))
    found = evaluate(sources, EvaluatorConfig(**{"ks": (1, 3), "gate_k": 3, **config}), seed)
    json.dumps(found, allow_nan=False)
    return found


@pytest.fixture
def good_world(world: Any, save_model: Callable[..., None]) -> Any:
    save_model(world.uri("model"), world.good_scores(), world)
    return world


def test_systems_stand_side_by_side(good_world: Any) -> None:
    found = _evaluate(good_world)
    for system in SYSTEMS:
        for way in ("sampled", "full"):
            assert list(found[system][way]) == ["HR@1", "NDCG@1", "HR@3", "NDCG@3"]
            for metric, value in found[system][way].items():
                low, high = found[system]["intervals"][way][metric]
                assert low <= value <= high
        assert found[system]["not_finite"] == 0
        assert found[system]["coverage"]["k"] == 3
        assert 0 < found[system]["coverage"]["share"] <= 1
        assert sum(found[system]["recommended_popularity"]["quartiles"]) == pytest.approx(1)
    assert list(found["differences"]) == ["popularity", "als"]
    for baseline, ways in found["differences"].items():
        for way, differences in ways.items():
            for metric, difference in differences.items():
                ahead = found["model"][way][metric] - found[baseline][way][metric]
                assert difference["mean"] == pytest.approx(ahead)
                assert difference["low"] <= ahead <= difference["high"]
    assert found["model"]["coverage"]["share"] > found["popularity"]["coverage"]["share"]
    assert found["popularity"]["recommended_popularity"]["quartiles"][0] == 0
    assert (found["ks"], found["gate_k"], found["confidence"], found["bootstrap_samples"]) == ([1, 3], 3, 0.95, 1000)


def test_slices_are_of_the_sampled_ranking(good_world: Any) -> None:
    found = _evaluate(good_world)
    counts = {
        "activity": [len(seen) - 1 for seen in good_world.seen[:123]],
        "item_popularity": good_world.train_counts[good_world.positives[:123]].tolist(),
    }
    for way, slices in found["slices"].items():
        assert [part["name"] for part in slices] == [f"quartile {number}" for number in range(1, 5)]
        for part in slices:
            assert part["users"] == sum(part["low"] <= count <= part["high"] for count in counts[way])
        for system in SYSTEMS:
            mean = sum(part["users"] * part["metrics"][system]["HR@3"] for part in slices) / 123
            assert mean == pytest.approx(found[system]["sampled"]["HR@3"])


def test_a_held_out_item_among_its_negatives_counts_only_with_the_switch(good_world: Any) -> None:
    copies = sum(int(item) in good_world.negatives[user] for user, item in enumerate(good_world.positives[:123]))
    assert copies > 10
    dropped, counted = (_evaluate(good_world, count_positive_among_negatives=switch) for switch in (False, True))
    for found, way in ((dropped, "dropped"), (counted, "counted")):
        effect = found["positive_among_negatives"]
        assert effect["users"] == copies
        assert effect[way] == {metric: found["model"]["sampled"][metric] for metric in ("HR@3", "NDCG@3")}
        assert effect["als"][way]["HR@3"] == found["als"]["sampled"]["HR@3"]
    assert dropped["positive_among_negatives"]["difference"] == counted["positive_among_negatives"]["difference"]
    assert counted["model"]["sampled"]["HR@1"] < dropped["model"]["sampled"]["HR@1"]
    assert counted["model"]["full"] == dropped["model"]["full"]


def test_examples_are_test_users_with_raw_ids(good_world: Any) -> None:
    users = good_world.user_ids.tolist()
    examples = _evaluate(good_world)["examples"]
    assert len(examples) == 10
    for example in examples:
        user = users.index(example["user"])
        seen = {good_world.item_ids[item] for item in good_world.seen[user]}
        assert example["interactions"] == len(seen)
        assert set(example["history"]) <= seen
        assert not seen & {item["item"] for item in example["recommended"]}
        assert example["held_out"] == good_world.item_ids[good_world.positives[user]]
        scores = [item["score"] for item in example["recommended"]]
        assert scores == sorted(scores, reverse=True)
        if example["rank"] <= 10:
            assert example["recommended"][example["rank"] - 1]["held_out"]


def test_the_same_seed_gives_the_same_figures(good_world: Any) -> None:
    first, again, other = (_evaluate(good_world, seed=seed) for seed in (0, 0, 1))
    assert {**first, "seconds": 0} == {**again, "seconds": 0}
    assert first["model"]["intervals"] != other["model"]["intervals"]
    assert first["model"]["sampled"] == other["model"]["sampled"]


def test_without_als_there_is_nothing_of_it(good_world: Any) -> None:
    found = _evaluate(good_world, als=False)
    assert "als" not in found
    assert list(found["differences"]) == ["popularity"]
    assert list(found["slices"]["activity"][0]["metrics"]) == ["model", "popularity"]


def test_nobody_to_test_on(make_world: Callable[..., Any], save_model: Callable[..., None]) -> None:
    world = make_world(users_with_test=0)
    save_model(world.uri("model"), world.good_scores(), world)
    found = _evaluate(world)
    assert found["slices"] == {"activity": [], "item_popularity": []}
    assert found["examples"] == []
    assert found["model"]["intervals"]["full"]["HR@1"] == [None, None]
    assert found["differences"]["als"]["sampled"]["HR@3"] == {"mean": None, "low": None, "high": None}
    assert found["model"]["recommended_popularity"]["mean_interactions"] is None


def test_scores_that_are_no_numbers_are_never_recommended(world: Any, save_model: Callable[..., None]) -> None:
    save_model(world.uri("model"), np.full((130, 40), np.nan, np.float32), world)
    found = _evaluate(world)
    assert found["model"]["coverage"]["items"] == 0
    assert found["examples"][0]["recommended"] == []
    assert found["examples"][0]["rank"] > 10
