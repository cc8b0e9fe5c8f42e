"""A service as its users start it: one process for all tests that ask it."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.pipeline.service.models import push

SECONDS = 400
FEW_FILES = 128
"""As many as the service may have open before it asks for more."""


@dataclass
class Service:
    """A running service.

    Attributes:
      process: of the command.
      address: where it answers.
      destination: where its models are pushed to.
      log: what it told on standard error, as a file.
    """

    process: subprocess.Popen[str]
    address: str
    destination: Path
    log: Path

    def get(self, path: str, **options: object) -> requests.Response:
        return requests.get(self.address + path, timeout=SECONDS, **options)  # type: ignore[arg-type]

    def post(self, path: str, **options: object) -> requests.Response:
        return requests.post(self.address + path, timeout=SECONDS, **options)  # type: ignore[arg-type]

    def figure(self, name: str) -> float:
        """The sum of the values of a metric."""
        lines = [line for line in self.get("/metrics").text.splitlines() if line.startswith(f"neumf_{name}")]
        assert lines
        return sum(float(line.rpartition(" ")[2]) for line in lines)


@contextlib.contextmanager
def serving(destination: Path | str, log: Path, *options: str) -> Iterator[Service]:
    """Starts the service, and stops it in the end."""
    arguments = ["serve", "--model", str(destination), "--port", "0", "--poll", "0.2", *options]
    few = ["sh", "-c", f'ulimit -Sn {FEW_FILES} && exec "$@"', "sh"]
    with log.open("w") as errors, subprocess.Popen(
        [*few, sys.executable, "-m", "pipeline", *arguments], stdout=subprocess.PIPE, stderr=errors, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    ) as process:  # fmt: skip
        killer = threading.Timer(SECONDS, process.kill)
        killer.start()
        try:
            assert process.stdout is not None
            words = (word for line in process.stdout for word in line.split())
            address = next((word for word in words if word.startswith("http://")), None)
            assert address, f"it does not start: {log.read_text()}"
            yield Service(process, address.rstrip("/"), Path(destination), log)
        finally:
            killer.cancel()
            process.send_signal(signal.SIGTERM)


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    root = tmp_path_factory.mktemp("service")
    push(root / "serving" / "1")
    with serving(root / "serving", root / "log") as started:
        yield started
