"""Finds and reads files, on this machine or elsewhere."""

import glob
import hashlib
import io
import os
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from components.shared.errors import UserError
from components.shared.files import web
from components.shared.files.faults import absence, told
from components.shared.files.places import expanded, file_system, is_remote, is_web
from components.shared.files.secrets import without_secrets

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

_BLOCK_BYTES = 4 << 20
_GLOB = re.compile(r"[*?[]")
# What a storage says of a file that changes with its content.
_MARKS_OF_CONTENT = ("md5Hash", "ETag")
_MARKS = ("etag", "generation", "LastModified", "mtime", "updated")


def open_file(name: str) -> BinaryIO:
    """Opens a file for reading, at any position.

    Raises:
      UserError: it is not there, may not be read, or its storage cannot be reached; while it is read, too.
    """
    name = expanded(name)
    with told(name):
        if is_web(name):
            return open(web.local_copy(name), "rb")
        if not is_remote(name):
            return open(name, "rb")
        system, path = file_system(name)
        remote = _RemoteFile(name, system, path, int(system.info(path)["size"]))
    return cast(BinaryIO, io.BufferedReader(remote, _BLOCK_BYTES))


def size_of(name: str) -> int:
    """The bytes of a file as it lies there.

    Raises:
      UserError: as `open_file`.
    """
    name = expanded(name)
    with told(name):
        if is_web(name):
            return os.path.getsize(web.local_copy(name))
        if not is_remote(name):
            return os.path.getsize(name)
        system, path = file_system(name)
        return int(system.info(path)["size"])


def is_file(name: str) -> bool:
    """Whether there is a file of that very name.

    Raises:
      UserError: its storage cannot be reached, or refuses.
    """
    name = expanded(name)
    with told(name):
        if is_web(name):
            return _is_on_web(name)
        if not is_remote(name):
            return os.path.isfile(name)
        return _info(name).get("type") == "file"


def is_folder(name: str) -> bool:
    """Whether there is a folder of that name; on a storage of objects, whether anything is below it.

    Raises:
      UserError: as `is_file`.
    """
    name = expanded(name)
    with told(name):
        if is_web(name):
            return False
        return _info(name).get("type") == "directory" if is_remote(name) else os.path.isdir(name)


def exists(name: str) -> bool:
    """Whether there is a file or a folder of that name.

    Raises:
      UserError: as `is_file`.
    """
    return is_file(name) or is_folder(name)


def names_in(folder: str) -> list[str]:
    """The names of files and folders right in a folder, in their order; nothing where it is not there.

    Raises:
      UserError: as `is_file`.
    """
    folder = expanded(folder)
    with told(folder):
        try:
            if not is_remote(folder):
                return sorted(os.listdir(folder))
            system, path = file_system(folder)
            below = path.rstrip("/") + "/"
            names = (str(entry).rstrip("/").removeprefix(below) for entry in system.ls(path, detail=False))
            return sorted(name for name in names if name and "/" not in name)
        except FileNotFoundError:
            return []


def files_below(folder: str) -> list[str]:
    """The paths of all files of a folder and of those in it, from the folder on, in their order.

    Raises:
      UserError: as `is_file`.
    """
    folder = expanded(folder)
    with told(folder):
        if not is_remote(folder):
            paths = (os.path.join(at, name) for at, _, names in os.walk(folder) for name in names)
            return sorted(os.path.relpath(path, folder) for path in paths)
        system, path = file_system(folder)
        below = path.rstrip("/") + "/"
        return sorted(str(entry).removeprefix(below) for entry in system.find(path))


def states_below(folder: str) -> dict[str, str]:
    """The states of all files of a folder and of those in it, by their paths from the folder on; see `fingerprint_of`.

    A state begins with the size.

    Raises:
      UserError: as `is_file`.
    """
    folder = expanded(folder)
    if not is_remote(folder):
        return {name: _state(os.path.join(folder, name)) for name in files_below(folder)}
    with told(folder):
        system, path = file_system(folder)
        below = path.rstrip("/") + "/"
        found = system.find(path, detail=True)
        return {str(entry).removeprefix(below): _marks(info) for entry, info in sorted(found.items())}


