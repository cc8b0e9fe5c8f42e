"""How the training of a framework is timed."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

WARM_UP_STEPS = 2

# Ways to train with PyTorch: as it comes; Adam for all weights in one call; the loss compiled too; or sparse gradients
# for the tables, whose Adam then moves the rows of the batch only.
EAGER, FUSED, COMPILED, SPARSE = "eager", "fused Adam", "compiled", "SparseAdam"


@dataclass(frozen=True)
class Setting:
    """One way to train with a framework: `way` is a name of its own, `batch_size` the rows of a step."""

    way: str
    batch_size: int

    def __str__(self) -> str:
        return f"{self.way}, batch {self.batch_size:,}"


def examples_per_second(step: Callable[[int], Any], batch_size: int, batches: int, seconds: float) -> float:
    """The rate of a training step, after some steps that are not measured: they compile.

    Args:
      step: trains on the batch at that position, and is done when it returns.
      batch_size: rows of it.
      batches: how many there are; they are taken in turn.
      seconds: for how long, at least.
    """
    for position in range(WARM_UP_STEPS):
        step(position % batches)
    start, steps = time.perf_counter(), 0
    while (elapsed := time.perf_counter() - start) < seconds:
        step((WARM_UP_STEPS + steps) % batches)
        steps += 1
    return steps * batch_size / elapsed
