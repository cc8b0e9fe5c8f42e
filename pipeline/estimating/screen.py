"""What an estimate looks like: a table that fits 80 columns, a line at a run's start, JSON."""

import json
from dataclasses import asdict

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipeline.estimating.estimate import Estimate, StepEstimate
from pipeline.estimating.figures import FIGURES

WIDTH = 80


def show(console: Console, found: Estimate) -> None:
    """Prints an estimate."""
    counts, machine = found.counts, found.machine
    console.print(
        f"{counts.rows:,} rows, {counts.users:,} users, {counts.items:,} items ({counts.known})", soft_wrap=True
    )
    console.print(_table(found), width=WIDTH)
    for step in found.steps:
        if step.note:
            console.print(f"{step.step:<12} {step.note}", markup=False, soft_wrap=True)
    disk = "" if machine.disk_gb is None else f", {_gigabytes(machine.disk_gb)} of disk"
    console.print(
        f"here: {machine.cores} cores; {_gigabytes(machine.memory_gb)} of memory{disk} free\n"
        f"figures: {FIGURES.cpu}; docs/scale.md says how good they are",
        soft_wrap=True,
        style="dim",
    )
    warn(console, found)


def warn(console: Console, found: Estimate) -> None:
    """Says what does not fit."""
    for warning in found.warnings:
        console.print(f"[yellow]warning: {escape(warning)}[/yellow]", soft_wrap=True)


def in_a_line(found: Estimate) -> str:
    """An estimate in a few words."""
    time = _times(found.least_seconds, found.seconds)
    return f"about {time}, {_gigabytes(found.memory_gb)} of memory, {_gigabytes(found.disk_gb)} of disk"


def as_json(found: Estimate) -> str:
    """An estimate for programs: seconds, and GB of 10^9 bytes."""
    names = ("least_seconds", "seconds", "memory_gb", "disk_gb")
    return json.dumps({"total": {name: getattr(found, name) for name in names}, **asdict(found)}, indent=2)


def _table(found: Estimate) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_footer=True)
    for head, foot in (
        ("step", "total"),
        ("rows in", ""),
        ("time", _times(found.least_seconds, found.seconds)),
        ("memory", _gigabytes(found.memory_gb)),
        ("disk", _gigabytes(found.disk_gb)),
    ):
        table.add_column(head, foot, justify="left" if head == "step" else "right", no_wrap=True)
    for step in found.steps:
        table.add_row(*_row(step))
    return table


def _row(step: StepEstimate) -> tuple[str, ...]:
    rows = f"{step.rows:,}" if step.rows else ""
    disk = _gigabytes(step.disk_gb) if step.disk_gb else ""
    return step.step, rows, _times(step.least_seconds, step.seconds), _gigabytes(step.memory_gb), disk


def _times(least: float, most: float) -> str:
    """One time, or two where training may stop early.

    Example:
      12 to 20 seconds are "12 to 20 s", 50 to 120 are "50 s to 2.0 min".
    """
    short, long = _time(least), _time(most)
    if short == long:
        return long
    number, _, unit = short.partition(" ")
    return f"{number if long.endswith(f' {unit}') else short} to {long}"


def _time(seconds: float) -> str:
    """Seconds as people say them, to two digits.

    Example:
      0.31, 12.4, 95 and 7,000 are "0.3 s", "12 s", "1.6 min" and "1.9 h".
    """
    for most, unit, size in ((1, "s", 1), (90, "s", 1), (90 * 60, "min", 60)):
        if seconds < most:
            value = seconds / size
            return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"
    return f"{seconds / 3600:,.1f} h"


def _gigabytes(size: float) -> str:
    """Example: 0.0004, 0.012, 0.25 and 12 are "0.4 MB", "12 MB", "0.2 GB" and "12 GB"."""
    if size < 0.1:
        return f"{size * 1000:.1f} MB" if size < 0.01 else f"{size * 1000:.0f} MB"
    return f"{size:,.1f} GB" if size < 10 else f"{size:,.0f} GB"
