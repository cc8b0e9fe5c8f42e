"""A run that is killed in each of its steps, and goes on each time, ends where an uninterrupted one does."""

import signal
import time
from pathlib import Path

import pytest

from components.artifacts import evaluation
from components.serving.versions import newest_version
from tests.e2e.conftest import SMALL


def _kill_during(project, root, step):
    """Starts a run and kills it once `step` has begun, that is, once it has a folder for its output."""
    folder = root / "artifacts" / step
    process = project.start("run", "--root", str(root), *SMALL)
    deadline = time.monotonic() + 200
    while not (folder.is_dir() and any(folder.iterdir())):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL


def _metrics(root):
    newest = max((root / "artifacts" / "Evaluator" / "evaluation").iterdir(), key=lambda path: int(path.name))
    found = evaluation.read(str(newest))
    return found.model, found.systems["popularity"].sampled, found.test_users, found.dataset_fingerprint


@pytest.mark.slow
def test_killed_in_each_step_it_completes_with_the_same_result(project, tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    project.run("run", "--root", str(whole), *SMALL)

    for step in ("Preprocess", "NegativeGen", "Trainer", "Evaluator", "Pusher"):
        _kill_during(project, killed, step)
    out, _ = project.run("run", "--root", str(killed), *SMALL)

    assert "blessed and pushed" in out
    assert _metrics(killed) == _metrics(whole)
    # A push that was killed may leave a folder, under a name that is no version's.
    newest = Path(newest_version(str(killed / "serving")).path)
    model = max((killed / "artifacts" / "Trainer" / "model").iterdir(), key=lambda path: int(path.name))
    exported = model / "Format-Serving"
    files = [path.relative_to(exported) for path in exported.rglob("*") if path.is_file()]
    assert files
    assert all((newest / file).read_bytes() == (exported / file).read_bytes() for file in files)
