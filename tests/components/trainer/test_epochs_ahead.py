"""Training on files that are written while it goes on ends where training on all of them does."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from components.artifacts.examples import ExamplesSummary
from components.shared import progress
from components.shared.errors import UserError
from components.trainer.config import TrainerConfig
from components.trainer.data import Examples
from components.trainer.run_fn import run_fn
from tests.components.trainer.conftest import Notes, Workspace, workspace_at
from tests.components.trainer.test_run_fn import (
    KILLED_IN_THIRD_EPOCH,
    ROOT,
    assert_same_weights,
    history,
    without_times,
)

EPOCHS = 4


@pytest.fixture(scope="module")
def from_files(by_source: dict[str, Path], inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace after a training on files and one on what is drawn, `files` and `streamed`; not to be changed."""
    workspace = workspace_at(tmp_path_factory.mktemp("from_files"), inputs)
    for source, workspace.examples in by_source.items():
        run_fn(workspace.fn_args(source, epochs=EPOCHS))
    return workspace


@pytest.fixture
def workspace(written_ahead: Path, inputs: Path, tmp_path: Path) -> Workspace:
    workspace = workspace_at(tmp_path, inputs)
    workspace.examples = written_ahead
    return workspace


def nothing_is_left(workspace: Workspace) -> bool:
    return not list(workspace.root.rglob("*.tfrecord*")) and not multiprocessing.active_children()


def test_negative_gen_leaves_the_rows_to_training(written_ahead: Path, by_source: dict[str, Path]) -> None:
    assert not (written_ahead / "Split-train").exists()
    summary, streamed = (ExamplesSummary.read(str(uri)) for uri in (written_ahead, by_source["streamed"]))
    assert summary.streamed is not None
    assert summary.streamed.epochs_ahead == 2
    # So that a training can go on when only this has changed.
    assert summary.fingerprint == streamed.fingerprint


def test_the_weights_of_files_and_of_what_is_drawn(workspace: Workspace, from_files: Workspace) -> None:
    run_fn(workspace.fn_args(epochs=EPOCHS, steps_per_call=5))
    for source in ("files", "streamed"):
        assert_same_weights(workspace.model(), from_files.model(source))
    assert nothing_is_left(workspace)


def test_after_towers_too(workspace: Workspace, from_files: Workspace, by_source: dict[str, Path]) -> None:
    towers = {"pretraining": "towers", "pretraining_epochs": 2, "epochs": 2}
    run_fn(workspace.fn_args("ahead", **towers))
    workspace.examples = by_source["files"]
    run_fn(workspace.fn_args("files", **towers))
    assert_same_weights(workspace.model("ahead"), workspace.model("files"))
    assert nothing_is_left(workspace)


def test_more_epochs_than_were_asked_for_can_be_written(written_ahead: Path, inputs: Path) -> None:
    opened = Examples.open(str(written_ahead), str(inputs / "interactions"))
    opened.check(TrainerConfig(batch_size=64, epochs=10 * EPOCHS))
    assert opened.summary.epochs == EPOCHS


def test_a_training_that_is_killed_goes_on(workspace: Workspace, from_files: Workspace) -> None:
    killed = workspace.fn_args("killed", epochs=EPOCHS)
    arguments = {name: value for name, value in vars(killed).items() if value is not None}
    program = [sys.executable, "-c", KILLED_IN_THIRD_EPOCH, json.dumps(arguments)]
    process = subprocess.run(program, cwd=ROOT, capture_output=True, text=True)
    assert process.returncode == -signal.SIGKILL, process.stderr
    (folder,) = (workspace.root / "checkpoints").iterdir()
    assert sorted(path.name for path in folder.iterdir()) == ["ahead-worker-0", "state.npz"]
    assert list(folder.rglob("epoch-00002-*"))

    run_fn(workspace.fn_args("resumed", epochs=EPOCHS))
    assert_same_weights(workspace.model("resumed"), from_files.model("files"))
    resumed, expected = (history(place) for place in (workspace.model_run("resumed"), from_files.model_run("files")))
    assert without_times(resumed) == without_times(expected)
    assert nothing_is_left(workspace)


class _KillsTheOther(Notes):
    """Kills the process that writes ahead at the end of the first epoch."""

    def bar(self, title: str, total: int) -> Any:
        return _Bar()


class _Bar:
    def __enter__(self) -> "_Bar":
        return self

    def __exit__(self, *error: object) -> None:
        """Ends nothing."""

    def advance(self, steps: int = 1) -> None:
        """Shows nothing."""

    def describe(self, text: str) -> None:
        for process in multiprocessing.active_children():
            assert process.pid is not None
            os.kill(process.pid, signal.SIGKILL)


def test_the_death_of_what_writes_is_told_and_the_training_goes_on(
    workspace: Workspace, from_files: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, pytest.raises(UserError, match="written ahead: its process was killed"):
        patch.setattr(progress, "_reporter", _KillsTheOther())
        run_fn(workspace.fn_args("broken", epochs=EPOCHS))
    assert nothing_is_left(workspace)
    assert list((workspace.root / "checkpoints").rglob("state.npz"))
    run_fn(workspace.fn_args("resumed", epochs=EPOCHS))
    assert_same_weights(workspace.model("resumed"), from_files.model("files"))


def test_early_stopping_leaves_nothing(workspace: Workspace) -> None:
    threads = threading.active_count()
    run_fn(workspace.fn_args(epochs=EPOCHS, hr_threshold=0.0001))
    report = history(workspace.model_run())
    assert report["stopped"].startswith("HR@10 reached")
    assert len(report["epochs"]) < EPOCHS
    assert nothing_is_left(workspace)
    assert threading.active_count() <= threads
