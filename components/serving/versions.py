"""The versions of a push destination: folders below it whose names are numbers, the highest being the newest."""

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass

from components.serving.contract import SAVED_MODEL_FILE
from components.shared.errors import UserError
from components.shared.files.reading import is_file, names_in
from components.shared.files.secrets import without_secrets


@dataclass(frozen=True)
class Version:
    """A pushed model: the name of its version, and its folder."""

    name: str
    path: str


def versions_in(destination: str) -> Iterator[Version]:
    """The versions that are whole, that with the highest number first.

    A Pusher that was killed leaves a version without the file that it copies last.

    Raises:
      UserError: the folder cannot be read.
    """
    try:
        names = [name for name in names_in(destination) if name.isascii() and name.isdecimal()]
        for name in sorted(names, key=int, reverse=True):
            path = posixpath.join(destination, name)
            if is_whole(path):
                yield Version(name, path)
    except UserError as error:
        raise UserError(f"the push destination {without_secrets(destination)} cannot be read ({error})") from error


def newest_version(destination: str) -> Version | None:
    """The first of them; None where there is none.

    Raises:
      UserError: the folder cannot be read.
    """
    return next(versions_in(destination), None)


def is_whole(folder: str) -> bool:
    """Whether a folder holds a whole SavedModel."""
    return is_file(posixpath.join(folder, SAVED_MODEL_FILE))
