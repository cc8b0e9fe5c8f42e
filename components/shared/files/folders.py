"""Whole folders, for what only reads and writes files of this machine, as TensorFlow does with models."""

import contextlib
import fcntl
import functools
import os
import posixpath
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence

from components.shared.errors import UserError
from components.shared.files.faults import told
from components.shared.files.places import expanded, file_system, is_remote, is_web
from components.shared.files.reading import files_below, fingerprint_of, open_file, size_of
from components.shared.files.secrets import without_secrets
from components.shared.files.web import kept_while_running
from components.shared.files.writing import delete, make_dirs, put, write_atomically

UNFINISHED = ".writing"
"""How the name of a folder ends that is not whole yet."""


@contextlib.contextmanager
def on_this_machine(folder: str) -> Iterator[str]:
    """A folder of this machine with the files of another: the same one, or a copy that is gone afterwards.

    Raises:
      UserError: it cannot be read.
    """
    folder = expanded(folder)
    if not is_remote(folder):
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="neumf-copy-") as copy:
        for name in files_below(folder):
            fetch(posixpath.join(folder, name), os.path.join(copy, name))
        yield copy


def local_file(name: str) -> str:
    """A file of this machine with the same content: the same one, or a copy that is gone when the program ends.

    Raises:
      UserError: it cannot be read.
    """
    return _kept(name, fingerprint_of([name])) if is_remote(name) else expanded(name)


@functools.cache
def _kept(name: str, state: str) -> str:
    local = os.path.join(tempfile.mkdtemp(dir=kept_while_running()), posixpath.basename(name))
    fetch(name, local)
    return local


def fetch(name: str, local: str) -> None:
    """Copies a file to this machine, and sees that all of it arrives.

    Raises:
      UserError: it cannot be read.
    """
    os.makedirs(os.path.dirname(local), exist_ok=True)
    if is_web(name) or not is_remote(name):
        with open_file(name) as file, open(local, "wb") as there:
            shutil.copyfileobj(file, there, 1 << 22)
        return
    expected = size_of(name)
    with told(name):
        system, path = file_system(name)
        system.get_file(path, local)
    if (arrived := os.path.getsize(local)) != expected:
        raise UserError(f"{without_secrets(name)} was cut short at {arrived:,} of {expected:,} bytes; run again")


@contextlib.contextmanager
def written_at_once(folder: str, last: str) -> Iterator[str]:
    """A folder of this machine to be filled, whose files then take the place of those of `folder`.

    On this machine it appears in one step. On a storage of objects its files appear one by one; that which makes it
    whole does so last.

    Args:
      folder: where they go.
      last: name of the file that makes it whole.

    Raises:
      UserError: as `write_atomically`.
    """
    folder = expanded(folder).rstrip("/")
    if is_remote(folder):
        with tempfile.TemporaryDirectory(prefix="neumf-upload-") as temporary:
            yield temporary
            delete([folder])
            copy(temporary, folder, last)
        return
    temporary = f"{folder}{UNFINISHED}"
    try:
        delete([temporary])
        os.makedirs(temporary)
        yield temporary
        delete([folder])
        os.rename(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def copy(source: str, folder: str, last: str) -> None:
    """Copies all files of a folder into another one; that which makes it whole comes last.

    Args:
      source: where they are; not on a storage where `folder` is on one.
      folder: where they go.
      last: name of the file that makes it whole, if it is there.

    Raises:
      UserError: a file cannot be read or written.
    """
    for name in _with_last(files_below(source), last):
        copy_file(posixpath.join(source, name), posixpath.join(folder, name))


def copy_at_once(source: str, folder: str, last: str, finish: Callable[[str], None] | None = None) -> None:
    """Copies a folder of this machine under another name first, so that nobody takes a part of it for the whole.

    On this machine it appears in one step, and on the disk itself before: a machine that loses power then keeps all of
    it or nothing. On a storage of objects, copies within the storage do what is left; that
    which makes it whole comes last.

    Args:
      source: where the files are.
      folder: where they go, on this machine or elsewhere.
      last: name of the file that makes it whole.
      finish: writes more into the folder that it is given, before it is whole.

    Raises:
      UserError: as `write_atomically`.
    """
    finish = finish or (lambda _: None)
    if not is_remote(folder):
        with written_at_once(folder, last) as temporary:
            copy(source, temporary, last)
            finish(temporary)
            sync(temporary)
        sync(posixpath.dirname(folder), below=False)
        return
    staging = f"{folder}{UNFINISHED}"
    copy(source, staging, last)
    finish(folder)
    system, path = file_system(folder)
    with told(folder, "written"):
        for name in _with_last(files_below(source), last):
            system.cp_file(posixpath.join(f"{path}{UNFINISHED}", name), posixpath.join(path, name))
    delete([staging])


def sync(folder: str, below: bool = True) -> None:
    """Has a folder of this machine, and all that is in it, on the disk itself before it returns.

    Args:
      folder: the folder.
      below: whether also what is in it.

    Raises:
      UserError: the disk is full or fails, which it may say only now.
    """
    with told(folder, "written"):
        for name in files_below(folder) if below else ():
            _sync(os.path.join(folder, name))
        for at in [at for at, _, _ in os.walk(folder)] if below else [folder]:
            _sync(at)


def _sync(path: str) -> None:
    descriptor = os.open(path or ".", os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def one_at_a_time(folder: str) -> Iterator[None]:
    """Holds a folder of this machine, which is made where it is not there; whoever else asks for it waits.

    The lock is the system's own, on the folder itself: it goes with the process, however that ends.

    Raises:
      UserError: the folder cannot be written.
    """
    with told(folder, "written"):
        make_dirs(folder)
        held = os.open(folder or ".", os.O_RDONLY)
    try:
        with told(folder, "written"):
            fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def copy_file(source: str, name: str) -> None:
    """Copies a file, which appears whole or not at all.

    Raises:
      UserError: it cannot be read or written.
    """
    if is_remote(name) and not is_remote(source):
        put(source, name)
        return
    with open_file(source) as read, write_atomically(name) as file:
        shutil.copyfileobj(read, file, 1 << 22)


def _with_last(names: Sequence[str], last: str) -> list[str]:
    return sorted(names, key=lambda name: (name == last, name))
