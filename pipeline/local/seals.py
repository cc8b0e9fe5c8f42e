"""What an artifact consists of, written down when its step ends, so that the cache serves nothing that changed since.

`digests.json` in the artifact's folder has the size and the CRC-32C of each file; of one on a storage, what the storage
says of it, which changes with its content. Examples of training are gigabytes, and carry checksums of their own, which
are verified as they are read: of those, the time of change stands for the content, unless it differs.
"""

import json
import os
import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

import google_crc32c
from pydantic import TypeAdapter, ValidationError

from components.artifacts import storage
from components.artifacts.records import read_batches
from components.shared.errors import UserError
from components.shared.files.places import is_remote
from components.shared.files.reading import states_below
from components.shared.files.secrets import without_secrets

SEAL = "digests.json"
_CHECKS_ITSELF = ".tfrecord"
_BLOCK_BYTES = 4 << 20


@dataclass(frozen=True)
class Digest:
    """What a file was like.

    Attributes:
      size: in bytes.
      crc32c: of its content; None where `state` tells.
      state: its size and the time of its change, or what else its storage says of it; None where `crc32c` tells, so
        that the same content has the same digest.
    """

    size: int
    crc32c: int | None
    state: str | None


def seal(uri: str) -> None:
    """Writes down what an artifact consists of.

    Raises:
      UserError: the disk is full, or the folder cannot be written.
    """
    digests = {name: _digest(uri, name, state) for name, state in _files(uri).items()}
    storage.write_json(posixpath.join(uri, SEAL), {name: asdict(digest) for name, digest in digests.items()})


def unseal(uri: str) -> None:
    """Has an artifact count as damaged from now on."""
    storage.delete([posixpath.join(uri, SEAL)])


def find_fault(uri: str, thorough: bool = False) -> str | None:
    """What of an artifact is not as it was written, in a sentence; None where all is.

    Args:
      uri: the artifact's.
      thorough: also reads the files that carry checksums of their own.
    """
    try:
        sealed = _read(uri)
    except ValueError:
        return f"{without_secrets(posixpath.join(uri, SEAL))} cannot be read"
    found = _files(uri)
    for name in sorted(sealed.keys() | {name for name in found if not _is_hidden(name)}):
        if fault := _fault(uri, name, sealed.get(name), found.get(name), thorough):
            return f"{without_secrets(posixpath.join(uri, name))} {fault}"
    return None


def find_fault_of_copy(uri: str, copy: str) -> str | None:
    """What of a copy of an artifact is not as the artifact was; the copy may have files of its own.

    Raises:
      ValueError: the artifact is not sealed.
    """
    found = _files(copy)
    for name, digest in sorted(_read(uri).items()):
        if fault := _fault_of_copy(copy, name, digest, found.get(name)):
            return f"{without_secrets(posixpath.join(copy, name))} {fault}"
    return None


def _fault_of_copy(copy: str, name: str, sealed: Digest, state: str | None) -> str | None:
    if state is None:
        return "is not there any more"
    alike = is_remote(copy) or sealed.crc32c is None or _crc32c(posixpath.join(copy, name)) == sealed.crc32c
    return None if _size(state) == sealed.size and alike else "has changed"


def _read(uri: str) -> Mapping[str, Digest]:
    if not storage.exists(posixpath.join(uri, SEAL)):
        raise ValueError("it is not there")
    try:
        return TypeAdapter(dict[str, Digest]).validate_python(storage.read_json(posixpath.join(uri, SEAL)))
    except (ValidationError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(str(error)) from error


def _files(uri: str) -> dict[str, str]:
    return {name: state for name, state in states_below(uri).items() if name != SEAL}


def _digest(uri: str, name: str, state: str) -> Digest:
    if is_remote(uri) or name.endswith(_CHECKS_ITSELF):
        return Digest(_size(state), None, state)
    return Digest(_size(state), _crc32c(posixpath.join(uri, name)), None)


def _fault(uri: str, name: str, sealed: Digest | None, state: str | None, thorough: bool) -> str | None:
    if sealed is None:
        return "is none of the artifact's files"
    if state is None:
        return "is not there any more"
    if _size(state) != sealed.size:
        return f"has {_size(state):,} bytes instead of {sealed.size:,}"
    if sealed.crc32c is not None:
        return None if _crc32c(posixpath.join(uri, name)) == sealed.crc32c else "has changed"
    if is_remote(uri):
        return None if state == sealed.state else "has changed"
    if state == sealed.state and not thorough:
        return None
    return None if _is_sound(posixpath.join(uri, name)) else "has changed"


def _is_sound(path: str) -> bool:
    try:
        for _ in read_batches(path):
            pass
    except UserError:
        return False
    return True


def _crc32c(path: str) -> int:
    with open(path, "rb") as file:
        checksum = 0
        for block in _blocks(file.fileno()):
            checksum = google_crc32c.extend(checksum, block)
    return checksum


def _blocks(descriptor: int) -> Iterator[bytes]:
    while block := os.read(descriptor, _BLOCK_BYTES):
        yield block


def _size(state: str) -> int:
    return int(state.partition(":")[0].removeprefix("size="))


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))
