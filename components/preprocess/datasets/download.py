"""Fetching an archive and taking one file out of it, whole or not at all."""

import contextlib
import hashlib
import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from typing import IO

from components.shared.errors import UserError
from components.shared.files import web
from components.shared.files.places import is_web
from components.shared.files.reading import is_file, open_file
from components.shared.files.zips import ZIP_FAULTS

_CHUNK_BYTES = 256 * 1024
# The largest ratings file there is (ml-32m) has 0.9 GB.
_MOST_BYTES = 8 * 1024**3
_ADVICE = "check the network, or set dataset.mirror to a folder or URL with the archive"


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


def fetch(name: str, file: IO[bytes]) -> None:
    """Copies an archive into `file`, wherever it lies, with a progress bar where it is downloaded.

    Raises:
      UserError: its server or storage cannot be reached or does not have it, or the answer is cut short.
    """
    with _advising():
        if is_web(name):
            web.fetch(name, file, lambda error: _cannot_write("the download", error))
            return
        with open_file(name) as archive:
            shutil.copyfileobj(archive, file, _CHUNK_BYTES)


def published_md5(name: str) -> str | None:
    """Reads the checksum from a `.md5` file, in the form of `md5sum` or of BSD's `md5`; None where there is none.

    Raises:
      UserError: the server or storage cannot be reached.
    """
    try:
        with _advising():
            text = web.text_of(name, 1000) if is_web(name) else _text_of(name)
    except web.MissingError:
        return None
    digest = re.search(r"\b[0-9a-fA-F]{32}\b", text)
    return digest.group().lower() if digest else None


def _text_of(name: str) -> str:
    if not is_file(name):
        return ""
    with open_file(name) as file:
        return file.read(1000).decode("ascii", "replace")


def md5_of(file: IO[bytes]) -> str:
    """The MD5 of a whole file, as 32 hexadecimal digits."""
    file.seek(0)
    digest = hashlib.md5(usedforsecurity=False)
    while chunk := file.read(_CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


def extract(archive: IO[bytes], member: str, path: str, origin: str, needed: bool = True) -> None:
    """Takes one file out of a zip archive; nothing else of it is unpacked, wherever its entries point.

    Args:
      archive: the zip file.
      member: the name of the file in it.
      path: where the file goes; it appears there whole or not at all.
      origin: how errors call the archive.
      needed: whether it is an error where the archive has no such file.

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
        if not needed:
            return
        raise UserError(f"{origin} has no file {member}: it is not the archive it should be; {_ADVICE}") from None
    except ZIP_FAULTS as error:
        raise UserError(f"{origin} is not a whole zip archive ({error}): {_ADVICE}") from error
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            os.remove(temporary)


def _create(path: str) -> IO[bytes]:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    return open(path, "wb")


@contextlib.contextmanager
def _advising() -> Iterator[None]:
    try:
        yield
    except UserError as error:
        raise type(error)(f"{error}; {_ADVICE}") from error


def _cannot_write(path: str, error: OSError) -> UserError:
    return UserError(f"cannot write {path}: {error.strerror or error}; free some space, or set dataset.cache_dir")
