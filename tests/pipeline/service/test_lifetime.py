"""Versions come and go, processes die, and nobody who asks meanwhile is left without an answer."""

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from components.serving.contract import SAVED_MODEL_FILE
from components.shared.files import folders
from tests.pipeline.service.conftest import SECONDS, Service, serving
from tests.pipeline.service.models import push
from tests.pipeline.service.test_service import wait_until
from tests.storages import gs


class Asking(threading.Thread):
    """Asks for recommendations, one after the other, and keeps what does not come."""

    def __init__(self, service: Service):
        super().__init__()
        self._service, self._over = service, threading.Event()
        self.asked, self.failures, self.versions = 0, [], set[str]()

    def run(self) -> None:
        while not self._over.wait(0.02):
            try:
                answer = self._service.get("/recommend/11?k=3")
                self.asked += 1
                if answer.status_code != 200:
                    self.failures.append(answer.text)
                self.versions.add(answer.json()["version"])
            except Exception as error:
                self.failures.append(repr(error))

    def end(self) -> None:
        self._over.set()
        self.join()


def scoring_processes(service: Service) -> list[int]:
    process = service.process.pid
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def test_a_model_on_a_storage_is_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    push(tmp_path / "1")
    with gs(monkeypatch) as bucket:
        folders.copy(str(tmp_path / "1"), f"{bucket}/serving/1", last=SAVED_MODEL_FILE)
        with serving(f"{bucket}/serving", tmp_path / "log") as service:
            assert len(service.get("/recommend/11?k=3").json()["items"]) == 3


def test_a_newer_version_takes_over_and_one_that_cannot_be_loaded_does_not(tmp_path: Path) -> None:
    destination = tmp_path / "serving"
    push(destination / "1")
    token = tmp_path / "token"
    token.write_text("s3cret\n")
    with serving(destination, tmp_path / "log", "--token-file", str(token)) as service:
        assert service.get("/recommend/11").status_code == 401
        assert service.get("/users", headers={"Authorization": "Bearer s3cre"}).status_code == 401
        assert service.get("/users", headers={"Authorization": "bearer s3cret"}).status_code == 200
        assert [service.get(path).status_code for path in ("/", "/docs", "/healthz", "/readyz")] == [200] * 4
        service.get = lambda path, ask=service.get: ask(path, headers={"Authorization": "Bearer s3cret"})  # type: ignore[method-assign]
        asking = Asking(service)
        asking.start()

        (tmp_path / "broken").mkdir()
        (tmp_path / "broken" / "saved_model.pb").write_bytes(b"no model")
        os.rename(tmp_path / "broken", destination / "3")
        push(destination / "2", seed=1)
        wait_until(lambda: service.get("/readyz").json()["version"] == "2")
        asking.end()

        assert asking.failures == []
        assert asking.versions == {"1", "2"} or asking.versions == {"1"}
        assert service.get("/recommend/11").json()["version"] == "2"
        assert (service.figure("reloads_total"), service.figure("failed_loads_total")) == (1, 1)
        assert "s3cret" not in (tmp_path / "log").read_text()

        wait_until(lambda: len(scoring_processes(service)) == 1)  # that of the version before has left
        (lost,) = scoring_processes(service)
        os.kill(lost, signal.SIGKILL)
        wait_until(lambda: service.figure("lost_scoring_processes_total") == 1)
        assert service.get("/readyz").status_code in (200, 503)
        wait_until(lambda: service.get("/readyz").status_code == 200)
        assert service.get("/recommend/11").json()["version"] == "2"

        os.kill(service.process.pid, signal.SIGSTOP)
        host, port = service.address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(b"GET /recommend/11 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer s3cret\r\n\r\n")
            connection.settimeout(SECONDS)
            os.kill(service.process.pid, signal.SIGCONT)
            answer = connection.recv(1 << 16)
            assert answer.startswith(b"HTTP/1.1 200"), "what was asked before is answered"
        service.process.send_signal(signal.SIGINT)
        assert service.process.wait(SECONDS) == 0
        assert service.process.stdout is not None
        assert service.process.stdout.read().startswith("stopped after ")


def test_no_model_is_told_in_one_line(tmp_path: Path) -> None:
    found = subprocess.run(
        [sys.executable, "-m", "pipeline", "serve", "--model", str(tmp_path), "--port", "0"],
        capture_output=True, text=True, timeout=SECONDS,
    )  # fmt: skip
    assert found.returncode == 2
    (line,) = [line for line in found.stderr.splitlines() if not line.startswith("{")]
    assert line == f"error: --model {tmp_path}: there is neither a SavedModel nor a folder of versions of one"


@pytest.mark.parametrize("content", ["", "two words", "é"])
def test_a_file_without_a_token_is_told_in_one_line(tmp_path: Path, content: str) -> None:
    from click.testing import CliRunner

    from pipeline.cli import main

    (tmp_path / "token").write_text(content)
    result = CliRunner().invoke(main, ["serve", "--model", str(tmp_path), "--token-file", str(tmp_path / "token")])
    assert result.exit_code == 2
    assert "one token, of ASCII without spaces, is expected" in result.output
