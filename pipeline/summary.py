"""What a run ends with: the metrics, the rules of the gate, and where everything is."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from components import artifacts
from pipeline.lineage import NodeOutcome, pushed_to
from pipeline.pipeline import Places

_SYSTEMS = {"model": "NeuMF", "popularity": "item popularity"}
_RANKINGS = {"sampled": "sampled test records", "full": "all items"}


def show(console: Console, outcomes: Mapping[str, NodeOutcome], places: Places, log: Path) -> None:
    """Prints the end of a run.

    Args:
      console: where.
      outcomes: of the steps, by name.
      places: of the run.
      log: the file with the frameworks' noise.
    """
    evaluation = outcomes["Evaluator"].outputs["evaluation"].uri
    report = artifacts.read_json(os.path.join(evaluation, "metrics.json"))
    destination = pushed_to(outcomes["Pusher"])

    console.print()
    console.print(_metrics(report))
    console.print(_rules(report))
    console.print(_verdict(report, destination))
    model_run = outcomes["Trainer"].outputs["model_run"].uri
    rows = {
        "model": destination or f"{outcomes['Trainer'].outputs['model'].uri} (not pushed)",
        "metrics": os.path.join(evaluation, "metrics.json"),
        "training": f"{model_run} (history.json; tensorboard --logdir it)",
        "metadata": places.metadata,
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
        values = [report[system][ranking].get(name) for ranking in _RANKINGS for name in names]
        table.add_row(title, *("–" if value is None else f"{value:.4f}" for value in values))
    if report["best_possible_hr"] is not None and report["gate_k"] == 10:
        table.add_row("best possible", f"{report['best_possible_hr']:.4f}")
    return table


def _rules(report: Mapping[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", title_justify="left")
    table.add_column("gate")
    table.add_column("")
    table.add_column("")
    for rule in report["rules"]:
        table.add_row(rule["rule"], "[green]✓[/green]" if rule["passed"] else "[red]✗[/red]", rule["detail"])
    return table


def _verdict(report: Mapping[str, Any], destination: str | None) -> str:
    if report["blessed"]:
        return "\n[bold green]blessed and pushed[/bold green]" if destination else "\n[bold]blessed, not pushed[/bold]"
    reasons = "; ".join(rule["detail"] for rule in report["rules"] if not rule["passed"])
    return f"\n[bold red]not blessed, not pushed[/bold red]: {reasons}"


def _shorten(path: str) -> str:
    below = os.path.relpath(path)
    return path if below.startswith("..") else below
