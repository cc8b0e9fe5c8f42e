"""The machine: its CPU, and what it can do at most: large matrix products and large copies."""

import platform
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from components.shared.parallel import cores

_SIZE = 2048
_COPIED_BYTES = 1 << 28
_REPEATS = 8


_INSTRUCTIONS = {"avx": "AVX", "avx2": "AVX2", "fma": "FMA", "avx512f": "AVX-512", "amx_tile": "AMX"}


@dataclass(frozen=True)
class Cpu:
    """The machine's CPU.

    Attributes:
      name: as the system calls it.
      cores: how many of it a process may use.
      instructions: the sets of vector instructions that it has, of those that matter here.
    """

    name: str
    cores: int
    instructions: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.cores} {'core' if self.cores == 1 else 'cores'} of {self.name} ({', '.join(self.instructions)})"


def cpu(description: Path = Path("/proc/cpuinfo")) -> Cpu:
    """The CPU, as Linux describes it; elsewhere, as Python names it.

    Args:
      description: Linux's file.
    """
    try:
        lines = description.read_text().splitlines()
    except OSError:
        lines = []
    of_first = {key.strip(): value.strip() for key, _, value in reversed([line.partition(":") for line in lines])}
    flags = set(of_first.get("flags", "").split())
    instructions = tuple(name for flag, name in _INSTRUCTIONS.items() if flag in flags)
    return Cpu(of_first.get("model name") or platform.processor() or platform.machine(), cores(), instructions)


@dataclass(frozen=True)
class Peaks:
    """The limits, on all cores.

    Attributes:
      flops: floating-point operations a second of a large matrix product in float32.
      bytes: bytes a second of a large copy, those read and those written, as STREAM counts them.
    """

    flops: float
    bytes: float


def numpy_peaks() -> Peaks:
    """Measured with NumPy."""
    matrix = np.random.default_rng(0).standard_normal((_SIZE, _SIZE), dtype=np.float32)
    out = np.empty_like(matrix)
    return Peaks(product_speed(lambda: np.matmul(matrix, matrix, out=out), _SIZE), copy_speed())


def product_speed(product: Callable[[], Any], size: int, repeats: int = _REPEATS) -> float:
    """Floating-point operations a second of `product`, which multiplies two square matrices; the best of `repeats`."""
    return 2 * size**3 / shortest(product, repeats)


def copy_speed() -> float:
    """Bytes a second, read and written, of copying an array that fits no cache, in a thread on each core."""
    source = np.ones(_COPIED_BYTES // 4, np.float32)
    target = np.zeros_like(source)
    parts = list(zip(np.array_split(target, cores()), np.array_split(source, cores()), strict=True))
    with ThreadPoolExecutor(cores()) as pool:
        return 2 * source.nbytes / shortest(lambda: list(pool.map(lambda part: np.copyto(*part), parts)))


def shortest(function: Callable[[], Any], repeats: int = _REPEATS) -> float:
    """Seconds of the fastest of some calls, after one that is not measured."""
    function()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return min(seconds)
