import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from components.shared import progress
from components.trainer.config import TrainerConfig
from components.trainer.data import Examples
from components.trainer.fitting import new_model
from components.trainer.model import NeuMF
from components.trainer.pretraining import fuse, log_odds, start_from_als, tower_config
from components.trainer.run_fn import run_fn
from tests.components.trainer.builders import settings


@pytest.fixture
def examples(inputs: Path) -> Examples:
    return Examples.open(str(inputs / "examples"))


def all_logits(model: NeuMF) -> np.ndarray:
    users, items = (tf.range(table.shape[0]) for table in (model.user_table, model.item_table))
    return model(users[:, None], items[None]).numpy()


@pytest.mark.parametrize("share", [0.5, 0.8])
def test_a_fused_model_scores_a_mean_of_its_towers(share: float, examples: Examples) -> None:
    config = settings(num_factors=3, layers=(6, 4, 2), embedding_stddev=0.5, pretraining="towers")
    gmf, mlp = (new_model(examples, tower_config(config, name), seed=1) for name in ("gmf", "mlp"))
    gmf.head_bias.assign([0.5])
    mlp.head_bias.assign([-2.0])
    mlp.first_bias.assign([0.3, -0.1, 0.2, 0.1])
    model = new_model(examples, config, seed=2)
    fuse(model, gmf, mlp, share)
    expected = share * all_logits(gmf) + (1 - share) * all_logits(mlp)
    np.testing.assert_allclose(all_logits(model), expected, atol=1e-6)


def test_als_start_ranks_as_its_factors_do_and_leaves_the_other_tower(examples: Examples) -> None:
    config = settings(num_factors=4, layers=(6, 4, 2), pretraining="als", als_unobserved_weight=0.1)
    model, random = new_model(examples, config, seed=1), new_model(examples, config, seed=1)
    with progress.bar("ALS", config.als_iterations) as bar:
        start_from_als(model, examples, config, 5, bar)
    user, item, label = (np.concatenate(column) for column in zip(*examples.training_rows(0), strict=True))
    scores = all_logits(model)[user, item]
    assert scores[label == 1].mean() > 1 > -1 > scores[label == 0].mean()
    np.testing.assert_array_equal(model.user_table[:, 4:], random.user_table[:, 4:])
    np.testing.assert_array_equal(model.head_kernel[4:], random.head_kernel[4:])
    np.testing.assert_array_equal(model.head_kernel[:4], 1)


def test_log_odds_are_calibrated() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(size=20_000)
    label = rng.random(20_000) < 1 / (1 + np.exp(-(2.5 * scores - 1)))
    assert log_odds(scores, label.astype(np.uint8)) == pytest.approx((2.5, -1), abs=0.1)


def test_log_odds_stay_finite_where_scores_separate_the_labels() -> None:
    scale, bias = log_odds(np.linspace(-1, 1, 100), np.repeat([0, 1], 50).astype(np.uint8))
    assert 3 < scale < 1000
    assert abs(bias) < 1


def history(workspace: Any, name: str) -> dict[str, Any]:
    return json.loads((workspace.model_run(name) / "history.json").read_text())


def test_towers_are_trained_first_and_the_whole_starts_where_they_are(workspace: Any) -> None:
    run_fn(workspace.fn_args("pretrained", pretraining="towers", pretraining_epochs=5, pretraining_learning_rate=0.02))
    run_fn(workspace.fn_args("scratch"))
    report = history(workspace, "pretrained")
    assert [(stage["stage"], len(stage["epochs"])) for stage in report["pretraining"]] == [("gmf", 5), ("mlp", 5)]
    assert report["epochs"][0]["loss"] < 0.9 * history(workspace, "scratch")["epochs"][0]["loss"]


def test_the_tower_that_starts_from_als_is_ahead(workspace: Any) -> None:
    pretraining = {"pretraining_epochs": 2, "pretraining_learning_rate": 0.001}
    first_losses = {}
    for name in ("towers", "als_towers"):
        run_fn(workspace.fn_args(name, pretraining=name, **pretraining))
        first_losses[name] = {
            stage["stage"]: stage["epochs"][0]["loss"] for stage in history(workspace, name)["pretraining"]
        }
    assert first_losses["als_towers"]["gmf"] < 0.9 * first_losses["towers"]["gmf"]
    assert first_losses["als_towers"]["mlp"] == first_losses["towers"]["mlp"]


def test_als_start_gives_the_same_model_again(workspace: Any) -> None:
    run_fn(workspace.fn_args("one", pretraining="als", weight_averaging=0.9))
    run_fn(workspace.fn_args("two", pretraining="als", weight_averaging=0.9))
    one, two = history(workspace, "one"), history(workspace, "two")
    assert [epoch["loss"] for epoch in one["epochs"]] == [epoch["loss"] for epoch in two["epochs"]]
    assert one["epochs"][0]["ndcg@10"] > 0.4


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"pretraining": "towers", "layers": ()}, "pretraining: towers needs both towers"),
        ({"pretraining": "als_towers", "num_factors": 0}, "pretraining: als_towers needs both towers"),
        ({"pretraining": "als", "num_factors": 0}, "pretraining: als needs a GMF tower"),
    ],
)
def test_pretraining_needs_the_towers_it_is_for(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TrainerConfig(**fields)


def test_epochs_of_examples_suffice_for_the_longest_training() -> None:
    config = settings(epochs=3, pretraining="towers", pretraining_epochs=7)
    assert config.epochs_of_examples == 7
    assert tower_config(config, "gmf").epochs == 7
    assert config.model_copy(update={"pretraining": "none"}).epochs_of_examples == 3
