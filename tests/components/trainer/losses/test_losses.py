"""Each loss that can be chosen, its two forms held to one another; and the door for another one, to a whole run."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from components.trainer.config import TrainerConfig
from components.trainer.losses import LOSSES, Loss
from tests.components.trainer.losses.toys import TOYS

ROOT = Path(__file__).resolve().parents[4]
LOGITS = np.array([-100, -9, -1.5, -0.25, 0, 0.5, 1, 3, 20, 100], np.float32)
FORMS = {name: loss for name, loss in {**LOSSES, **TOYS}.items() if loss.compiled_form is not None}


@pytest.mark.parametrize("label", [0, 1])
@pytest.mark.parametrize("loss", FORMS.values(), ids=FORMS.keys())
def test_the_compiled_form_is_the_loss_and_its_derivative(loss: Loss, label: int) -> None:
    assert loss.compiled_form is not None
    logits, labels = tf.constant(LOGITS), tf.fill(LOGITS.shape, np.float32(label))
    with tf.GradientTape() as tape:
        tape.watch(logits)
        expected = loss.of_logits(logits, labels)
    found = np.array([loss.compiled_form(logit, np.float32(label)) for logit in LOGITS])
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(found[:, 1], tape.gradient(expected, logits), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("label", [0, 1])
def test_binary_cross_entropy_is_minus_the_log_of_the_label_s_probability(label: int) -> None:
    logits = LOGITS.astype("f8")
    expected = np.logaddexp(0, -logits if label else logits)
    labels = tf.fill(LOGITS.shape, np.float32(label))
    found = LOSSES["binary_cross_entropy"].of_logits(tf.constant(LOGITS), labels)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-30)


def test_an_unknown_loss_is_told_with_those_that_there_are() -> None:
    with pytest.raises(ValueError, match=r"loss\n.*'binary_cross_entropy'"):
        TrainerConfig.model_validate({"loss": "hinge"})


# What somebody does who adds a loss: a file, and a line in `LOSSES`; here it is put there before the configuration is
# read. Arguments: the loss's name, and the arguments of `FnArgs`, whose configuration is set to it.
ADDED = """
import json, sys
from components.trainer.losses import LOSSES
from tests.components.trainer.losses.toys import TOYS
name, arguments = sys.argv[1], json.loads(sys.argv[2])
LOSSES[name] = TOYS[name]
from components.trainer import engines
from components.trainer.run_fn import run_fn
from tfx.components.trainer.fn_args_utils import FnArgs
for engine in ("CpuEngine", "XlaEngine"):
    made = getattr(engines, engine)
    setattr(engines, engine, lambda setup, engine=engine, made=made: print("engine:", engine) or made(setup))
arguments["custom_config"]["config"]["loss"] = name
run_fn(FnArgs(**arguments))
"""


@pytest.mark.slow
@pytest.mark.parametrize(("name", "engine"), [("squared_hinge", "CpuEngine"), ("squared_error", "XlaEngine")])
def test_a_loss_that_is_added_trains_a_model(workspace: Any, name: str, engine: str) -> None:
    fn_args = {key: value for key, value in vars(workspace.fn_args(device="cpu")).items() if value is not None}
    command = [sys.executable, "-W", "ignore", "-c", ADDED, name, json.dumps(fn_args)]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    assert process.stdout.splitlines() == [f"engine: {engine}"]
    history = json.loads((workspace.model_run() / "history.json").read_text())
    assert history["config"]["loss"] == name
    # One in five is a positive, so that a model which knows nothing has .16 (squared error), or .64 (squared hinge).
    losses = [epoch["loss"] for epoch in history["epochs"]]
    assert losses[-1] < 0.8 * losses[0]
    assert max(epoch["ndcg@10"] for epoch in history["epochs"]) > 0.6
    assert (workspace.model() / "Format-Serving" / "saved_model.pb").exists()
