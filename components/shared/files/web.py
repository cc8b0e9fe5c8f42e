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
            return response.text[:most]

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
        expected = int(response.headers.get("Content-Length", 0))
        with progress.bar(f"{plain_path(url).rsplit('/', 1)[-1]}, KiB", -(-expected // 1024)) as bar:
            for chunk in response.raw.stream(_CHUNK_BYTES, decode_content=False):
                try:
                    file.write(chunk)
                    file.flush()
                except OSError as error:
                    raise cannot_write(error) from error
                bar.advance((received + len(chunk)) // 1024 - received // 1024)
                received += len(chunk)
    if received < expected:
        raise _BrokenOffError(f"{without_secrets(url)} was cut short at {received} of {expected} bytes: run again")


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
