"""What a machine can do, found within a second: a loop that waits for memory, and a matrix product, on all cores."""

import os
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_info

from components.shared.memory import memory_bytes
from components.shared.parallel import cores

_TABLE, _READS = 1 << 22, 1 << 20
_SIZE = 1024
_SECONDS = 0.2  # for each of both
_MOST_CORES = 8  # how the steps gain from more has not been measured
_MEMORY = Path("/proc/meminfo")


@dataclass(frozen=True)
class Speed:
    """How long fixed work takes.

    Attributes:
      loop: seconds for a million reads from anywhere in a table of 32 MB, by all cores.
      product: seconds for a product of two matrices of 1,024 x 1,024, float32, likewise.
    """

    loop: float
    product: float


@dataclass(frozen=True)
class Machine:
    """What there is to run on.

    Attributes:
      speed: of its cores.
      cores: how many a process may use.
      memory_gb: that is free, in GB of 10^9 bytes.
      disk_gb: that is free where the run keeps its files; None where that is not on this machine.
    """

    speed: Speed
    cores: int
    memory_gb: float
    disk_gb: float | None


def probe(root: Path | None) -> Machine:
    """Measures this machine.

    Args:
      root: the folder that keeps the run, which need not be there yet; None: it is on a storage.
    """
    return Machine(measure_speed(), cores(), free_memory_gb(), None if root is None else free_disk_gb(root))


def measure_speed() -> Speed:
    """The best of what a fraction of a second has room for, as it is with nothing else at work."""
    return Speed(_loop(), _product())


def _loop() -> float:
    random = np.random.default_rng(0)
    table, places = np.zeros(_TABLE), random.integers(_TABLE, size=_READS)
    threads = min(cores(), _MOST_CORES)
    targets = [np.empty(_READS) for _ in range(threads)]

    with ThreadPoolExecutor(threads) as pool:

        def read() -> None:
            list(pool.map(lambda target: np.take(table, places, out=target, mode="clip"), targets))

        return _shortest(read) / threads**2


def _product() -> float:
    matrix = np.random.default_rng(0).standard_normal((_SIZE, _SIZE), dtype=np.float32)
    target = np.empty_like(matrix)
    threads = max((pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"), default=1)
    return _shortest(lambda: np.matmul(matrix, matrix, out=target)) / threads


def _shortest(work: Callable[[], Any]) -> float:
    """Seconds that the threads worked, all together; the clock's depend on what else the machine does."""
    work()
    end, shortest = time.perf_counter() + _SECONDS, float("inf")
    while time.perf_counter() < end or shortest == float("inf"):
        start = time.process_time()
        work()
        shortest = min(shortest, time.process_time() - start)
    return shortest


def free_memory_gb(description: Path = _MEMORY) -> float:
    """GB of memory that can be had: what Linux calls available, and no more than a container's limit."""
    try:
        lines = dict(line.split(":", 1) for line in description.read_text().splitlines())
        available = int(lines["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):  # another system
        available = memory_bytes()
    return min(available, memory_bytes()) / 1e9


def free_disk_gb(root: Path) -> float:
    """GB that are free on the disk of a folder, which need not be there yet."""
    there = next(folder for folder in (root.absolute(), *root.absolute().parents) if os.path.isdir(folder))
    return shutil.disk_usage(there).free / 1e9
