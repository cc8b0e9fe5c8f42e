import contextlib
import itertools
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.serving.versions import Version, newest_version
from components.shared.errors import UserError
from components.shared.files import folders, reading, web, writing
from tests.storages import website


def test_models_on_a_web_server_that_lists_its_folders_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in ("9", "17"):
        (tmp_path / "serving" / version / "variables").mkdir(parents=True)
        (tmp_path / "serving" / version / "saved_model.pb").write_text(f"graph {version}")
        (tmp_path / "serving" / version / "variables" / "index").write_text("weights")
    (tmp_path / "serving" / "18.writing").mkdir()
    with website(tmp_path, monkeypatch) as site:
        destination = f"{site.url}/serving"
        assert newest_version(destination) == Version("17", f"{destination}/17")
        with folders.on_this_machine(f"{destination}/17") as copy:
            assert Path(copy, "saved_model.pb").read_text() == "graph 17"
            assert Path(copy, "variables", "index").read_text() == "weights"


def test_a_file_is_fetched_once_for_each_of_its_states(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_text("first")
    with website(tmp_path, monkeypatch) as site:
        for content in ("first", "the second"):
            (tmp_path / "a.csv").write_text(content)
            for _ in range(2):
                with reading.open_file(f"{site.url}/a.csv") as file:
                    assert file.read() == content.encode()


def test_a_web_address_is_no_place_to_write() -> None:
    with pytest.raises(UserError, match=r"^pusher\.destination: https://host/models can only be read"):
        writing.check_writable("https://me:hush@host/models", "pusher.destination")


def _serving(answer: Iterator[bytes]) -> tuple[str, threading.Thread]:
    """A server that gives one answer to whoever asks first, until they are tired of it."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with listening, listening.accept()[0] as asking:
            asking.recv(65536)
            with contextlib.suppress(OSError):
                for part in answer:
                    asking.sendall(part)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return f"http://127.0.0.1:{listening.getsockname()[1]}/ml-1m.zip", thread


def _refuse(error: OSError) -> UserError:
    raise error


def test_a_checksum_without_end_is_read_as_far_as_it_may_be_one() -> None:
    url, _ = _serving(itertools.chain([b"HTTP/1.1 200 OK\r\n\r\n"], itertools.repeat(b"0" * 4096)))
    assert web.text_of(url, 1000) == "0" * 1000


def test_a_size_that_is_no_number_is_none() -> None:
    url, _ = _serving(iter([b"HTTP/1.1 200 OK\r\nContent-Length: many\r\nConnection: close\r\n\r\n", b"zip"]))
    with tempfile.TemporaryFile() as file:
        web.fetch(url, file, _refuse)
        file.seek(0)
        assert file.read() == b"zip"


@pytest.mark.parametrize("fault", ["slow", "endless"])
def test_a_server_that_comes_to_no_end_is_left(monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    if fault == "slow":
        monkeypatch.setattr(web, "_SLOW_SECONDS", 0.2)
    else:
        monkeypatch.setattr(web, "MOST_BYTES", 100_000)

    def trickle() -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\n\r\n"
        while True:
            time.sleep(0.02 if fault == "slow" else 0)
            yield b"x" if fault == "slow" else b"x" * 4096

    url, _ = _serving(trickle())
    with tempfile.TemporaryFile() as file, pytest.raises(UserError, match=r"too slow; try later|as nothing here has"):
        web.fetch(url, file, _refuse)
