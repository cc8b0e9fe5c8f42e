"""Work on all the cores of a machine."""

import contextlib
import itertools
import math
import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

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
