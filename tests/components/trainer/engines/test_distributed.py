"""Several devices train as one does; each test starts processes of its own, as devices are set before TensorFlow is."""

import json
import multiprocessing
import signal
import socket
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from components.trainer.run_fn import run_fn
from tests.components.trainer.conftest import Workspace, workspace_at
from tests.components.trainer.engines import process

FIELDS: dict[str, Any] = {"epochs": 4, "gmf_l2": 0.01, "mlp_l2": 0.02, "weight_averaging": 0.9}

# All processes are forks of one that has imported TensorFlow and not used it: importing takes longer than training.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([process.__name__])


@dataclass(frozen=True)
class Started:
    """A process, and the file that has its standard error."""

    process: ForkServerProcess
    errors: Path

    def end(self) -> tuple[int | None, str]:
        """The exit status, and what it wrote; None where it does not end in time."""
        self.process.join(240)
        status = self.process.exitcode
        self.process.kill()
        return status, self.errors.read_text()


def start(
    workspace: Workspace, name: str, cpus: int = 1, killed_in: int = 0, tf_config: str = "{}", **fields: Any
) -> Started:
    fn_args = {
        key: value for key, value in vars(workspace.fn_args(name, **FIELDS, **fields)).items() if value is not None
    }
    errors = workspace.root / f"{name}.stderr"
    started = PROCESSES.Process(target=process.train, args=(fn_args, cpus, killed_in, tf_config, str(errors)))
    started.start()
    return Started(started, errors)


def two_workers(workspace: Workspace, name: str, killed_in: int = 0) -> list[tuple[int | None, str]]:
    """Runs the chief, `name`, and a worker beside it, which is killed in that epoch."""
    sockets = [socket.socket() for _ in range(2)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    addresses = [f"127.0.0.1:{one.getsockname()[1]}" for one in sockets]
    for one in sockets:
        one.close()
    workers = [
        start(
            workspace,
            f"{name}{suffix}",
            device="multiworker",
            killed_in=killed_in if suffix else 0,
            tf_config=json.dumps({"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}),
        )
        for index, suffix in enumerate(["", "-beside"])
    ]
    return [worker.end() for worker in workers]


@pytest.fixture(scope="module")
def one_device(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = workspace_at(tmp_path_factory.mktemp("one"), inputs)
    run_fn(workspace.fn_args(device="cpu", **FIELDS))
    return workspace


def assert_same_training(workspace: Workspace, name: str, one_device: Workspace) -> None:
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
def test_several_devices_share_batches_that_are_drawn_while_training(
    by_source: dict[str, Path], inputs: Path, tmp_path: Path
) -> None:
    workspace = workspace_at(tmp_path, inputs)
    workspace.examples = by_source["files"]
    run_fn(workspace.fn_args("files", device="cpu", **FIELDS))
    workspace.examples = by_source["streamed"]
    status, errors = start(workspace, "streamed", cpus=2, device="mirrored").end()
    assert status == 0, errors
    found, expected = (
        json.loads((workspace.model_run(name) / "history.json").read_text()) for name in ("streamed", "files")
    )
    losses = [[epoch["loss"] for epoch in history["epochs"]] for history in (found, expected)]
    np.testing.assert_allclose(*losses, atol=1e-4)


def test_mirrored_on_two_devices_trains_as_one_does(workspace: Workspace, one_device: Workspace) -> None:
    status, errors = start(workspace, "run", device="mirrored", cpus=2).end()
    assert status == 0, errors
    assert_same_training(workspace, "run", one_device)
    assert not list((workspace.root / "checkpoints").iterdir())


@pytest.mark.slow
def test_two_workers_train_as_one_does_though_one_was_killed(workspace: Workspace, one_device: Workspace) -> None:
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


@pytest.mark.slow
def test_each_of_two_workers_has_its_files_written_ahead(written_ahead: Path, inputs: Path, tmp_path: Path) -> None:
    workspace = workspace_at(tmp_path, inputs)
    workspace.examples = written_ahead
    run_fn(workspace.fn_args("alone", device="cpu", **FIELDS))
    ends = two_workers(workspace, "together")
    assert [status for status, _ in ends] == [0, 0], ends
    found, expected = (
        json.loads((workspace.model_run(name) / "history.json").read_text()) for name in ("together", "alone")
    )
    losses = [[epoch["loss"] for epoch in history["epochs"]] for history in (found, expected)]
    np.testing.assert_allclose(*losses, atol=1e-4)
    assert not list(workspace.root.rglob("*.tfrecord*"))
