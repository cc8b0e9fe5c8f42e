"""The files of training epochs, written by another process while training goes on, a few epochs ahead of it.

A pipe leads from one to the other: through it comes leave to write an epoch, and goes word that its files are whole. So
neither has to look for files, and each finds out at once when the other is gone.
"""

import contextlib
import multiprocessing
import signal
from collections.abc import Generator, Sequence
from multiprocessing import connection
from multiprocessing.context import SpawnProcess
from typing import Any

from components.artifacts.examples import list_training_files
from components.artifacts.storage import delete
from components.sampling.sampler import Sampler
from components.sampling.stream import FILES_AHEAD
from components.sampling.training_files import LeftOver, write_file, write_pool
from components.shared import children
from components.shared.errors import UserError, first_line
from components.shared.parallel import map_ahead


def written_ahead(sampler: Sampler, folder: str, epochs: Sequence[int], number: int) -> Generator[int, None, None]:
    """Has the files of some epochs written into a folder, as NegativeGen writes them into its artifact.

    To be closed where it is not exhausted; that ends the process.

    Args:
      sampler: of the rows.
      folder: of this training alone. What an earlier one left there is deleted first, and at the end all of it.
      epochs: which ones, from 0 on.
      number: how many epochs are written ahead of the one that is read, so that at most one more take disk at once. A
        pipe holds some 200 words that nobody has read yet: at most 100.

    Yields:
      Each epoch once its files are whole. They are deleted when the next one is asked for.

    Raises:
      UserError: while iterating, why the process could not go on.
    """
    delete([folder])
    context = multiprocessing.get_context("spawn")
    line, theirs = context.Pipe()
    process = context.Process(target=_write, args=(theirs, sampler, folder, list(epochs)), daemon=True)
    process.start()
    theirs.close()
    try:
        for _ in epochs[: 1 + number]:
            _give_leave(line)
        for epoch in epochs:
            _wait(line, process)
            yield epoch
            delete(list_training_files(folder, epoch))
            _give_leave(line)
    finally:
        process.kill()
        process.join()
        line.close()
        delete([folder])


def _give_leave(line: "connection.Connection[Any, Any]") -> None:
    # One that has ended is found out by `_wait`, or has written all.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        line.send(None)


def _wait(line: "connection.Connection[Any, Any]", process: SpawnProcess) -> None:
    """Returns when the next epoch is whole."""
    try:
        error: UserError | None = line.recv()
    except (EOFError, ConnectionResetError):
        process.join()
        error = _not_written(children.last_words(process.exitcode or 0))
    if error is not None:
        raise error


def _not_written(reason: str) -> UserError:
    return UserError(f"training rows could not be written ahead: {reason}; run again to go on after the last epoch")


def _write(line: "connection.Connection[Any, Any]", sampler: Sampler, folder: str, epochs: Sequence[int]) -> None:
    """The life of the process that writes: epoch after epoch, each when it has leave to."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all of a terminal's processes; the trainer decides
    children.end_with_parent()
    try:
        for epoch in epochs:
            line.recv()
            _write_epoch(sampler, folder, epoch)
            line.send(None)
    except UserError as error:
        line.send(error)
    except Exception as error:
        line.send(_not_written(f"{type(error).__name__}: {first_line(error)}"))
        raise


def _write_epoch(sampler: Sampler, folder: str, epoch: int) -> None:
    def write(file: int) -> LeftOver:
        return write_file(sampler, folder, epoch, file)[1]

    with contextlib.closing(map_ahead(write, range(sampler.files), FILES_AHEAD)) as left_over:
        write_pool(sampler, folder, epoch, left_over)
