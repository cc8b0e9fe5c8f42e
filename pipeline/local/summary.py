"""What a run ends with: the metrics, the rules of the gate, and where everything is."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from components.artifacts import storage
from pipeline.local.lineage import NodeOutcome, pushed_to
from pipeline.pipeline import Places

_SYSTEMS = {"model": "NeuMF", "popularity": "item popularity", "als": "implicit ALS"}
_RANKINGS = {"sampled": "sampled test records", "full": "all items"}


def show(console: Console, outcomes: Mapping[str, NodeOutcome], root: Path, log: Path) -> None:
    """Prints the end of a run.

    Args:
      console: where.
      outcomes: of the steps, by name.
      root: of the run.
      log: the file with the frameworks' noise.
    """
    evaluation = outcomes["Evaluator"].outputs["evaluation"].uri
    report = storage.read_json(os.path.join(evaluation, "metrics.json"))
    destination = pushed_to(outcomes["Pusher"])

    console.print()
    console.print(_metrics(report))
    if report["champion"]["status"] == "compared":
        console.print(_champion(report["champion"]))
    console.print(_rules(report))
    console.print(_verdict(report, destination))
    model_run = outcomes["Trainer"].outputs["model_run"].uri
    rows = {
        "model": destination or f"{outcomes['Trainer'].outputs['model'].uri} (not pushed)",
        "report": os.path.join(evaluation, "report.html"),
        "metrics": os.path.join(evaluation, "metrics.json"),
        "training": f"{model_run} (history.json; tensorboard --logdir it)",
        "metadata": Places.below(str(root)).metadata or "",
        "log": str(log),
    }
    for name, value in rows.items():
        console.print(f"{name:<9} {_shorten(value)}", highlight=False, soft_wrap=True)


def _metrics(report: Mapping[str, Any]) -> Table:
    names = [f"{metric}@{report['gate_k']}" for metric in ("HR", "NDCG")]
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    for ranking in _RANKINGS.values():
        for name in names:
            table.add_column(f"{name}\n{ranking}", justify="right")
    for system, title in _SYSTEMS.items():
        if system not in report:
            continue
        values = [report[system][ranking].get(name) for ranking in _RANKINGS for name in names]
        table.add_row(title, *map(_number, values))
    if report["best_possible_hr"] is not None and report["gate_k"] == 10:
        table.add_row("best possible", f"{report['best_possible_hr']:.4f}")
    return table


def _champion(champion: Mapping[str, Any]) -> Table:
    """The comparison with the champion, which is on what both models know and so has figures of its own."""
    names = list(champion["differences"])
    table = Table(box=None, pad_edge=False, header_style="bold", title_justify="left")
    table.add_column("against the champion")
    for name in names:
        table.add_column(name, justify="right")
    table.add_column("")
    table.add_row("NeuMF", *(_number(champion["challenger"][name]) for name in names))
    table.add_row("champion", *(_number(champion["champion"][name]) for name in names), champion["detail"])
    means, bounds = (
        [_number(champion["differences"][name][bound], sign="+") for name in names] for bound in ("mean", "low")
    )
    table.add_row("difference", *means)
    table.add_row("at least", *bounds, f"with {champion['confidence']:.4g} confidence, paired by user")
    return table


def _rules(report: Mapping[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", title_justify="left")
    table.add_column("gate")
    table.add_column("")
    table.add_column("")
    for rule in report["rules"]:
        table.add_row(rule["rule"], _mark(rule), escape(rule["detail"]))
    return table


def _mark(rule: Mapping[str, Any]) -> str:
    if rule["skipped"]:
        return "[dim]–[/dim]"
    return "[green]✓[/green]" if rule["passed"] else "[red]✗[/red]"


def _verdict(report: Mapping[str, Any], destination: str | None) -> str:
    if report["blessed"]:
        return "\n[bold green]blessed and pushed[/bold green]" if destination else "\n[bold]blessed, not pushed[/bold]"
    # Each reason once: rules that need the champion fail for the same one where it cannot be compared.
    reasons = "; ".join(dict.fromkeys(rule["detail"] for rule in report["rules"] if not rule["passed"]))
    return f"\n[bold red]not blessed, not pushed[/bold red]: {escape(reasons)}"


def _number(value: float | None, sign: str = "") -> str:
    return "–" if value is None else f"{value:{sign}.4f}"


def _shorten(path: str) -> str:
    below = os.path.relpath(path)
    return path if below.startswith("..") else below
