"""Whole trainings, as the stock Trainer runs them."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow.parquet as pq
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.types import standard_artifacts
from tfx.types.artifact_utils import encode_split_names
from tfx.types.channel_utils import as_channel

from components.artifacts.model_run import History
from components.shared.errors import UserError
from components.trainer.component import Trainer
from components.trainer.config import TrainerConfig
from components.trainer.executor import Executor
from components.trainer.run_fn import run_fn

ROOT = Path(__file__).resolve().parents[3]


def weights(model: Path) -> dict[str, np.ndarray]:
    arrays = {}

    def take(name: str, node: object) -> None:
        if isinstance(node, h5py.Dataset):
            arrays[name] = node[()]

    with h5py.File(model / "keras" / "model.weights.h5") as file:
        file.visititems(take)
    assert arrays
    return arrays


def assert_same_weights(left: Path, right: Path) -> None:
    one, other = weights(left), weights(right)
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


def history(model_run: Path) -> dict[str, Any]:
    return json.loads((model_run / "history.json").read_text())


def without_times(report: dict[str, Any]) -> dict[str, Any]:
    epochs = [{key: epoch[key] for key in ("epoch", "loss", "hr@10", "ndcg@10")} for epoch in report["epochs"]]
    return {**report, "epochs": epochs, "seconds": None}


def test_learns_what_was_planted(trained: Any) -> None:
    report = history(trained.model_run())
    # A user likes a fourth of the items and ranks one held-out of them among 19 of the others: chance is .5 for HR@10
    # and .23 for NDCG@10.
    best = max(epoch["ndcg@10"] for epoch in report["epochs"])
    assert best > 0.8
    assert max(epoch["hr@10"] for epoch in report["epochs"]) > 0.75
    assert report["epochs"][report["best_epoch"] - 1]["ndcg@10"] == best
    assert report["epochs"][-1]["loss"] < 0.5 * report["epochs"][0]["loss"]


def test_leaves_what_it_promises_and_nothing_else(trained: Any) -> None:
    model = trained.model()
    assert sorted(path.name for path in model.iterdir()) == ["Format-Serving", "keras"]
    assert sorted(path.name for path in (model / "keras").iterdir()) == ["config.json", "model.weights.h5"]
    assert json.loads((model / "keras" / "config.json").read_text())["layers"] == [8, 6, 4]
    assert not list((trained.root / "checkpoints").iterdir())


def test_towers_in_closed_form_join_the_model_and_the_history(workspace: Any, notes: list[str]) -> None:
    run_fn(workspace.fn_args(epochs=1, history_factors="auto", recent_factors=8, recent_items="auto"))
    blend = History.read(str(workspace.model_run())).blend
    config = json.loads((workspace.model() / "keras" / "config.json").read_text())
    assert blend.together["NDCG@10"] >= max(alone["NDCG@10"] for alone in blend.alone.values())
    assert config["num_factors"] == 4 + sum(blend.widths[name] for name in blend.widths if blend.weights[name])
    assert any("towers in closed form" in note for note in notes)


def test_tensorboard_has_a_point_for_each_epoch(trained: Any) -> None:
    events = EventAccumulator(str(trained.model_run()))
    events.Reload()
    report = history(trained.model_run())["epochs"]
    for tag in ("loss", "hr@10", "ndcg@10"):
        points = [(event.step, float(tf.make_ndarray(event.tensor_proto))) for event in events.Tensors(tag)]
        assert points == [(epoch["epoch"], pytest.approx(epoch[tag], rel=1e-6)) for epoch in report]


def test_stops_at_the_threshold_and_repeats_itself(workspace: Any, trained: Any, notes: list[str]) -> None:
    first = history(trained.model_run())
    assert first["best_epoch"] == 2, "the comparison below needs the best epoch before the end"
    run_fn(workspace.fn_args(epochs=6, hr_threshold=first["epochs"][1]["hr@10"], steps_per_call=7))
    report = history(workspace.model_run())
    assert report["stopped"].startswith("HR@10 reached")
    assert "epoch 2 of 2" in notes[0]
    # The same seed gives the same bits, however many steps are in a call.
    assert without_times(report)["epochs"] == without_times(first)["epochs"][:2]
    assert_same_weights(workspace.model(), trained.model())


KILLED_IN_THIRD_EPOCH = """
import contextlib, json, os, signal, sys
from components.shared import progress
from components.trainer.run_fn import run_fn
from tfx.components.trainer.fn_args_utils import FnArgs

