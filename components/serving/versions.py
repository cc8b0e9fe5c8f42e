"""The versions of a push destination: folders below it whose names are numbers, the highest being the newest."""

import posixpath
import random
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from components.serving.contract import SAVED_MODEL_FILE
from components.shared.errors import UserError
from components.shared.files.folders import UNFINISHED, copy_at_once, one_at_a_time
from components.shared.files.places import is_remote
from components.shared.files.reading import is_file, names_in
from components.shared.files.secrets import without_secrets
from components.shared.files.writing import delete, write_atomically

_ABANDONED_SECONDS = 24 * 60 * 60
"""After so long, nobody is still pushing to a storage."""


@dataclass(frozen=True)
class Version:
    """A pushed model: the name of its version, and its folder."""

    name: str
    path: str


def newest_version(destination: str) -> Version | None:
    """The version with the highest number that is whole; None where there is none.

    Raises:
      UserError: the folder cannot be read.
    """
    return next(whole_versions(destination), None)


def whole_versions(destination: str) -> Iterator[Version]:
    """The versions that are whole, as far as their files' names say, the newest first.

    Raises:
      UserError: the folder cannot be read.
    """
    try:
        for number in sorted(_numbers(destination), key=int, reverse=True):
            path = posixpath.join(destination, number)
            if is_whole(path):
                yield Version(number, path)
    except UserError as error:
        raise UserError(f"the push destination {without_secrets(destination)} cannot be read ({error})") from error


def is_whole(folder: str) -> bool:
    """Whether a folder holds a whole SavedModel."""
    return is_file(posixpath.join(folder, SAVED_MODEL_FILE))


def add_version(model: str, destination: str, finish: Callable[[str], None] | None = None) -> Version:
    """Copies a SavedModel into a push destination as its newest version, whole or not at all.

    It is named by the time, in seconds; where there is such a version or a later one, by the next number. On this
    machine, one push waits for another, so that what lies there unfinished is of one that was killed, and is removed.

    Args:
      model: a folder of this machine.
      destination: the folder of the versions, on this machine or elsewhere.
      finish: writes what is not of the model into the folder that it is given, such as a manifest.

    Raises:
      UserError: the disk is full, or the destination cannot be written; then nothing is left there.
    """
    if is_remote(destination):
        _remove_unfinished(destination, before=int(time.time()) - _ABANDONED_SECONDS)
        version = _version(destination, _claimed(destination))
        copy_at_once(model, version.path, last=SAVED_MODEL_FILE, finish=finish)
        return version
    with one_at_a_time(destination):
        _remove_unfinished(destination)
        version = _version(destination, _next_number(destination))
        copy_at_once(model, version.path, last=SAVED_MODEL_FILE, finish=finish)
    return version


def _version(destination: str, number: int) -> Version:
    return Version(str(number), posixpath.join(destination, str(number)))


def _numbers(destination: str) -> list[str]:
    return [name for name in names_in(destination) if _is_number(name)]


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdecimal()


def _next_number(destination: str) -> int:
    # Whatever the clock says, what is pushed last is the newest.
    return max([int(time.time()), *(int(name) + 1 for name in _numbers(destination))])


def _claimed(destination: str) -> int:
    """A number that nobody else pushes to, on a storage, which knows no locks: whoever is not alone takes another."""
    number = _next_number(destination)
    while True:
        staging, claim = posixpath.join(destination, f"{number}{UNFINISHED}"), f"claim-{uuid.uuid4().hex}"
        with write_atomically(posixpath.join(staging, claim)):
            pass
        if names_in(staging) == [claim] and str(number) not in _numbers(destination):
            return number
        delete([posixpath.join(staging, claim)])
        number += random.randint(1, 9)


def _remove_unfinished(destination: str, before: int | None = None) -> None:
    """Removes what pushes left that were killed.

    Args:
      destination: the folder of the versions.
      before: of those alone that began before that time, in seconds; None: of all.
    """
    unfinished = [name for name in names_in(destination) if name.endswith(UNFINISHED)]
    numbers = {name: name.removesuffix(UNFINISHED) for name in unfinished}
    delete(
        posixpath.join(destination, name)
        for name, number in numbers.items()
        if _is_number(number) and (before is None or int(number) < before)
    )
