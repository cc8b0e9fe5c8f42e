"""One write of a run goes wrong: the run says so in one line, and the same command ends as if it had not.

A library that is preloaded (`failing_writes.c`) stands in for the C library's writes, so that those of TensorFlow and
SQLite count as well. A run has some thousands; `WRITES` of them, drawn by `SEED`, go wrong, each in a run of its own.
"""

import os
import random
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.faults.outcome import TINY_ARGUMENTS, Outcome

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")

_KINDS = ("EIO", "ENOSPC", "SHORT")
_WRITES = int(os.environ.get("WRITES", "60"))
_SEED = int(os.environ.get("SEED", "0"))


@dataclass(frozen=True)
class Shim:
    """The library, and the place where it counts."""

    library: Path
    counter: Path

    def environment(self, folder: Path, kind: str, at: int) -> dict[str, str]:
        """What a process is started with in which the write `at` below `folder` goes wrong."""
        self.counter.write_bytes(bytes(8))
        self._told.unlink(missing_ok=True)
        return {
            "LD_PRELOAD": str(self.library),
            "FAULT_FOLDER": str(folder),
            "FAULT_COUNTER": str(self.counter),
            "FAULT_KIND": kind,
            "FAULT_AT": str(at),
        }

    @property
    def told(self) -> list[str]:
        """The file of the write that went wrong, if one has; where none was to, that of each write, in their order."""
        return self._told.read_text().splitlines()

    @property
    def _told(self) -> Path:
        return Path(f"{self.counter}.told")


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Shim:
    folder = tmp_path_factory.mktemp("shim")
    source = Path(__file__).with_name("failing_writes.c")
    options = ["-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    command = ["cc", *options, "-o", str(folder / "shim.so"), str(source), "-ldl"]
    subprocess.run(command, check=True)
    return Shim(folder / "shim.so", folder / "counter")


@dataclass(frozen=True)
class Whole:
    """An undisturbed run.

    Attributes:
      outcome: where it ended.
      writes: the file of each write, in their order.
    """

    outcome: Outcome
    writes: list[str]

    def drawn(self, chance: random.Random) -> int:
        """The number of a write, any file being as likely as any other: of half the writes, the file is SQLite's."""
        file = chance.choice(sorted(set(self.writes)))
        return chance.choice([number for number, name in enumerate(self.writes, start=1) if name == file])


@pytest.fixture(scope="module")
def whole(project: Any, shim: Shim, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    root = tmp_path_factory.mktemp("whole")
    project.run("run", "--root", str(root), *TINY_ARGUMENTS, environment=shim.environment(root, "EIO", 0))
    return Whole(Outcome.of(root), shim.told)


@pytest.fixture
def spoil(project: Any, shim: Shim, whole: Whole, tmp_path: Path) -> Callable[[str, random.Random], None]:
    """Has a write go wrong, and runs the same command again."""

    def go(kind: str, chance: random.Random) -> None:
        at = whole.drawn(chance)
        environment = shim.environment(tmp_path, kind, at)
        process = project.start("run", "--root", str(tmp_path), *TINY_ARGUMENTS, environment=environment)
        out, err = process.communicate(timeout=300)
        where = f"{kind} at write {at}, {shim.told}\n{out}\n{err}"
        assert process.returncode in (0, 2), where
        if process.returncode == 2:
            assert len(err.splitlines()) == 1, where
            assert err.startswith("error: "), where
        out, _ = project.run("run", "--root", str(tmp_path), *TINY_ARGUMENTS)
        assert "blessed and pushed" in out, where
        assert Outcome.of(tmp_path) == whole.outcome, where

    return go


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", _KINDS)
def test_a_write_that_goes_wrong_leaves_nothing_behind(spoil: Callable[[str, random.Random], None], kind: str) -> None:
    spoil(kind, random.Random(f"{_SEED} {kind}"))


@pytest.mark.faults
@pytest.mark.timeout(300)
@pytest.mark.parametrize("number", range(_WRITES))
def test_nor_does_any_other(spoil: Callable[[str, random.Random], None], number: int) -> None:
    spoil(_KINDS[number % len(_KINDS)], random.Random(f"{_SEED} {number}"))