class Bar:
    epochs = 0
    def advance(self, steps=1):
        if self.epochs == 2 and steps:
            os.kill(os.getpid(), signal.SIGKILL)
    def describe(self, text):
        self.epochs += 1

class Killer(progress.Reporter):
    @contextlib.contextmanager
    def bar(self, title, total):
        yield Bar()

progress.show_on(Killer())
run_fn(FnArgs(**json.loads(sys.argv[1])))
"""


def test_killed_training_resumes_and_ends_where_it_would_have(workspace: Any, trained: Any) -> None:
    killed = workspace.fn_args("killed", epochs=4)
    arguments = {name: value for name, value in vars(killed).items() if value is not None}
    process = subprocess.run(
        [sys.executable, "-c", KILLED_IN_THIRD_EPOCH, json.dumps(arguments)], cwd=ROOT, capture_output=True, text=True
    )
    assert process.returncode == -signal.SIGKILL, process.stderr
    assert not workspace.model("killed").exists()
    (folder,) = (workspace.root / "checkpoints").iterdir()
    assert [path.name for path in folder.iterdir()] == ["state.npz"]

    run_fn(workspace.fn_args("resumed", epochs=4))
    assert_same_weights(workspace.model("resumed"), trained.model())
    resumed = history(workspace.model_run("resumed"))
    assert without_times(resumed) == without_times(history(trained.model_run()))
    assert not list((workspace.root / "checkpoints").iterdir())


def test_a_loss_that_is_not_finite(workspace: Any) -> None:
    with pytest.raises(UserError, match=r"not finite in epoch 1; set a lower trainer.learning_rate \(now 1e\+30\)"):
        run_fn(workspace.fn_args(learning_rate=1e30))
    assert not workspace.model().exists()


def test_wrong_batch_size_is_seen_before_training(workspace: Any) -> None:
    with pytest.raises(UserError, match="cut into batches of 64"):
        run_fn(workspace.fn_args(batch_size=32))
    assert not list(workspace.root.iterdir())


def test_a_vocabulary_of_other_data(workspace: Any) -> None:
    other = workspace.root / "vocabulary"
    shutil.copytree(workspace.vocabulary, other)
    pq.write_table(pq.read_table(other / "items.parquet").slice(1), other / "items.parquet")
    workspace.vocabulary = other
    with pytest.raises(UserError, match="60 users and 40 items, but their vocabulary has 60 and 39"):
        run_fn(workspace.fn_args())


def test_a_missing_file_of_examples(workspace: Any) -> None:
    part = workspace.root / "examples"
    shutil.copytree(workspace.examples, part)
    (part / "Split-train" / "epoch-00000-shard-00001-of-00002.tfrecord").unlink()
    workspace.examples = part
    with pytest.raises(UserError, match=r"epoch 1 .* has 21 batches instead of 43; run NegativeGen again"):
        run_fn(workspace.fn_args())
    assert not workspace.model().exists()


def test_the_component_without_a_validation_split(workspace: Any, inputs: Path, notes: list[str]) -> None:
    examples = standard_artifacts.Examples()
    examples.uri = str(inputs / "examples_without_validation")
    examples.split_names = encode_split_names(["train", "test"])
    interactions, vocabulary = standard_artifacts.Examples(), standard_artifacts.TransformGraph()
    model, model_run = standard_artifacts.Model(), standard_artifacts.ModelRun()
    interactions.uri, vocabulary.uri = str(inputs / "interactions"), str(inputs / "vocabulary")
    model.uri, model_run.uri = str(workspace.model()), str(workspace.model_run())
    config = TrainerConfig.model_validate(workspace.fn_args(epochs=2).custom_config["config"])
    component = Trainer(
        as_channel([examples]),
        as_channel([interactions]),
        as_channel([vocabulary]),
        config,
        0,
        str(workspace.root / "checkpoints"),
        "test",
    )
    executor = Executor(BaseExecutor.Context(tmp_dir=str(workspace.root / "tmp"), unique_id="1"))
    executor.Do(
        {"examples": [examples], "interactions": [interactions], "transform_graph": [vocabulary]},
        {"model": [model], "model_run": [model_run]},
        component.exec_properties,
    )
    report = history(workspace.model_run())
    assert [epoch["hr@10"] for epoch in report["epochs"]] == [None, None]
    assert report["best_epoch"] == 2
    assert "no held-out items" in report["chosen_by"]
    assert "no held-out items" in notes[0]
    assert (workspace.model() / "Format-Serving" / "saved_model.pb").exists()
