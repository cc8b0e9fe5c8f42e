"""Processes that train, each on its share of the cores, and what passes between them and the one that chooses.

This module imports no TensorFlow: a worker must be on its cores before anything makes threads.
"""

import contextlib
import logging
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing import connection
from multiprocessing.context import SpawnProcess
from types import TracebackType
from typing import Any, Self, TypeAlias

from components.shared import children
from components.shared.errors import UserError, first_line
from components.shared.parallel import cores

_SECONDS_TO_DIE = 10.0


@dataclass(frozen=True)
class Job:
    """What all trials have in common.

    Attributes:
      examples: URI of the examples that they are trained on.
      interactions: URI of the interactions that the examples were made from.
      device: `trainer.device`.
      seed: the run's seed.
      folder: for the trials' checkpoints and TensorBoard's logs.
      workers: how many processes train at once.
    """

    examples: str
    interactions: str
    device: str
    seed: int
    folder: str
    workers: int = 1


@dataclass(frozen=True)
class Task:
    """A training to be done: its number, and the section `trainer` as JSON has it."""

    number: int
    config: Mapping[str, Any]


@dataclass(frozen=True)
class Epochs:
    """A training has come to the end of an epoch: the metric on validation after each so far. It wants an answer."""

    number: int
    values: Sequence[float]


@dataclass(frozen=True)
class Done:
    """A training has ended, by itself or as it was told to: the metric on validation after each of its epochs."""

    number: int
    values: Sequence[float]


@dataclass(frozen=True)
class Failed:
    """A training has failed, and why."""

    number: int
    reason: str


@dataclass(frozen=True)
class Broken:
    """No training can be done at all, and why."""

    reason: str


Event: TypeAlias = Epochs | Done | Failed
Seen: TypeAlias = Callable[[Sequence[float]], bool]
"""Takes the metric after each epoch so far, and says whether to go on."""
Run: TypeAlias = Callable[[Task, Seen], Sequence[float]]
"""Does a training; the metric after each of its epochs."""


@dataclass
class _Worker:
    """A process, the line to it, its cores (none: all of them), and what it works on."""

    process: SpawnProcess
    line: "connection.Connection[Any, Any]"
    cores: Sequence[int]
    number: int | None = field(default=None)


class Workers:
    """The processes, for as long as the context lasts; whatever they are at when it ends, they leave."""

    def __init__(self, job: Job):
        """Starts nothing yet.

        Raises:
          UserError: there are more of them than cores.
        """
        self._job = job
        self._shares = share_cores(job.workers)
        self._workers: list[_Worker] = []

    def __enter__(self) -> Self:
        self._workers = [self._start(share) for share in self._shares]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.process.terminate()
        for worker in self._workers:
            worker.process.join(_SECONDS_TO_DIE)
            worker.process.kill()

    @property
    def idle(self) -> bool:
        """Whether one of them has nothing to do."""
        return any(worker.number is None for worker in self._workers)

    @property
    def busy(self) -> bool:
        """Whether one of them is at work."""
        return any(worker.number is not None for worker in self._workers)

    def give(self, task: Task) -> None:
        """Has an idle one do a training."""
        worker = next(worker for worker in self._workers if worker.number is None)
        worker.number = task.number
        # One that died while it was idle is found out by `events`.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            worker.line.send(task)

    def answer(self, number: int, go_on: bool) -> None:
        """Tells the one that does this training whether to go on."""
        worker = next(worker for worker in self._workers if worker.number == number)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            worker.line.send(go_on)

    def events(self, timeout: float) -> list[Event]:
        """What has happened, at the latest after so many seconds.

        Raises:
          UserError: no training can be done at all.
        """
        ready = connection.wait([worker.line for worker in self._workers], timeout)
        found = [self._event(worker) for worker in self._workers if worker.line in ready]
        return [event for event in found if event is not None]

    def _event(self, worker: _Worker) -> Event | None:
        try:
            event: Event | Broken = worker.line.recv()
        except (EOFError, ConnectionResetError):
            return self._replace(worker)
        if isinstance(event, Broken):
            raise UserError(event.reason)
        if not isinstance(event, Epochs):
            worker.number = None
        return event

    def _replace(self, dead: _Worker) -> Failed | None:
        """Starts another worker in the place of one that is gone; what became of its training."""
        dead.process.join()
        self._workers[self._workers.index(dead)] = self._start(dead.cores)
        return None if dead.number is None else Failed(dead.number, children.last_words(dead.process.exitcode or 0))

    def _start(self, share: Sequence[int]) -> _Worker:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, self._job), daemon=True)
        with _on_cores(share):
            process.start()
        theirs.close()
        return _Worker(process, ours, share)


def share_cores(workers: int) -> list[list[int]]:
    """The numbers of the cores that each worker gets; none where one has all of them.

    Raises:
      UserError: there are more workers than cores.
    """
    if workers == 1:
        return [[]]
    number = cores()
    if workers > number or not hasattr(os, "sched_getaffinity"):
        raise UserError(f"--workers {workers}: each needs a core, and there are {number:,} here; set fewer")
    usable = sorted(os.sched_getaffinity(0))[:number]
    return [usable[first * number // workers : (first + 1) * number // workers] for first in range(workers)]


@contextlib.contextmanager
def _on_cores(share: Sequence[int]) -> Iterator[None]:
    """Has this thread, and with it a process that it starts, run on these cores for a while."""
    if not share:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, share)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _serve(line: "connection.Connection[Any, Any]", job: Job) -> None:
    """A worker's life: training after training, until nobody asks for one any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all of a terminal's processes; the first one decides
    children.end_with_parent()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    from components.trainer.tuning.trial import Bench

    try:
        bench = Bench(job)
    except UserError as error:
        line.send(Broken(str(error)))
        return
    with contextlib.suppress(EOFError):
        while True:
            line.send(_work(bench.run, line.recv(), line))


def _work(run: Run, task: Task, line: "connection.Connection[Any, Any]") -> Done | Failed:
    def seen(values: Sequence[float]) -> bool:
        line.send(Epochs(task.number, values))
        return bool(line.recv())

    try:
        return Done(task.number, run(task, seen))
    except UserError as error:
        return Failed(task.number, str(error))
    except Exception as error:
        logging.getLogger(__name__).exception("trial %d failed", task.number)
        return Failed(task.number, f"{type(error).__name__}: {first_line(error)}")
