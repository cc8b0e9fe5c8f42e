"""Runs that are killed at drawn moments, again and again: the same command ends where an undisturbed run does."""

import os
import random
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.faults.outcome import TINY_ARGUMENTS, Outcome

pytestmark = pytest.mark.faults

_KILLS_OF_A_TEST = 10
_TESTS = int(os.environ.get("RUN_KILLS", "200")) // _KILLS_OF_A_TEST
_SEED = int(os.environ.get("SEED", "0"))


@pytest.fixture(scope="module")
def whole(project: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Outcome, float]:
    """Where an undisturbed run ends, and after how many seconds."""
    root = tmp_path_factory.mktemp("whole")
    begin = time.monotonic()
    project.run("run", "--root", str(root), *TINY_ARGUMENTS)
    return Outcome.of(root), time.monotonic() - begin


@pytest.mark.timeout(600)
@pytest.mark.parametrize("number", range(_TESTS))
def test_it_goes_on_after_every_kill(project: Any, whole: tuple[Outcome, float], tmp_path: Path, number: int) -> None:
    outcome, seconds = whole
    chance, kills, roots = random.Random(f"{_SEED} {number}"), 0, 0
    while kills < _KILLS_OF_A_TEST:
        roots += 1
        root = tmp_path / str(roots)
        while not _comes_to_its_end(project.start("run", "--root", str(root), *TINY_ARGUMENTS), seconds, chance):
            kills += 1
        assert Outcome.of(root) == outcome, f"after {kills} kills, root {roots}"


def _comes_to_its_end(process: subprocess.Popen[str], seconds: float, chance: random.Random) -> bool:
    """Kills it at a moment of so many seconds, unless it ends before: as it goes on, steps are done already."""
    try:
        out, err = process.communicate(timeout=chance.uniform(0, seconds))
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return False
    assert process.returncode == 0, f"{out}\n{err}"
    assert "blessed and pushed" in out
    return True
