"""Storages on loopback: servers from the package index that speak S3 and Google Cloud Storage, and a web server."""

import contextlib
import logging
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from components.shared.files import writing

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
    yield f"s3://{BUCKET}"
    server.stop()


@contextlib.contextmanager
def gs(environment: pytest.MonkeyPatch) -> Iterator[str]:
    """A Google Cloud Storage with one bucket; gives its name as a URL."""
    from gcp_storage_emulator.server import create_server
    from gcp_storage_emulator.server import server as http_server

    # One request at a time would be the emulator's own way; those who read are many.
    environment.setattr(http_server, "HTTPServer", ThreadingHTTPServer)
    logging.getLogger("gcp_storage_emulator").setLevel(logging.ERROR)
    server = create_server("127.0.0.1", 0, in_memory=True)
    server.start()
    # The client breaks answers off that it needs no more of.
    server._api._httpd.handle_error = lambda *_: None
    for name in _GOOGLES:
        environment.delenv(name, raising=False)
    environment.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{server._api._httpd.server_address[1]}")
    environment.setenv("no_proxy", "127.0.0.1")
    _make_bucket(f"gs://{BUCKET}")
    yield f"gs://{BUCKET}"
    server.stop()


STORAGES = {"gs": gs, "s3": s3}


def _make_bucket(url: str) -> None:
    from components.shared.files.places import file_system

    system, path = file_system(url)
    system.clear_instance_cache()
    system.mkdir(path)


def write(name: str, content: bytes) -> None:
    with writing.write_atomically(name) as file:
        file.write(content)


@dataclass
class Website:
    """A web server of a folder, with the listing of the standard library's.

    Attributes:
      folder: what it shows.
      url: its address.
      cuts: how often it breaks off in the middle of an answer before it does not any more.
      requests: the paths that were asked for.
    """

    folder: Path
    url: str = ""
    cuts: int = 0
    requests: list[str] = field(default_factory=list)


@contextlib.contextmanager
def website(folder: Path, environment: pytest.MonkeyPatch) -> Iterator[Website]:
    """Shows a folder while it is open."""
    site = Website(folder)

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            site.requests.append(self.path)
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
    yield site
    server.shutdown()
    server.server_close()
