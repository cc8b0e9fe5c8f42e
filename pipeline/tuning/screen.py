"""What a `tune` shows: a line a trial, a bar with the best so far, a table at the end."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from components.trainer.tuning.findings import Findings, State, Tried, best_of
from components.trainer.tuning.search import Limits, Watcher
from components.trainer.tuning.space import Space
from pipeline.tuning import rows

_MARKS = {
    State.COMPLETE: ("✓", "green"),
    State.STOPPED: ("–", "dim"),
    State.FAILED: ("✗", "red"),
    State.CUT_OFF: ("…", "dim"),
}
_NAME_WIDTH = 12  # as the lines of the steps have it


class Screen(Watcher):
    """Shows a search on a console, for as long as the context lasts."""

    def __init__(self, console: Console, limits: Limits, metric: str, before: Sequence[Tried]):
        """Takes what is shown: how far the search goes, by which metric, and the trials of earlier commands."""
        self._console, self._limits, self._metric = console, limits, metric
        self._best = best_of(before)
        self._ended = sum(trial.state != State.CUT_OFF for trial in before)
        self._bar = Progress(
            TextColumn(f"{'tuning':<{_NAME_WIDTH}}"),
            TextColumn("{task.completed:.0f} of {task.total:.0f} trials"),
            BarColumn(bar_width=16),
            TextColumn("{task.fields[left]} left"),
            TextColumn("[dim]{task.fields[best]}[/dim]"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task(
            "", total=limits.trials, left=self._left(), best=_best(self._best, self._metric)
        )

    def __enter__(self) -> Self:
        if self._ended:
            best = _best(self._best, self._metric)
            self._console.print(
                f"{'tuning':<{_NAME_WIDTH}} goes on after {self._ended} trials: {best}", highlight=False
            )
        self._bar.start()
        self.look()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def look(self) -> None:
        self._bar.update(self._task, completed=self._ended, left=self._left(), best=_best(self._best, self._metric))

    def epoch(self, trial: Tried) -> None:
        self._best = best_of([trial, *filter(None, [self._best])])
        self.look()

    def end(self, trial: Tried) -> None:
        self._ended += 1
        self._best = best_of([trial, *filter(None, [self._best])])
        best = ", the best so far" if self._best and self._best.number == trial.number else ""
        mark, colour = _MARKS[trial.state]
        line = Text.assemble(
            f"{f'trial {trial.number}':<{_NAME_WIDTH}} ",
            (mark, colour),
            f" {rows.seconds(trial, 1):>6} s  {_outcome(trial, self._metric)}",
            (best, "bold"),
        )
        self._console.print(line, no_wrap=True, overflow="ellipsis", highlight=False)
        self.look()

    def _left(self) -> str:
        minutes, seconds = divmod(int(self._limits.left), 60)
        return f"{minutes}:{seconds:02}"


def _best(trial: Tried | None, metric: str) -> str:
    return "" if trial is None else f"{metric} {trial.best:.4f} in trial {trial.number}"


def _outcome(trial: Tried, metric: str) -> str:
    if trial.best is None:
        return f"failed: {trial.reason}"
    stopped = "" if trial.state == State.COMPLETE else f", {trial.state}"
    return f"{metric} {trial.best:.4f} in epoch {trial.best_epoch} of {len(trial.values)}{stopped}"


def show(console: Console, findings: Findings, space: Space, written: Mapping[str, Path], root: Path) -> None:
    """Prints the end of a study.

    Args:
      console: where to print.
      findings: what was found; there is a winner.
      space: what was searched.
      written: the files that are left, by what each is; `tuned` is the configuration to run.
      root: the folder that keeps everything.
    """
    console.print()
    console.print(_worth(findings))
    if findings.winner is not findings.own:
        console.print()
        console.print(_keys(findings, space))
    ways = ", ".join(f"{number} {state}" for state, number in rows.counts(findings))
    console.print(
        f"\n{len(findings.trials)} trials in {findings.seconds / 60:.1f} minutes, until {findings.ended}: {ways}\n",
        highlight=False,
    )
    for name, path in written.items():
        console.print(f"{name:<9} {_shorten(path)}", highlight=False, soft_wrap=True)
    command = f"run --config {_shorten(written['tuned'])} --root {_shorten(root)}"
    console.print(f"{'next':<9} python -m pipeline {command}", highlight=False, soft_wrap=True)


def _worth(findings: Findings) -> Table:
    assert findings.winner is not None
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("on validation")
    table.add_column(findings.metric, justify="right")
    table.add_column("")
    table.add_row(
        "as it was", "none" if findings.own.best is None else f"{findings.own.best:.4f}", escape(findings.own.reason)
    )
    if findings.winner is findings.own:
        table.add_row("tuned", "", "nothing better was found")
    else:
        table.add_row(f"tuned: trial {findings.winner.number}", f"{findings.winner.best:.4f}", rows.gain(findings))
    return table


def _keys(findings: Findings, space: Space) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head, justify in (("trainer", "left"), ("as it was", "right"), ("tuned", "right"), ("importance", "right")):
        table.add_column(head, justify=justify)  # type: ignore[arg-type]
    for row in rows.compared(findings, space):
        table.add_row(*row)
    return table


def _shorten(path: Path) -> str:
    below = os.path.relpath(path)
    return str(path) if below.startswith("..") else below
