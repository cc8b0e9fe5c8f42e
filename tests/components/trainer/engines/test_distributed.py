"""Several devices train as one does; each test starts processes of its own, as devices are set before TensorFlow is."""

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from components.trainer.run_fn import run_fn
from tests.components.trainer.conftest import workspace_at

ROOT = Path(__file__).resolve().parents[4]
FIELDS = {"epochs": 4, "gmf_l2": 0.01, "mlp_l2": 0.02, "weight_averaging": 0.9}

# Arguments: those of `FnArgs`, the number of logical CPUs, and the epoch in which to be killed.
TRAINING = """
import contextlib, json, os, signal, sys
import tensorflow as tf
(cpu,) = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * int(sys.argv[2]))
from components.shared import progress
from components.trainer.run_fn import run_fn
from tfx.components.trainer.fn_args_utils import FnArgs

class Bar:
    epochs = 0
    def advance(self, steps=1):
        if self.epochs + 1 == int(sys.argv[3]) and steps:
            os.kill(os.getpid(), signal.SIGKILL)
    def describe(self, text):
        self.epochs += 1

class Reporter(progress.Reporter):
    @contextlib.contextmanager
    def bar(self, title, total):
        yield Bar()

progress.show_on(Reporter())
run_fn(FnArgs(**json.loads(sys.argv[1])))
"""


def start(fn_args: Any, cpus: int = 1, killed_in: int = 0, tf_config: str = "{}") -> subprocess.Popen[str]:
    arguments = json.dumps({name: value for name, value in vars(fn_args).items() if value is not None})
    command = ["/usr/bin/env", f"TF_CONFIG={tf_config}", sys.executable, "-W", "ignore", "-c", TRAINING, arguments]
    return subprocess.Popen(
        [*command, str(cpus), str(killed_in)], cwd=ROOT, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )


def end(process: subprocess.Popen[str]) -> tuple[int, str]:
    """The exit status, and what it wrote; the test fails where it does not end in time."""
    try:
        errors = process.communicate(timeout=120)[1]
    finally:
        process.kill()
    return process.returncode, errors


def two_workers(workspace: Any, name: str, killed_in: int = 0) -> list[tuple[int, str]]:
    """Runs the chief, `name`, and a worker beside it, which is killed in that epoch."""
    sockets = [socket.socket() for _ in range(2)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    addresses = [f"127.0.0.1:{one.getsockname()[1]}" for one in sockets]
    for one in sockets:
        one.close()
    processes = [
        start(
            workspace.fn_args(f"{name}{suffix}", device="multiworker", **FIELDS),
            killed_in=killed_in if suffix else 0,
            tf_config=json.dumps({"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}),
        )
        for index, suffix in enumerate(["", "-beside"])
    ]
    return [end(process) for process in processes]


@pytest.fixture(scope="module")
def one_device(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    workspace = workspace_at(tmp_path_factory.mktemp("one"), inputs)
    run_fn(workspace.fn_args(device="cpu", **FIELDS))
    return workspace


def assert_same_training(workspace: Any, name: str, one_device: Any) -> None:
    """The loss curve to 1e-4, metrics within noise, and the exported weights to what sums in another order allow."""
    found, expected = (
        json.loads((place / "history.json").read_text())["epochs"]
        for place in (workspace.model_run(name), one_device.model_run())
    )
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert one["loss"] == pytest.approx(other["loss"], abs=1e-4)
        assert one["hr@10"] == pytest.approx(other["hr@10"], abs=0.02)
        assert one["ndcg@10"] == pytest.approx(other["ndcg@10"], abs=0.02)
    tables = [tables_of(place) for place in (workspace.model(name), one_device.model())]
    for one, other in zip(*tables, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-3)


def tables_of(model: Path) -> list[np.ndarray]:
    arrays: list[np.ndarray] = []
    with h5py.File(model / "keras" / "model.weights.h5") as file:
        file.visititems(lambda name, node: arrays.append(node[()]) if isinstance(node, h5py.Dataset) else None)
    assert len(arrays) == 8
    return arrays


@pytest.mark.slow
def test_mirrored_on_two_devices_trains_as_one_does(workspace: Any, one_device: Any) -> None:
    status, errors = end(start(workspace.fn_args(device="mirrored", **FIELDS), cpus=2))
    assert status == 0, errors
    assert_same_training(workspace, "run", one_device)
    assert not list((workspace.root / "checkpoints").iterdir())


@pytest.mark.slow
def test_two_workers_train_as_one_does_though_one_was_killed(workspace: Any, one_device: Any) -> None:
    (chief, errors), (beside, _) = two_workers(workspace, "killed", killed_in=3)
    assert beside == -signal.SIGKILL
    assert chief == 1, errors
    assert "UserError: a worker of this training is gone" in errors
    assert not workspace.model("killed").exists()
    assert not (workspace.model_run("killed") / "history.json").exists()
    (folder,) = (workspace.root / "checkpoints").iterdir()
    assert [path.name for path in folder.iterdir()] == ["state.npz"]

    ends = two_workers(workspace, "resumed")
    assert [status for status, _ in ends] == [0, 0], ends
    assert_same_training(workspace, "resumed", one_device)
    assert not list((workspace.root / "checkpoints").iterdir())
    assert not (workspace.root / "resumed-beside").exists(), "only the chief writes"
