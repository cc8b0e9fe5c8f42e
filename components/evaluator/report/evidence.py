"""What the sections of the report have in common: systems with their colours, estimates, differences."""

import itertools
import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from components.artifacts.evaluation import Bounds, Difference, Evaluation, System, Way
from components.evaluator.report import figures

WAYS: dict[Way, str] = {"sampled": "Among sampled negatives", "full": "Among all unseen items"}
BRIEFLY: dict[Way, str] = {"sampled": "sampled", "full": "full ranking"}
SLICES = {"activity": "By activity of the user", "item_popularity": "By popularity of the held-out item"}

_WITH_COLOURS = ("model", "popularity", "als")
_FURTHER_COLOURS = 4


@dataclass(frozen=True)
class Shown:
    """A system as the report shows it.

    Attributes:
      name: its key in the evaluation.
      kind: class of the style sheet that colours it.
      system: what was measured.
    """

    name: str
    kind: str
    system: System

    @property
    def label(self) -> str:
        """What charts and columns call it."""
        return self.system.label


class Estimate(NamedTuple):
    """A metric and the two ends of its interval; None is what is not finite."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Paired:
    """A paired difference with its interval, and what it tells; None is what was not measured."""

    mean: float | None
    low: float | None
    high: float | None
    meaning: str


def shown(evaluation: Evaluation) -> list[Shown]:
    """The systems: the first ones have colours of their own, the others take those of a palette in turn."""
    kinds = kinds_of(evaluation.systems, _WITH_COLOURS)
    return [Shown(name, kind, evaluation.systems[name]) for name, kind in kinds.items()]


def kinds_of(names: Iterable[str], with_colours: Collection[str]) -> dict[str, str]:
    """The classes of the style sheet that colour them: their own names, or the colours of a palette in turn.

    Example:
      >>> kinds_of(["model", "ease", "item_knn"], ["model"])
      {'model': 'model', 'ease': 'further-1', 'item_knn': 'further-2'}
    """
    further = itertools.cycle(f"further-{number}" for number in range(1, _FURTHER_COLOURS + 1))
    return {name: name if name in with_colours else next(further) for name in names}


def known(value: float | None) -> float | None:
    """The number; None where it is not finite."""
    return value if value is not None and math.isfinite(value) else None


def estimate(system: System, way: Way, metric: str) -> Estimate:
    """A system's metric and the two ends of its interval."""
    return estimated(system.of(way)[metric], system.intervals.of(way)[metric])


def estimated(value: float, bounds: Bounds) -> Estimate:
    """A metric and the two ends of its interval."""
    return Estimate(known(value), *map(known, bounds))


def paired(difference: Difference) -> Paired:
    """A paired difference, and what it tells."""
    mean, low, high = map(known, (difference.mean, difference.low, difference.high))
    if low is None or high is None:
        return Paired(mean, None, None, "")
    meaning = "better" if low > 0 else "worse" if high < 0 else "no clear difference"
    return Paired(mean, low, high, meaning)


def in_words(values: Sequence[tuple[str, float | None]]) -> str:
    """Names with their numbers, for the description of a chart."""
    return ", ".join(f"{name} {figures.figure(value)}" for name, value in values)
