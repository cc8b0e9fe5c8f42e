"""Each step of a run at growing sizes of ml-20m's shape, in a process of its own, beside what `estimate` says of it.

Users grow with the interactions, 144 of each; items are 26,744. Told are seconds for a million rows, the peak of memory
and the disk beside the Parquet of the interactions. With others at work on the machine, a step that took longer by the
clock than its threads worked counts with what they worked.

With `--fit`, small shapes are measured besides, two of MovieLens and others as sparse as what shops have, and what it
all took is what `python -m pipeline estimate` goes by from then on.
"""

import re
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from benchmarks import scale_fit
from benchmarks.harness import Result
from benchmarks.machine import cpu
from benchmarks.scale_steps import Measured, configured, measure_program, measure_steps
from components.preprocess.datasets.synthetic_generator import SyntheticConfig
from components.shared.errors import UserError
from pipeline.estimating.counts import find_counts
from pipeline.estimating.figures import FIGURES
from pipeline.estimating.fitted import Figures, Terms
from pipeline.estimating.machine import Speed, measure_speed
from pipeline.estimating.work import Amounts, Work, amounts

_USERS, _ITEMS, _INTERACTIONS = 138_493, 26_744, 20_000_263  # ml-20m's
SMALL = {"ml-100k": SyntheticConfig(943, 1_682, 100_000), "ml-1m": SyntheticConfig(6_040, 3_706, 1_000_209)}
SPARSE = {
    "sparse-70k": SyntheticConfig(1_900, 2_800, 70_000),
    "sparse-200k": SyntheticConfig(5_500, 15_500, 200_000),
    "sparse-250k": SyntheticConfig(24_000, 10_700, 250_000),
    "sparse-600k": SyntheticConfig(45_000, 14_000, 600_000),
}
STEPS = ("Preprocess", "NegativeGen", "drawing", "Evaluator")
_BARS = {"20m": 2.5, "100m": 6.0}

Steps = Mapping[str, Measured]
"""What the parts of a run took, by name."""


def shape_of(size: str) -> SyntheticConfig:
    """Interactions of ml-20m's shape.

    Example:
      "1m" is a million of them, of 6,925 users.

    Raises:
      UserError: it is no size.
    """
    found = re.fullmatch(r"(\d+)([mk])", size.lower())
    if not found or not int(found[1]):
        raise UserError(f"--sizes {size}: write it as 4m or 500k")
    rows = int(found[1]) * {"m": 1_000_000, "k": 1_000}[found[2]]
    return SyntheticConfig(max(round(rows * _USERS / _INTERACTIONS), 100), _ITEMS, rows)


@click.command(help=__doc__)
@click.option("--sizes", default="1m,4m,20m,100m", show_default=True, help="Interactions.")
@click.option("--fit", "fits", is_flag=True, help="Write the figures of `estimate` anew.")
@click.option(
    "--trains-up-to", default="20m", show_default=True, help="The largest size that is trained and evaluated."
)
def command(sizes: str, fits: bool, trains_up_to: str) -> list[Result]:
    """Measures."""
    shapes = {size: shape_of(size) for size in sizes.split(",")}
    most_trained = shape_of(trains_up_to).interactions
    speed, figures = measure_speed(), FIGURES
    program = measure_program() if fits else 0.0
    runs: dict[str, Steps] = {}
    observed: list[scale_fit.Observed] = []
    for size, shape in ({**SMALL, **SPARSE, **shapes} if fits else shapes).items():
        runs[size] = _measure(shape, trains=shape.interactions <= most_trained, small=size in SMALL)
        observed += _observed(shape, runs[size])
        if fits:  # after each size: the largest may be too large
            figures = scale_fit.fit(observed, str(cpu()), speed, program)
            scale_fit.write(figures)
    of_shapes = {size: runs[size] for size in shapes}
    estimates = {size: estimated(shape, figures, speed) for size, shape in shapes.items()}
    _show(shapes, of_shapes, estimates)
    return results(shapes, of_shapes, estimates)


