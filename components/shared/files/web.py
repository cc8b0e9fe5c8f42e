"""Files at web addresses: looked at, fetched whole, and kept while the program runs."""

import contextlib
import functools
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from typing import IO, TYPE_CHECKING, TypeVar

from components.shared import progress
from components.shared.errors import UserError
from components.shared.files.places import plain_path
from components.shared.files.secrets import without_secrets

if TYPE_CHECKING:
    from requests import Response

_TIMEOUT_SECONDS = (15, 60)
_CHUNK_BYTES = 256 * 1024
_MARKS = ("ETag", "Last-Modified", "Content-Length")
_WAITS_SECONDS = (1.0, 4.0)
"""How long to wait before it is tried again."""
_SLOW_SECONDS = 60.0
_SLOW_BYTES = 64 * 1024
"""What has to arrive within that time."""
MOST_BYTES = 64 * 1024**3
_lock = threading.Lock()
_Result = TypeVar("_Result")


class MissingError(UserError):
    """The server has no such file."""


class _BrokenOffError(UserError):
    """The server could not be reached, or broke off: another try may do."""


def state(url: str) -> str:
    """What tells this file from another one at the same address, as far as the server says.

    Raises:
      MissingError: the server has no such file.
      UserError: the server cannot be reached, or refuses.
    """

    def look() -> str:
        # Not by HEAD, which a signed address does not allow.
        with _get(url) as response:
            return " ".join(response.headers.get(mark, "") for mark in _MARKS)

    return _tried(look)


def text_of(url: str, most: int) -> str:
    """The beginning of a text.

    Raises:
      UserError: as `state`.
    """

    def read() -> str:
        with _get(url) as response, _reading(url, "was cut short"):
            ends, content = time.monotonic() + _SLOW_SECONDS, b""
            # A byte at a time comes as it is sent: each read returns what has arrived.
            while len(content) < most and (chunk := response.raw.read1(most - len(content))):
                content += chunk
                if time.monotonic() > ends:
                    raise UserError(f"{without_secrets(url)}: the server is too slow; try later, or another one")
            return content.decode("utf-8", "replace")

    return _tried(read)


def fetch(url: str, file: IO[bytes], cannot_write: Callable[[OSError], UserError]) -> None:
    """Downloads a file into another one, with a progress bar; an answer that breaks off is asked for again.

    Args:
      url: where it is.
      file: where it goes; what was in it before is gone.
      cannot_write: tells what is wrong with the place of `file`.

    Raises:
      UserError: as `state`; or the answer is cut short.
    """
    _tried(lambda: _fetch_once(url, file, cannot_write))


def local_copy(url: str) -> str:
    """A copy on this machine, which is made where the file was not seen before in this state, and gone at the end.

    Raises:
      UserError: as `fetch`.
    """
    with _lock:
        return _copy(url, state(url))


@functools.cache
def _copy(url: str, state: str) -> str:
    folder = tempfile.mkdtemp(dir=kept_while_running())
    path = os.path.join(folder, plain_path(url).rpartition("/")[2] or "file")
    with open(path, "wb") as file:
        fetch(
            url, file, lambda error: UserError(f"{without_secrets(url)}: no room for a copy of it in {path}: {error}")
        )
    return path


def kept_while_running() -> str:
    """A folder for copies of files, which is gone when the program ends."""
    return _copies().name


@functools.cache
def _copies() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix="neumf-copies-")


def _fetch_once(url: str, file: IO[bytes], cannot_write: Callable[[OSError], UserError]) -> None:
    file.seek(0)
    file.truncate()
    received = 0
    with _get(url) as response, _reading(url, "was cut short"):
        expected = _declared_size(response)
        pace = _Pace(url)
        with progress.bar(f"{plain_path(url).rsplit('/', 1)[-1]}, KiB", -(-expected // 1024)) as bar:
            while chunk := response.raw.read1(_CHUNK_BYTES):
                try:
                    file.write(chunk)
                    file.flush()
                except OSError as error:
                    raise cannot_write(error) from error
                bar.advance((received + len(chunk)) // 1024 - received // 1024)
                received += len(chunk)
                pace.check(received)
    if received < expected:
        raise _BrokenOffError(f"{without_secrets(url)} was cut short at {received} of {expected} bytes: run again")


class _Pace:
    """Sees that an answer comes to its end some time: neither a trickle nor without end."""

    def __init__(self, url: str):
        self._url, self._since, self._before = url, time.monotonic(), 0

    def check(self, received: int) -> None:
        if received > MOST_BYTES:
            raise UserError(
                f"{without_secrets(self._url)} has more than {MOST_BYTES / 1e9:.0f} GB, as nothing here has"
            )
        now = time.monotonic()
        if now - self._since < _SLOW_SECONDS:
            return
        if received - self._before < _SLOW_BYTES:
            raise UserError(f"{without_secrets(self._url)}: the server is too slow; try later, or another one")
        self._since, self._before = now, received


def _declared_size(response: "Response") -> int:
    """The size that the server declares; 0 where it declares none, or no number."""
    declared = response.headers.get("Content-Length", "")
    return int(declared) if declared.isascii() and declared.isdecimal() else 0


def _tried(work: Callable[[], _Result]) -> _Result:
    for wait in _WAITS_SECONDS:
        try:
            return work()
        except _BrokenOffError:
            time.sleep(wait)
    return work()


def _get(url: str) -> "Response":
    # To import it takes longer than all that most runs need, which download nothing.
    import requests

    with _reading(url, "cannot be reached"):
        response = requests.get(url, stream=True, timeout=_TIMEOUT_SECONDS, headers={"Accept-Encoding": "identity"})
    if response.ok:
        return response
    response.close()
    status = f"{response.status_code} {response.reason}".strip()
    kind = UserError if response.status_code < 500 else _BrokenOffError
    raise (MissingError if response.status_code in (404, 410) else kind)(
        f"{without_secrets(url)}: the server answers {status}"
    )


@contextlib.contextmanager
def _reading(url: str, fault: str) -> Iterator[None]:
    """Turns what goes wrong on the network into one line."""
    import requests
    import urllib3

    try:
        yield
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        raise _BrokenOffError(f"{without_secrets(url)} {fault} ({type(error).__name__}): run again") from error
