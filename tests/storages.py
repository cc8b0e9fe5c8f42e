"""Storages on loopback: servers from the package index that speak S3 and Google Cloud Storage, and a web server."""

import contextlib
import logging
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from components.shared.files import writing
from components.shared.files.places import file_system

BUCKET = "models"
_GOOGLES = ("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_PROJECT")
_AMAZONS = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")


@contextlib.contextmanager
def s3(environment: pytest.MonkeyPatch) -> Iterator[str]:
    """An S3 with one bucket; gives its name as a URL."""
    from moto.moto_server.threaded_moto_server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name in _AMAZONS:
        environment.delenv(name, raising=False)
    environment.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    environment.setenv("AWS_ACCESS_KEY_ID", "name-on-loopback")
    environment.setenv("AWS_SECRET_ACCESS_KEY", "key-on-loopback")
    environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
    environment.setenv("no_proxy", "127.0.0.1")
    _make_bucket(f"s3://{BUCKET}")
    try:
        yield f"s3://{BUCKET}"
    finally:
        server.stop()


@contextlib.contextmanager
def gs(environment: pytest.MonkeyPatch) -> Iterator[str]:
    """A Google Cloud Storage with one bucket; gives its name as a URL."""
    from gcp_storage_emulator import server as emulator

    # One request at a time would be the emulator's own way; those who read are many.
    environment.setattr(emulator.server, "HTTPServer", ThreadingHTTPServer)
    environment.setattr(emulator, "_decode_raw_data", _with_whole_last_byte(emulator._decode_raw_data))
    logging.getLogger("gcp_storage_emulator").setLevel(logging.ERROR)
    server = emulator.create_server("127.0.0.1", 0, in_memory=True)
    server.start()
    # The client breaks answers off that it needs no more of.
    server._api._httpd.handle_error = lambda *_: None
    for name in _GOOGLES:
        environment.delenv(name, raising=False)
    environment.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{server._api._httpd.server_address[1]}")
    environment.setenv("no_proxy", "127.0.0.1")
    _make_bucket(f"gs://{BUCKET}")
    try:
        yield f"gs://{BUCKET}"
    finally:
        server.stop()  # its thread would keep the process alive


def _with_whole_last_byte(decoded: Callable[..., bytes | None]) -> Callable[..., bytes | None]:
    """Mends how the emulator reads uploads of one request.

    The client ends the content with a bare line feed, which the emulator's parser takes together with a carriage
    return before it: of a file whose last byte is one, that byte was lost.
    """
    end = b"\n--==0==--"

    def whole(data: bytes | None, handler: BaseHTTPRequestHandler) -> bytes | None:
        content = decoded(data, handler)
        return content.removesuffix(end) + b"\r" + end if content and content.endswith(end) else content

    return whole


STORAGES = {"gs": gs, "s3": s3}


def forget() -> None:
    """Forgets connections to storages, which the environment is read for once."""
    from gcsfs.core import GCSFileSystem
    from s3fs import S3FileSystem

    for system in (GCSFileSystem, S3FileSystem):
        system.clear_instance_cache()


def _make_bucket(url: str) -> None:
    forget()
    system, path = file_system(url)
    # Servers of one process may share what they hold.
    with contextlib.suppress(FileExistsError):
        system.mkdir(path)


def write(name: str, content: bytes) -> None:
    with writing.write_atomically(name) as file:
        file.write(content)


@dataclass
class Proxy:
    """A server before another one.

    Attributes:
      url: its address.
      cuts: how many answers with a content of `at_least` bytes it breaks off in the middle, until it does not any more.
      at_least: see there.
    """

    url: str = ""
    cuts: int = 0
    at_least: int = 1000


@contextlib.contextmanager
def proxy(target: str) -> Iterator[Proxy]:
    """Hands requests for contents on, while it is open."""
    import requests

    found = Proxy()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._hand_on("GET")

        def do_HEAD(self) -> None:
            self._hand_on("HEAD")

        def _hand_on(self, method: str) -> None:
            answer = requests.request(method, target + self.path, headers=dict(self.headers), timeout=30)
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                if name.lower() not in ("connection", "transfer-encoding", "server", "date", "content-length"):
                    self.send_header(name, value)
            self.send_header("Content-Length", answer.headers.get("Content-Length", str(len(answer.content))))
            self.end_headers()
            content = answer.content
            if method == "GET" and found.cuts > 0 and len(content) >= found.at_least:
                found.cuts -= 1
                content = content[: len(content) // 2]
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Keeps quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class Website:
    """A web server of a folder, with the listing of the standard library's.

    Attributes:
      folder: what it shows.
      url: its address.
      cuts: how often it breaks off in the middle of an answer before it does not any more.
      requests: the paths that were asked for.
      credentials: what was sent as authorization, with each request that had any.
    """

    folder: Path
    url: str = ""
    cuts: int = 0
    requests: list[str] = field(default_factory=list)
    credentials: list[str] = field(default_factory=list)


@contextlib.contextmanager
def website(folder: Path, environment: pytest.MonkeyPatch) -> Iterator[Website]:
    """Shows a folder while it is open."""
    site = Website(folder)

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            site.requests.append(self.path)
            site.credentials += self.headers.get_all("Authorization", [])
            super().do_GET()

        def copyfile(self, source: Any, outputfile: Any) -> None:
            if site.cuts > 0 and os.path.isfile(self.translate_path(self.path)):
                site.cuts -= 1
                outputfile.write(source.read(10))
            else:
                super().copyfile(source, outputfile)

        def log_message(self, *_: object) -> None:
            """Keeps quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    environment.setenv("no_proxy", "127.0.0.1")
    site.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