def _measure(shape: SyntheticConfig, trains: bool, small: bool) -> dict[str, Measured]:
    with tempfile.TemporaryDirectory(prefix="scale-") as folder:
        return measure_steps(Path(folder), shape, trains=trains, small=small)


def amounts_of(shape: SyntheticConfig, *, generated: bool = False, source: str = "streamed") -> dict[str, Amounts]:
    """The amounts of a run of this shape, as `measure_steps` runs it.

    Args:
      shape: of the data.
      generated: whether Preprocess draws it, instead of reading it.
      source: of the training rows.
    """
    config = configured(shape, source)
    counts = find_counts(config.dataset.chosen, config.preprocess)
    assert counts is not None
    return dict(amounts(Work(config, replace(counts, generated=generated))))


def estimated(shape: SyntheticConfig, figures: Figures, speed: Speed) -> Terms:
    """Seconds by part, of those that there are figures of."""
    found = amounts_of(shape)
    return {part: figures.seconds(part, found[part], speed) for part in figures.parts if part in found}


def _observed(shape: SyntheticConfig, run: Mapping[str, Measured]) -> list[scale_fit.Observed]:
    """A run, and what of it was measured once more: with rows that are drawn, and with files."""
    found: list[scale_fit.Observed] = [(amounts_of(shape), run)]
    if "generated" in run:
        found.append((amounts_of(shape, generated=True), {"Preprocess": run["generated"]}))
        found.append((amounts_of(shape, source="files"), {"NegativeGen": run["written"]}))
    return found


def results(
    shapes: Mapping[str, SyntheticConfig], runs: Mapping[str, Steps], estimates: Mapping[str, Terms]
) -> list[Result]:
    """What is claimed of the steps, and how far estimates are off.

    Args:
      shapes: by size.
      runs: what the steps took.
      estimates: seconds of each step, as they were estimated.
    """
    speeds = {
        step: [runs[size][step].seconds / shape.interactions for size, shape in shapes.items() if step in runs[size]]
        for step in STEPS
    }
    growth = [max(of_step) / min(of_step) for of_step in speeds.values() if of_step]
    peaks = {size: max(run[step].peak_memory_gb for step in STEPS if step in run) for size, run in runs.items()}
    errors = [
        abs(estimates[size][step] / run[step].seconds - 1)
        for size, run in runs.items()
        for step in STEPS
        if step in run and step in estimates[size]
    ]
    return [
        Result("seconds_per_million_worst_to_best", max(growth), "times", bar=1.3, at_most=True),
        *(
            Result(f"peak_memory_gb_{size}", peak, "GB", bar=_BARS.get(size), at_most=True)
            for size, peak in peaks.items()
        ),
        *(
            [Result("estimate_error_worst", max(errors), "of what was measured", bar=0.25, at_most=True)]
            if errors
            else []
        ),
    ]


def _show(shapes: Mapping[str, SyntheticConfig], runs: Mapping[str, Steps], estimates: Mapping[str, Terms]) -> None:
    table = Table(title="what each part takes", title_justify="left")
    for column in ("interactions", "step", "seconds", "a million", "estimated", "peak GB", "disk GB", "x Parquet"):
        table.add_column(column, justify="left" if column == "step" else "right")
    for size, run in runs.items():
        parquet = run["Preprocess"].disk_gb
        for step, found in run.items():
            estimated = estimates[size].get(step)
            table.add_row(
                size,
                step,
                f"{found.seconds:,.2f}",
                f"{found.seconds / shapes[size].interactions * 1e6:,.3f}",
                "" if estimated is None else f"{estimated:,.2f}",
                f"{found.peak_memory_gb:.2f}",
                f"{found.disk_gb:.3f}" if found.disk_gb else "",
                f"{found.disk_gb / parquet:.1f}" if found.disk_gb else "",
            )
    Console(file=sys.stdout, width=None if sys.stdout.isatty() else 120).print(table)
