"""Files of the pipeline's artifacts: whole or not there, on any file system.

An artifact is a folder, local or on a file system that Beam knows (gs://...). Files are written under a temporary
name and renamed.
"""

import contextlib
import errno
import hashlib
import json
import os
import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from components.shared.errors import UserError


def list_files(folder: str, suffix: str, prefix: str = "") -> list[str]:
    """The files of a folder with that beginning and ending, in the order of their names."""
    matches = FileSystems.match([posixpath.join(folder, f"{prefix}*.{suffix}")])[0].metadata_list
    return sorted(match.path for match in matches)


@contextlib.contextmanager
def write_atomically(path: str) -> Iterator[BinaryIO]:
    """Opens `path` for writing so that it appears whole or not at all.

    Raises:
      UserError: the disk is full, or the folder cannot be written.
    """
    temporary = f"{path}.writing"
    try:
        make_dirs(posixpath.dirname(path))
        with FileSystems.create(temporary, compression_type=CompressionTypes.UNCOMPRESSED) as file:
            yield file
        FileSystems.rename([temporary], [path])
    except BaseException as error:
        with contextlib.suppress(Exception):
            FileSystems.delete([temporary])
        if isinstance(error, OSError) and (reason := _reason_to_mend(error)):
            raise UserError(f"cannot write {path}: {reason}") from error
        raise


def make_dirs(folder: str) -> None:
    """Makes a folder and those above it, if they are not there."""
    if "://" not in folder:
        os.makedirs(folder, exist_ok=True)
    elif not FileSystems.exists(folder):
        FileSystems.mkdirs(folder)


def _reason_to_mend(error: OSError) -> str | None:
    reasons = {
        errno.ENOSPC: "no space left on the device; free some, or choose another --root",
        errno.EDQUOT: "the disk quota is used up; free some space, or choose another --root",
        errno.EFBIG: "the file is larger than this system allows; choose another --root",
        errno.EACCES: "permission denied; choose a --root that you may write to",
        errno.EPERM: "permission denied; choose a --root that you may write to",
        errno.EROFS: "the file system is read-only; choose another --root",
    }
    return reasons.get(error.errno or 0)


def open_file(path: str) -> BinaryIO:
    """Opens a file of an artifact for reading."""
    file: BinaryIO = FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)
    return file


def write_json(path: str, content: Mapping[str, Any]) -> None:
    """Writes a mapping as indented JSON."""
    with write_atomically(path) as file:
        file.write((json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode())


def read_json(path: str) -> dict[str, Any]:
    """Reads what `write_json` wrote."""
    with open_file(path) as file:
        content: dict[str, Any] = json.loads(file.read())
    return content


def delete(paths: Iterable[str]) -> None:
    """Deletes files and folders; it is no error where one is not there."""
    if existing := [path for path in paths if FileSystems.exists(path)]:
        FileSystems.delete(existing)


def fingerprint(digests: Sequence[bytes]) -> str:
    """One hexadecimal fingerprint (64 bits) of the digests of an artifact's parts, in their order."""
    return hashlib.sha256(b"".join(digests)).hexdigest()[:16]
