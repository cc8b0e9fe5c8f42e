"""The MLPerf setting on data of ml-20m's shape: all of its users and items, a few hundred steps."""

import json
from pathlib import Path
from typing import Any

import pytest

from components.artifacts import evaluation
from components.artifacts.evaluation import ByWay
from pipeline.config import load_config

CONFIG = "configs/ml-20m.yaml"
USERS, ITEMS = 138_493, 26_744
# Less of each than in the real run: rows, rows of a batch, and negatives to rank against. All else is the setting's.
SETTINGS = {
    "dataset.kind": "synthetic",
    "dataset.synthetic_users": USERS,
    "dataset.synthetic_items": ITEMS,
    "dataset.synthetic_interactions": 3 * USERS,
    "preprocess.min_interactions": 3,
    "preprocess.min_item_interactions": 1,
    "negatives.num_eval_negatives": 49,
    "trainer.batch_size": 2048,
    "trainer.epochs": 2,
    "trainer.hr_threshold": 0.3,
    "evaluator.full_ranking_users": 200,
    "evaluator.als": False,
    "evaluator.item_knn": False,
    "evaluator.ease": False,
}


def test_the_setting_is_that_of_mlperf() -> None:
    config = load_config(CONFIG, [])
    trainer = config.trainer
    assert (trainer.num_factors, trainer.layers, trainer.batch_size) == (64, (256, 256, 128, 64), 98_304)
    assert (trainer.learning_rate, trainer.beta_1, trainer.beta_2, trainer.epsilon) == (
        0.00382059, 0.783529, 0.909003, 1.45439e-7,
    )  # fmt: skip
    assert (trainer.hr_threshold, trainer.metric) == (0.635, "hr")
    assert (config.negatives.protocol, config.negatives.num_eval_negatives) == ("mlperf", 999)


@pytest.fixture(scope="module")
def root(project: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("ml-20m")
    settings = (word for key, value in SETTINGS.items() for word in ("--set", f"{key}={value}"))
    project.run("run", "--config", CONFIG, "--root", str(root), *settings)
    return root


def read(root: Path, pattern: str) -> dict[str, Any]:
    return json.loads(next(root.glob(f"artifacts/{pattern}")).read_text())


def test_some_hundred_steps_learn_and_the_threshold_ends_them(root: Path) -> None:
    examples = read(root, "NegativeGen/examples/*/summary.json")
    assert (examples["users"], examples["protocol"]) == (USERS, "mlperf")
    assert 300 < examples["batches_per_epoch"] < 400
    history = read(root, "Trainer/model_run/*/history.json")
    assert history["stopped"] == "HR@10 reached 0.3"
    assert len(history["epochs"]) == 1
    assert history["epochs"][0]["loss"] < 0.5


def test_all_users_are_ranked_by_the_served_model(root: Path) -> None:
    found = evaluation.read(str(next(root.glob("artifacts/Evaluator/evaluation/*"))))
    assert found.test_users == ByWay(USERS, 200)
    # Chance is .2.
    assert found.model.sampled["HR@10"] > 0.3
    assert found.serving.unknown_ids == 0
