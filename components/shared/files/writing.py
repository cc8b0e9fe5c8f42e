"""Writes files so that they are whole or not there, and removes them, on this machine or elsewhere."""

import contextlib
import os
import posixpath
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from typing import BinaryIO, cast

from components.shared.errors import UserError
from components.shared.files.faults import bucket_is_missing, told
from components.shared.files.places import bucket_of, expanded, file_system, is_remote, is_web
from components.shared.files.secrets import without_secrets


@contextlib.contextmanager
def write_atomically(name: str) -> Iterator[BinaryIO]:
    """Opens a file for writing so that it appears whole or not at all.

    Raises:
      UserError: the disk is full, or there may not be written; or the storage cannot be reached.
    """
    name = expanded(name)
    with told(name, "written"), _uploaded(name) if is_remote(name) else _renamed(name) as file:
        yield file


def make_dirs(folder: str) -> None:
    """Makes a folder and those above it, if they are not there; a storage of objects needs none."""
    if not is_remote(folder):
        os.makedirs(folder or ".", exist_ok=True)


def delete(names: Iterable[str]) -> None:
    """Deletes files and folders; it is no error where one is not there.

    Raises:
      UserError: one may not be deleted, or its storage cannot be reached.
    """
    for name in names:
        with told(name, "written"), contextlib.suppress(FileNotFoundError):
            if is_remote(name):
                system, path = file_system(name)
                system.rm(path, recursive=True)
            elif os.path.isdir(name):
                shutil.rmtree(name)
            else:
                os.remove(name)


def put(local: str, name: str) -> None:
    """Copies a file of this machine to a storage, where it appears whole or not at all.

    Raises:
      UserError: as `write_atomically`.
    """
    size = os.path.getsize(local)
    with told(name, "written"):
        system, path = file_system(name)
        system.put_file(local, path)
        if (arrived := int(system.info(path)["size"])) != size:
            system.rm_file(path)
            raise UserError(
                f"{without_secrets(name)} has {arrived:,} of {size:,} bytes after it was written; run again"
            )


def check_writable(folder: str, key: str) -> None:
    """Sees, in seconds, whether a folder on a storage can be written, by writing a file and removing it.

    Args:
      folder: the folder; one of this machine is passed over, as it is made when it is needed.
      key: what named it, for the message.

    Raises:
      UserError: it cannot.
    """
    if not is_remote(folder):
        return
    shown = without_secrets(folder)
    if is_web(folder):
        raise UserError(f"{key}: {shown} can only be read, as web addresses are; name gs://, s3:// or a path")
    trial = posixpath.join(folder, f".writable-{os.getpid()}")
    try:
        with write_atomically(trial):
            pass
        delete([trial])
    except UserError as error:
        check_bucket(folder, key)
        raise UserError(f"{key}: {error}") from error


def check_bucket(folder: str, key: str) -> None:
    """Sees whether a folder's storage has the bucket at all; whoever may not ask for it is not told.

    Args:
      folder: the folder; one of this machine, and none, are passed over.
      key: what named it, for the message.

    Raises:
      UserError: the storage says that there is no such bucket.
    """
    if is_remote(folder) and bucket_is_missing(folder):
        raise UserError(f"{key}: there is no bucket {bucket_of(folder)}; make it, or name another")


@contextlib.contextmanager
def _renamed(path: str) -> Iterator[BinaryIO]:
    temporary = f"{path}.writing"
    try:
        make_dirs(os.path.dirname(path))
        with open(temporary, "wb") as file:
            yield file
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.remove(temporary)
        raise


@contextlib.contextmanager
def _uploaded(name: str) -> Iterator[BinaryIO]:
    with tempfile.NamedTemporaryFile(prefix="neumf-upload-") as file:
        yield cast(BinaryIO, file)
        file.flush()
        put(file.name, name)
