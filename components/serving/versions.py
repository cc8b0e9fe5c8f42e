"""The versions of a push destination: folders below it whose names are numbers, the highest being the newest."""

import posixpath
from dataclasses import dataclass

import tensorflow as tf

from components.serving.contract import SAVED_MODEL_FILE
from components.shared.errors import UserError


@dataclass(frozen=True)
class Version:
    """A pushed model: the name of its version, and its folder."""

    name: str
    path: str


def newest_version(destination: str) -> Version | None:
    """The version with the highest number that is whole; None where there is none.

    A Pusher that was killed leaves a version without the file that it copies last.

    Raises:
      UserError: the folder cannot be read.
    """
    try:
        if not tf.io.gfile.exists(destination):
            return None
        # Folders of object stores are listed with a slash at the end.
        names = [name.rstrip("/") for name in tf.io.gfile.listdir(destination)]
        for name in sorted((name for name in names if name.isascii() and name.isdecimal()), key=int, reverse=True):
            path = posixpath.join(destination, name)
            if is_whole(path):
                return Version(name, path)
    except tf.errors.OpError as error:
        raise UserError(f"the push destination {destination} cannot be read ({error.message})") from error
    return None


def is_whole(folder: str) -> bool:
    """Whether a folder holds a whole SavedModel."""
    return bool(tf.io.gfile.exists(posixpath.join(folder, SAVED_MODEL_FILE)))
