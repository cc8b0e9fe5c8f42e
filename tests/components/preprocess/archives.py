"""Archives of ratings, and a web server that hands them out well or badly."""

import contextlib
import hashlib
import io
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from components.shared.errors import UserError

RATINGS = b"userId,movieId,rating,timestamp\n1,7,4.0,100\n1,9,3.5,101\n"
SMALL = "ml-latest-small"


class Server:
    """A web server of files in memory that remembers what was asked of it."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.status: dict[str, int] = {}
        self.sent_bytes: dict[str, int] = {}
        self.stalls = False
        self.requests: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.requests.append(self.path)
                name = self.path.removeprefix("/")
                status = outer.status.get(name, 200 if name in outer.files else 404)
                content = outer.files.get(name, b"")
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(content[: outer.sent_bytes.get(name, len(content))])
                    self.wfile.flush()
                    while outer.stalls:
                        time.sleep(0.05)

            def log_message(self, *_: object) -> None:
                """Keeps quiet."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}/datasets"
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()

    def serve(self, name: str, content: bytes) -> None:
        self.files[f"datasets/{name}"] = content


def zipped(**members: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return content.getvalue()


GOOD = zipped(**{f"{SMALL}/README.txt": b"read me", f"{SMALL}/ratings.csv": RATINGS})


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def one_line(error: pytest.ExceptionInfo[UserError]) -> str:
    message = str(error.value)
    assert "\n" not in message
    return message
