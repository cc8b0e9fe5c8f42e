"""Figures for `python -m pipeline estimate`, fitted to what `benchmarks.scale` has measured; written as a module."""

import pprint
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from scipy.optimize import nnls

from benchmarks.scale_steps import Measured
from pipeline.estimating import figures
from pipeline.estimating.fitted import Figures, Part, Terms
from pipeline.estimating.machine import Speed
from pipeline.estimating.work import Amounts

PATH = Path(figures.__file__)

_SECONDS: dict[str, tuple[str, ...]] = {
    "Preprocess": ("fixed", "rows", "generated"),
    "NegativeGen": ("fixed", "records", "written"),
    "drawing": ("fixed", "drawn"),
    "Trainer": ("fixed", "decomposed_gflop", "scored_gflop", "ranked", "als_gflop", "parameters"),
    "epoch": ("fixed", "drawn", "gflop"),
    "Evaluator": ("fixed", "gflop", "scores", "train"),
    "popularity": ("fixed", "train"),
    "als": ("fixed", "als_gflop"),
    "item_knn": ("fixed", "shared", "scores"),
    "ease": ("fixed", "gflop", "scores"),
    "recent_items": ("fixed", "train", "scores"),
    "Pusher": ("fixed", "parameters", "train"),
}
_MEMORY: dict[str, tuple[str, ...]] = {
    "Preprocess": ("fixed", "rows", "ids"),
    "NegativeGen": ("fixed", "records", "train"),
    "drawing": ("fixed", "at_once", "train"),
    "Trainer": ("fixed", "pairs", "parameters", "train"),
    "Evaluator": ("fixed", "ease_cells", "parameters", "train"),
}
_DISK: dict[str, tuple[str, ...]] = {
    "Preprocess": ("fixed", "rows", "ids"),
    "NegativeGen": ("records", "written"),
    "Trainer": ("fixed", "parameters", "train"),
    "Pusher": ("fixed", "parameters", "train"),
}

_MODULE = '''"""Measured figures of each part of a run, which `estimate` goes by.

They are fitted by `python -m benchmarks scale --fit`, which writes this module: the steps of runs with the defaults, on
synthetic ratings of several sizes, each in a process of its own. What goes with an amount (see `work`) is at least 0,
and such that the squares of the relative errors are least. Seconds are by the clock, or by the work of all threads
where that is less, as it is on a machine with others at work; there, they are too many for what uses several cores.
"""

# fmt: off

from pipeline.estimating.fitted import Figures, Part
from pipeline.estimating.machine import Speed

FIGURES = {figures}
'''

_LEAST_PART = 1e-6

Observed = tuple[Mapping[str, Amounts], Mapping[str, Measured]]
"""The amounts of each part of a run, and what was measured of it."""


def fit(observed: Sequence[Observed], cpu: str, speed: Speed, program_gb: float) -> Figures:
    """The figures that come closest to what was measured.

    Args:
      observed: runs.
      cpu: of the machine that they ran on.
      speed: of that machine.
      program_gb: memory of the program itself.
    """
    parts = {
        part: Part(
            seconds=_terms(terms, _points(part, "seconds", observed)),
            memory_gb=_terms(_MEMORY.get(part, ()), _points(part, "grown_gb", observed)),
            disk_gb=_terms(_DISK.get(part, ()), _points(part, "disk_gb", observed)),
        )
        for part, terms in _SECONDS.items()
        if any(part in measured for _, measured in observed)
    }
    return Figures(cpu, Speed(_short(speed.loop), _short(speed.product)), _short(program_gb), parts)


def _points(part: str, quantity: str, observed: Sequence[Observed]) -> list[tuple[Amounts, float]]:
    return [
        (amounts[part], getattr(measured[part], quantity))
        for amounts, measured in observed
        if part in measured and part in amounts  # a baseline may be left out by counts that are not quite those found
    ]


def _terms(names: Sequence[str], points: Iterable[tuple[Amounts, float]]) -> Terms:
    """What one of each amount takes: no less than nothing, with the least squares of relative errors."""
    known = [(amounts, value) for amounts, value in points if value > 0]
    if not names or not known:
        return {}
    rows = np.array([[amounts[name] / value for name in names] for amounts, value in known])
    # Columns of one size: what is counted in thousands of millions is as well determined as what is 1.
    sizes = np.maximum(np.abs(rows).max(axis=0), 1e-12)
    found, _ = nnls(rows / sizes, np.ones(len(rows)))
    # Scaled so, each is the largest part that an amount has in any measurement: the least ones are rounding.
    return {
        name: _short(value / size) for name, value, size in zip(names, found, sizes, strict=True) if value > _LEAST_PART
    }


def _short(value: float) -> float:
    """A number of four digits."""
    return float(f"{value:.4g}")


def rendered(figures: Figures) -> str:
    """The module that holds figures."""
    return _MODULE.replace("{figures}", pprint.pformat(figures, width=116, sort_dicts=False))


def write(figures: Figures) -> None:
    """Puts figures in place of those that `estimate` has gone by."""
    PATH.write_text(rendered(figures), encoding="utf-8")
