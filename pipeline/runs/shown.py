"""Shows runs as tables."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from components.artifacts.evaluation import MODEL, Evaluation, Way
from components.serving.versions import whole_versions
from components.shared.errors import UserError
from components.shared.harmless import harmless
from pipeline.runs.found import Run, size_of

_TITLES: dict[Way, str] = {"sampled": "sampled test records", "full": "all items"}


def show_list(console: Console, runs: Sequence[Run]) -> None:
    """A line for each run."""
    table = Table(
        _column("run"), "ended", "data", "verdict", "metrics of the gate", "size of its root", box=None, pad_edge=False
    )
    sizes = {root: _size(size_of(root)) for root in {run.root for run in runs}}
    for run in runs:
        table.add_row(run.name, f"{run.ended:%Y-%m-%d %H:%M}", *_in_words(run), sizes[run.root])
    console.print(table)


def show_one(console: Console, run: Run) -> None:
    """What a run found, and what lies in its root."""
    found = run.read()
    console.print(f"{run.name}, {run.ended:%Y-%m-%d %H:%M}: {_dataset(found)}", markup=False, highlight=False)
    console.print("blessed" if found.blessed else f"not blessed: {'; '.join(found.reasons)}", markup=False)
    console.print(_side_by_side({run.name: found}))
    table = Table("in its root", "size", box=None, pad_edge=False)
    for part in sorted(path for path in run.root.iterdir() if path.is_dir()):
        table.add_row(part.name, _size(size_of(part)))
    console.print(table)
    versions = [version.name for version in whole_versions(str(run.root / "serving"))]
    if versions:
        console.print(f"pushed versions, the newest first: {', '.join(versions)}", highlight=False)


def compare(console: Console, runs: Sequence[Run]) -> None:
    """The verdicts and metrics of runs side by side."""
    found = {run.name: run.read() for run in runs}
    table = Table("", *map(_column, found), box=None, pad_edge=False)
    facts = {
        "data": [_dataset(one) for one in found.values()],
        "the same rows": [str(len({one.dataset_fingerprint for one in found.values()}) == 1).lower()],
        "test users": [f"{getattr(one.test_users, one.gate_on):,}" for one in found.values()],
        "verdict": ["blessed" if one.blessed else "not blessed" for one in found.values()],
    }
    for name, values in facts.items():
        table.add_row(name, *values)
    console.print(table)
    console.print(_side_by_side(found))


def _side_by_side(found: dict[str, Evaluation]) -> Table:
    table = Table("", *map(_column, found), box=None, pad_edge=False)
    for way, title in _TITLES.items():
        rows = {
            f"{system.title}, {metric}": None
            for one in found.values()
            if way in one.ways
            for system in one.systems.values()
            for metric in one.gate_metrics
        }
        if rows:
            table.add_row(f"[bold]{title}[/bold]")
        for row in rows:
            table.add_row(row, *(_value(one, way, row) for one in found.values()))
    return table


def _column(name: str) -> Column:
    """One whose title is read whole, as a run's number is at the end of its name."""
    return Column(Text(name), overflow="fold")


def _value(found: Evaluation, way: Way, row: str) -> str:
    for system in found.systems.values() if way in found.ways else ():
        for metric in found.gate_metrics:
            if f"{system.title}, {metric}" == row:
                return f"{system.of(way)[metric]:.4f}"
    return "–"


def _in_words(run: Run) -> tuple[str, str, str]:
    try:
        found = run.read()
    except UserError as error:
        return "", "[red]cannot be read[/red]", str(error)
    metrics = found.systems[MODEL].of(found.gate_on)
    figures = ", ".join(f"{name} {metrics[name]:.4f}" for name in found.gate_metrics)
    return _dataset(found), "blessed" if found.blessed else "not blessed", figures


def _dataset(found: Evaluation) -> str:
    return harmless(found.dataset or "", 40)


def _size(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
