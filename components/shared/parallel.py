"""Beam on all the cores of a worker."""

import contextlib
import itertools
import math
import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any, TypeVar

import apache_beam as beam
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.windowed_value import WindowedValue

_QUOTA = Path("/sys/fs/cgroup/cpu.max")

_Argument = TypeVar("_Argument")
_Element = TypeVar("_Element")


def cores() -> int:
    """The number of cores that this process may use: no more than a container's quota, where there is one."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.ceil(min(available, _quota(_QUOTA))))


def _quota(path: Path) -> float:
    """What `cpu.max` of control groups, version 2, allows, in cores; infinity where there is no limit."""
    try:
        quota, period = path.read_text().split()
        return math.inf if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError):
        return math.inf


def ahead(elements: Iterator[_Element], number: int) -> Generator[_Element, None, None]:
    """The same elements, up to `number` of them made in advance by another thread."""
    end = object()
    made = _made_ahead(lambda _: next(elements, end), itertools.repeat(None), number, threads=1)
    with contextlib.closing(made):
        for element in made:
            if element is end:
                return
            yield element  # type: ignore[misc]


def map_ahead(
    function: Callable[[_Argument], _Element], arguments: Iterable[_Argument], number: int
) -> Generator[_Element, None, None]:
    """The function's values in the order of its arguments, up to `number` of them made in advance, each by a thread.

    To be closed where it is not exhausted; that waits for the calls that have begun, and no others begin.
    """
    return _made_ahead(function, arguments, number, threads=number)


def _made_ahead(
    function: Callable[[_Argument], _Element], arguments: Iterable[_Argument], number: int, threads: int
) -> Generator[_Element, None, None]:
    remaining = iter(arguments)
    pool = ThreadPoolExecutor(threads)
    try:
        made = deque(pool.submit(function, argument) for argument in itertools.islice(remaining, number))
        while made:
            value = made.popleft().result()
            made.extend(pool.submit(function, argument) for argument in itertools.islice(remaining, 1))
            yield value
    finally:
        pool.shutdown(cancel_futures=True)


class ThreadedFlatMap(beam.DoFn):
    """`FlatMap` of a function on large array batches, on several threads of the worker.

    Beam's in-memory runner hands one element at a time to one thread. The functions here spend their time in code
    that releases the interpreter lock (NumPy, Arrow, Numba), so a pool of threads makes use of the other cores. At
    most `threads` elements are in work at once, which bounds the memory. For global windows only.
    """

    def __init__(self, function: Callable[..., Iterable[Any]], threads: int = 0):
        """Wraps `function(element, *side_inputs)`; `threads` 0 takes as many as there are cores."""
        self._function = function
        self._threads = threads

    def setup(self) -> None:
        self._pool = ThreadPoolExecutor(self._threads or cores())
        self._running: deque[Future[list[Any]]] = deque()

    def process(self, element: Any, *side_inputs: Any) -> Iterator[Any]:
        # As many again wait in the queue, so that no thread idles while the first of them is still at work.
        if len(self._running) >= 2 * self._pool._max_workers:
            yield from self._wait_for_first()
        self._running.append(self._pool.submit(self._call, element, side_inputs))

    def finish_bundle(self) -> Iterator[WindowedValue]:
        window = GlobalWindow()
        while self._running:
            for value in self._wait_for_first():
                yield WindowedValue(value, window.max_timestamp(), [window])

    def _wait_for_first(self) -> list[Any]:
        try:
            return self._running.popleft().result()
        except BaseException:
            # Whoever cleans up after the failure must find nobody at work.
            wait(self._running)
            self._running.clear()
            raise

    def teardown(self) -> None:
        self._pool.shutdown(cancel_futures=True)

    def _call(self, element: Any, side_inputs: tuple[Any, ...]) -> list[Any]:
        return list(self._function(element, *side_inputs))
