import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from pipeline.cli import main

PROJECT = Path(__file__).resolve().parents[2]
EMPTY: Mapping[str, str] = MappingProxyType({})

# Small enough for a run in seconds, large enough for a model that is better than popularity.
_SMALL = {
    "dataset.synthetic_users": 600,
    "dataset.synthetic_items": 300,
    "dataset.synthetic_interactions": 40000,
    "trainer.epochs": 4,
    "trainer.learning_rate": 0.01,
    "evaluator.minimum_hr": 0.3,
}
SMALL = tuple(word for key, value in _SMALL.items() for word in ("--set", f"{key}={value}"))


class Project:
    """The command line of a checkout."""

    def __init__(self, folder: Path = PROJECT):
        self.folder = folder

    def start(self, *arguments: str, environment: Mapping[str, str] = EMPTY) -> subprocess.Popen[str]:
        """Starts a command; on all cores, not on those alone that a worker of the tests has."""
        process = subprocess.Popen(
            [sys.executable, "-m", "pipeline", *arguments],
            cwd=self.folder,
            env={**os.environ, "COLUMNS": "160", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(process.pid, range(os.cpu_count() or 1))
        return process

    def run(self, *arguments: str, code: int = 0, environment: Mapping[str, str] = EMPTY) -> tuple[str, str]:
        """Runs a command to its end; returns what it printed on standard output and error."""
        process = self.start(*arguments, environment=environment)
        out, err = process.communicate(timeout=800)
        assert process.returncode == code, f"exit code {process.returncode}\n{out}\n{err}"
        return out, err


@pytest.fixture(scope="session")
def project() -> Project:
    return Project()


@pytest.fixture
def refused(capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[str, str]]:
    """Runs a command that ends with exit code 2, in this process: to start one takes longer than what it has to say."""

    def run(*arguments: str) -> tuple[str, str]:
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 2
        return capfd.readouterr()

    return run
