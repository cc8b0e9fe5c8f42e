"""Ctrl-C and SIGTERM in every step: one line, the exit code that shells expect, and the same command goes on."""

import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.faults.outcome import TINY_ARGUMENTS

pytestmark = pytest.mark.faults


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_is_interrupted_in_every_step_and_goes_on(project: Any, tmp_path: Path, number: signal.Signals) -> None:
    for step in ("Preprocess", "NegativeGen", "Trainer", "Evaluator"):
        folder = tmp_path / "artifacts" / step
        process = project.start("run", "--root", str(tmp_path), *TINY_ARGUMENTS)
        while not (folder.is_dir() and any(folder.iterdir())):
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 128 + number, f"{step}\n{out}\n{err}"
        assert err == "interrupted; run the same command again to go on\n"

    out, _ = project.run("run", "--root", str(tmp_path), *TINY_ARGUMENTS)
    assert "blessed and pushed" in out
