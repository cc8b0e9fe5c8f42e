"""What figures are: how much time, memory and disk goes with each amount of `work`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from pipeline.estimating.machine import Speed

Terms: TypeAlias = Mapping[str, float]
"""What one of each amount takes, by its name in `work.amounts`."""

_OF_PRODUCTS = "gflop"


@dataclass(frozen=True)
class Part:
    """What a part of a run takes.

    Attributes:
      seconds: on the machine of the figures.
      memory_gb: at its peak, besides what the program has in memory anyway.
      disk_gb: what it leaves.
    """

    seconds: Terms
    memory_gb: Terms = field(default_factory=dict)
    disk_gb: Terms = field(default_factory=dict)


@dataclass(frozen=True)
class Figures:
    """What was measured on one machine.

    Attributes:
      cpu: the machine's, in words.
      speed: its speed, by the same probe.
      program_gb: memory of the program itself: TensorFlow, TFX and Beam.
      parts: of a run, by name.
    """

    cpu: str
    speed: Speed
    program_gb: float
    parts: Mapping[str, Part]

    def seconds(self, part: str, amounts: Mapping[str, float], speed: Speed) -> float:
        """What a part takes on a machine of another speed: products by that of products, the rest by that of loops."""
        ratios = {True: speed.product / self.speed.product, False: speed.loop / self.speed.loop}
        terms = self.parts[part].seconds if part in self.parts else {}
        return sum(each * amounts[name] * ratios[name.endswith(_OF_PRODUCTS)] for name, each in terms.items())


def total(terms: Terms, amounts: Mapping[str, float]) -> float:
    """What all amounts take together.

    Example:
      >>> total({"fixed": 0.5, "rows": 0.25}, {"fixed": 1, "rows": 10, "ids": 3})
      3.0
    """
    return sum(each * amounts[name] for name, each in terms.items())
