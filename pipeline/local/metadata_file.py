"""The file of the metadata store, looked at before TFX opens it: whether it is whole, and which numbers come next."""

import contextlib
import itertools
import os
import posixpath
import sqlite3
from collections.abc import Iterator

from components.shared.errors import UserError, find_user_error, first_line
from components.shared.files.reading import is_folder, names_in
from pipeline.local.lineage import open_store

_UNWRITABLE = {
    "database or disk is full": "database or disk is full",
    "disk I/O error": "disk I/O error",
    "attempt to write a readonly database": "attempt to write a readonly database",
    "cannot commit - no transaction is active": "what was written was undone, as on a full disk",
}
"""What SQLite says of SQLITE_FULL, SQLITE_IOERR and SQLITE_READONLY (https://www.sqlite.org/rescode.html), and after
them, as it may undo what it could not write (https://www.sqlite.org/lang_transaction.html); beside it, what is told.
"""


def prepare(path: str, artifacts: str, repair: bool) -> str | None:
    """Has a metadata store at `path` that can be read, and that numbers executions past all that left a folder.

    The folders of artifacts are named by those numbers: where the store is another one than that which knew them, or an
    older copy of it, no execution may write into what is there.

    Args:
      path: the SQLite file; where there is none, it is made.
      artifacts: the folder of the artifacts, STEP/OUTPUT/NUMBER below it.
      repair: sets a damaged file aside, and begins a new one.

    Returns:
      Where a damaged file was put; None where there was none.

    Raises:
      UserError: the file is damaged, and not to be repaired.
    """
    aside = None
    if fault := find_fault(path):
        if not repair:
            raise UserError(
                f"{path} is damaged ({fault}); run again with --repair, which sets it aside and begins a new one: "
                "steps run again, artifacts and pushed models stay"
            )
        aside = _set_aside(path)
    with told(path):
        open_store(path)  # makes the tables, where there are none
        _number_from(path, _highest_number(artifacts))
    return aside


def find_fault(path: str) -> str | None:
    """What makes a file no database that can be read; None where it is one, or there is no file."""
    if not os.path.exists(path):
        return None
    try:
        with contextlib.closing(sqlite3.connect(path)) as store:
            (said,) = store.execute("PRAGMA quick_check(1)").fetchone()
            tables = {name for (name,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.DatabaseError as error:
        return first_line(error)
    if said != "ok":
        return first_line(said)
    return "it has tables of something else" if tables and "MLMDEnv" not in tables else None


def _set_aside(path: str) -> str:
    aside = next(name for name in _names(f"{path}.damaged") if not os.path.exists(name))
    os.rename(path, aside)
    for ending in ("-journal", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            os.rename(path + ending, aside + ending)
    return aside


def _names(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name}-{number}" for number in itertools.count(2))


def _highest_number(artifacts: str) -> int:
    outputs = (output for step in _folders_in(artifacts) for output in _folders_in(step))
    return max((int(name) for output in outputs for name in names_in(output) if name.isdecimal()), default=0)


def _folders_in(folder: str) -> Iterator[str]:
    return filter(is_folder, (posixpath.join(folder, name) for name in names_in(folder)))


def _number_from(path: str, number: int) -> None:
    """Has SQLite give executions numbers above `number` from now on."""
    with contextlib.closing(sqlite3.connect(path)) as store, store:
        (given,) = store.execute("SELECT max(seq) FROM sqlite_sequence WHERE name = 'Execution'").fetchone()
        if given is None:
            store.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('Execution', ?)", (number,))
        elif given < number:
            store.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = 'Execution'", (number,))


@contextlib.contextmanager
def told(path: str) -> Iterator[None]:
    """Tells as a `UserError` that the store cannot be written, whoever writes it: sqlite3, MLMD or TFX within Beam."""
    try:
        yield
    except Exception as error:
        # Beam raises an error of its own with the text of the first one, and MLMD has one kind for all.
        reason = next((told for said, told in _UNWRITABLE.items() if said in str(error)), None)
        if reason is None or find_user_error(error):
            raise
        raise UserError(f"cannot write {path}: {reason}; free some space, or choose another --root") from error
