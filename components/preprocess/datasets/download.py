"""Fetching an archive and taking one file out of it, whole or not at all."""

import contextlib
import hashlib
import os
import re
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO

import requests
import urllib3

from components.shared import progress
from components.shared.errors import UserError

_TIMEOUT_SECONDS = (15, 60)
_CHUNK_BYTES = 256 * 1024
# The largest ratings file there is (ml-32m) has 0.9 GB.
_MOST_BYTES = 8 * 1024**3
_ADVICE = "check the network, or set dataset.mirror to a folder or URL with the archive"


def is_url(text: str) -> bool:
    """Whether `text` is a web address rather than a folder."""
    return text.startswith(("http://", "https://"))


@contextlib.contextmanager
def scratch_file(folder: str) -> Iterator[IO[bytes]]:
    """A nameless file on the file system of `folder`, which is gone with the process, however that ends.

    Raises:
      UserError: the folder cannot be written.
    """
    with contextlib.ExitStack() as stack:
        try:
            os.makedirs(folder, exist_ok=True)
            file = stack.enter_context(tempfile.TemporaryFile(dir=folder))
        except OSError as error:
            raise _cannot_write(folder, error) from error
        yield file


def fetch(url: str, file: IO[bytes]) -> None:
    """Downloads `url` into `file`, with a progress bar.

    Raises:
      UserError: the server cannot be reached or does not have it, or the answer is cut short.
    """
    received = 0
    with _get(url) as response, _reading(url, "was cut short"):
        expected = int(response.headers.get("Content-Length", 0))
        with progress.bar(f"{url.rsplit('/', 1)[-1]}, KiB", -(-expected // 1024)) as bar:
            for chunk in response.raw.stream(_CHUNK_BYTES, decode_content=False):
                try:
                    file.write(chunk)
                    file.flush()
                except OSError as error:
                    raise _cannot_write("the download", error) from error
                bar.advance((received + len(chunk)) // 1024 - received // 1024)
                received += len(chunk)
    if received < expected:
        raise UserError(f"{url} was cut short at {received} of {expected} bytes: run again, {_ADVICE}")


def published_md5(url: str) -> str | None:
    """Reads the checksum from a `.md5` file, in the form of `md5sum` or of BSD's `md5`; None where there is none.

    Raises:
      UserError: the server cannot be reached.
    """
    try:
        with _get(url) as response, _reading(url, "was cut short"):
            text = response.text[:1000]
    except _MissingError:
        return None
    digest = re.search(r"\b[0-9a-fA-F]{32}\b", text)
    return digest.group().lower() if digest else None


def md5_of(file: IO[bytes]) -> str:
    """The MD5 of a whole file, as 32 hexadecimal digits."""
    file.seek(0)
    digest = hashlib.md5(usedforsecurity=False)
    while chunk := file.read(_CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


def extract(archive: IO[bytes], member: str, path: str, origin: str) -> None:
    """Takes one file out of a zip archive; nothing else of it is unpacked, wherever its entries point.

    Args:
      archive: the zip file.
      member: the name of the file in it.
      path: where the file goes; it appears there whole or not at all.
      origin: how errors call the archive.

    Raises:
      UserError: not a zip archive, no such file in it, the file is damaged or too large, or `path` cannot be written.
    """
    temporary = f"{path}.{os.getpid()}.writing"
    try:
        with zipfile.ZipFile(archive) as opened:
            size = opened.getinfo(member).file_size
            if size > _MOST_BYTES:
                raise UserError(f"{origin}: {member} would unpack to {size / 1e9:.0f} GB, which no release does")
            with opened.open(member) as packed, _create(temporary) as file:
                shutil.copyfileobj(packed, file, _CHUNK_BYTES)
        os.replace(temporary, path)
    except KeyError:
        raise UserError(f"{origin} has no file {member}: it is not the archive it should be; {_ADVICE}") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise UserError(f"{origin} is not a whole zip archive ({error}): {_ADVICE}") from error
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            os.remove(temporary)


def _create(path: str) -> IO[bytes]:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    return open(path, "wb")


class _MissingError(UserError):
    """The server has no such file."""


def _get(url: str) -> requests.Response:
    with _reading(url, "cannot be reached"):
        response = requests.get(url, stream=True, timeout=_TIMEOUT_SECONDS, headers={"Accept-Encoding": "identity"})
    if response.ok:
        return response
    response.close()
    status = f"{response.status_code} {response.reason}".strip()
    kind = _MissingError if response.status_code in (404, 410) else UserError
    raise kind(f"{url}: the server answers {status}; {_ADVICE}")


@contextlib.contextmanager
def _reading(url: str, fault: str) -> Iterator[None]:
    """Turns what goes wrong on the network into one line."""
    try:
        yield
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        raise UserError(f"{url} {fault} ({type(error).__name__}): run again, {_ADVICE}") from error


def _cannot_write(path: str, error: OSError) -> UserError:
    return UserError(f"cannot write {path}: {error.strerror or error}; free some space, or set dataset.cache_dir")