def match(pattern: str) -> list[str]:
    """The files that a name or a pattern stands for, in the order of their names.

    A file of that very name is meant before a pattern is. Where a pattern with brackets finds nothing, its brackets are
    taken as they are.

    Raises:
      UserError: as `is_file`.
    """
    pattern = expanded(pattern)
    if is_file(pattern):
        return [pattern]
    if not _GLOB.search(pattern):
        return []
    return _glob(pattern) or (_glob(pattern.replace("[", "[[]")) if "[" in pattern else [])


def described_absence(pattern: str) -> str:
    """Why `match` found nothing."""
    pattern = expanded(pattern)
    with told(pattern):
        if is_folder(pattern):
            return "it is a folder: give a file or a glob such as FOLDER/*.csv"
        if is_remote(pattern):
            return f"{absence(pattern)}; check it"
    return "it is not there; check it (a relative path starts from the current folder)"


def fingerprint_of(patterns: list[str]) -> str:
    """16 hexadecimal digits that stand for the names and states of files, of patterns of them, and of whole folders.

    The state is what the storage says: the size, and its own mark of the content, so that a file which is written anew
    as it was is the same; where it has no such mark, the time of change and the like.

    Raises:
      UserError: as `is_file`.
    """
    digest = hashlib.sha256()
    for pattern in patterns:
        for name, state in _states(expanded(pattern)):
            digest.update(f"{without_secrets(name)}:{state};".encode())
    return digest.hexdigest()[:16]


def _states(pattern: str) -> Iterator[tuple[str, str]]:
    if is_web(pattern):
        yield from ((name, web.state(name)) for name in match(pattern))
    elif is_folder(pattern):
        paths = {name: f"{pattern.rstrip('/')}/{name}" for name in files_below(pattern)}
        yield from ((name, _state(path)) for name, path in paths.items() if is_remote(path) or os.path.isfile(path))
    else:
        yield from ((name, _state(name)) for name in match(pattern))


def _state(name: str) -> str:
    with told(name):
        if is_remote(name):
            return _marks(_info(name))
        status = os.stat(name)
        return f"{status.st_size}:{status.st_mtime_ns}"


def _marks(found: Mapping[str, object]) -> str:
    of_content = [mark for mark in _MARKS_OF_CONTENT if found.get(mark)]
    return ":".join(f"{mark}={found[mark]}" for mark in ("size", *(of_content or _MARKS)) if mark in found)


def _info(name: str) -> Mapping[str, object]:
    """What a storage says of a name; nothing where it has none of it."""
    system, path = file_system(name)
    try:
        found: Mapping[str, object] = system.info(path)
    except FileNotFoundError:
        return {}
    return found


def _is_on_web(url: str) -> bool:
    try:
        web.state(url)
    except web.MissingError:
        return False
    return True


def _glob(pattern: str) -> list[str]:
    if not is_remote(pattern):
        return sorted(filter(os.path.isfile, glob.glob(pattern, recursive=True)))
    system, path = file_system(pattern)
    with told(pattern):
        try:
            found = system.glob(path, detail=True)
        except FileNotFoundError:
            return []
        names = (name for name, entry in found.items() if entry["type"] == "file")
        return sorted(name if is_web(name) else str(system.unstrip_protocol(name)) for name in names)


class _RemoteFile(io.RawIOBase):
    """A file on a storage, of which parts are asked for as they are read."""

    def __init__(self, name: str, system: "AbstractFileSystem", path: str, size: int):
        self._name, self._system, self._path, self._size = name, system, path, size
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._position = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: Any) -> int:
        wanted = min(len(buffer), self._size - self._position)
        if wanted <= 0:
            return 0
        with told(self._name):
            data = self._system.cat_file(self._path, start=self._position, end=self._position + wanted)
        if len(data) != wanted:
            raise UserError(f"{without_secrets(self._name)} has changed while it was read; run again")
        buffer[:wanted] = data
        self._position += wanted
        return wanted
