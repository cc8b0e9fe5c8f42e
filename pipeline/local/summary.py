"""What a run ends with: the metrics, the rules of the gate, and where everything is."""

import math
import os
import posixpath
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from tfx.utils import path_utils

from components.artifacts import evaluation
from components.artifacts.evaluation import Bounds, Champion, Comparison, Drift, Evaluation, NewUsers, State, Way
from components.artifacts.vocabulary import Vocabulary
from components.shared.files.places import is_remote
from components.shared.files.secrets import without_secrets
from pipeline.local.lineage import NodeOutcome, pushed_to
from pipeline.pipeline import Places

_RANKINGS: dict[Way, str] = {"sampled": "sampled test records", "full": "all items"}
_MARKS = {State.PASSED: "[green]✓[/green]", State.FAILED: "[red]✗[/red]", State.SKIPPED: "[dim]–[/dim]"}


def show(console: Console, outcomes: Mapping[str, NodeOutcome], root: Path, log: Path) -> None:
    """Prints the end of a run.

    Args:
      console: where to print.
      outcomes: the outcome of each step, by its name.
      root: the folder that keeps everything; see `Places.below`.
      log: the file with the frameworks' noise.

    Raises:
      UserError: the evaluation was written by another version of the program.
    """
    uri = outcomes["Evaluator"].outputs["evaluation"].uri
    found = evaluation.read(uri)
    destination = pushed_to(outcomes["Pusher"])

    console.print()
    console.print(_metrics(found))
    if found.new_users is not None:
        console.print(_new_users(found, found.new_users), markup=False, soft_wrap=True)
    for way in found.ways:
        if told := found.told_short_users(way):
            console.print(told, style="yellow", markup=False)
    for system in found.baselines.values():
        if system.chosen:
            settings = ", ".join(f"{name} {value:g}" for name, value in system.chosen.items())
            console.print(f"{system.title}, as chosen on validation: {settings}", style="dim", markup=False)
    for left_out in found.left_out.values():
        console.print(f"{left_out.title} was not measured: {left_out.reason}", style="dim", markup=False)
    if found.champion.comparison is not None:
        console.print(_champion(found.champion, found.champion.comparison, found.gate_on))
    if found.champion.drift is not None:
        console.print(_drift(found.champion.drift), highlight=False, soft_wrap=True)
    console.print(_rules(found))
    console.print(_verdict(found, destination))
    model_run = outcomes["Trainer"].outputs["model_run"].uri
    rows = {
        "model": destination or f"{outcomes['Trainer'].outputs['model'].uri} (not pushed)",
        "report": os.path.join(uri, evaluation.REPORT_FILE),
        "metrics": os.path.join(uri, evaluation.METRICS_FILE),
        "training": f"{model_run} (history.json; tensorboard --logdir it)",
        "metadata": Places.below(str(root)).metadata or "",
        "log": str(log),
    }
    for name, value in rows.items():
        console.print(f"{name:<9} {_shorten(value)}", highlight=False, soft_wrap=True)
    user = Vocabulary.open(outcomes["Preprocess"].outputs["vocabulary"].uri).user(0)
    pushed, trained = destination and posixpath.dirname(destination), outcomes["Trainer"].outputs["model"].uri
    for title, command in next_commands(pushed, path_utils.serving_model_dir(trained), user).items():
        console.print(f"{title:<9} {command}", highlight=False, markup=False, soft_wrap=True)


def next_commands(pushed: str | None, trained: str, user: int | str) -> dict[str, str]:
    """What to try next: recommendations for a user that there is, and a page with those of a pushed model.

    Args:
      pushed: the push destination; None: the model was not pushed.
      trained: the model itself, which can be asked without having been pushed.
      user: the raw id of a user.
    """
    start = [_shorten(sys.executable), "-m", "pipeline"]  # a `python` of the path may be another one, or none
    recommend = [*start, "recommend", "--model", _shorten(pushed or trained), f"--user={user}"]
    page = {"page": shlex.join([*start, "serve", "--model", _shorten(pushed)])} if pushed else {}
    return {"next": shlex.join(recommend), **page}


def _metrics(found: Evaluation) -> Table:
    """A block of rows for each way of ranking, so that many systems and metrics fit into a narrow window."""
    table = Table(box=None, pad_edge=False, show_header=False)
    for way in found.ways:
        if table.rows:
            table.add_row()
        first = way == found.gate_on
        heads = [_RANKINGS[way], *found.gate_metrics, *(["fitted in"] if first else [])]
        table.add_row(*(f"[bold]{head}[/bold]" for head in heads))
        for system in found.systems.values():
            means = [_number(system.of(way)[metric]) for metric in found.gate_metrics]
            fit = f"{system.fit_seconds:.1f} s" if first and system.fit_seconds is not None else ""
            table.add_row(system.title, *means, fit)
        if way == "sampled" and found.best_possible_hr is not None and found.gate_metrics[0] == "HR@10":
            table.add_row("best possible", _number(found.best_possible_hr))
    for column in table.columns[1:]:
        column.justify = "right"
    return table


def _new_users(found: Evaluation, new: NewUsers) -> str:
    """The gate's metrics of users who were held out entirely, and their ratios to those of the trained users."""
    figures = ", ".join(f"{metric} {_number(new.metrics[metric])}" for metric in found.gate_metrics)
    ratios = ", ".join(
        " ".join([_number(found.new_users_ratio(metric)), *_between(new.ratio_intervals.get(metric))])
        for metric in found.gate_metrics
    )
    missed = f"; of {new.unknown_items:,} of them, the item left out is unknown: a miss" if new.unknown_items else ""
    who = f"{new.users:,} new users, by what they did, {_RANKINGS['full']}"
    return f"\n{who}: {figures} ({ratios} x the trained users'){missed}"


def _between(bounds: Bounds | None) -> list[str]:
    return [] if bounds is None else [f"[{_number(bounds.low)} to {_number(bounds.high)}]"]


def _champion(champion: Champion, found: Comparison, way: Way) -> Table:
    """The comparison with the champion, which is on what both models know and so has figures of its own."""
    names = list(found.differences)
    table = Table(box=None, pad_edge=False, header_style="bold", title_justify="left")
    table.add_column(f"against the champion, {_RANKINGS[way]}")
    for name in names:
        table.add_column(name, justify="right")
    table.add_column("")
    table.add_row("NeuMF", *(_number(found.challenger[name]) for name in names))
    table.add_row("champion", *(_number(found.champion[name]) for name in names), champion.detail)
    table.add_row("difference", *(_number(found.differences[name].mean, sign="+") for name in names))
    for title, end in (("at least", "low"), ("at most", "high")):
        bounds = [_number(getattr(found.differences[name], end), sign="+") for name in names]
        table.add_row(title, *bounds, f"with {found.confidence:.4g} confidence, paired by user")
    return table


def _drift(drift: Drift) -> str:
    """What became of the champion's data."""
    lost = "" if drift.champion_users is None else f", {drift.lost_user_share:.1%} of the champion's gone"
    users = f"users {drift.new_users / drift.users:.1%} new{lost}"
    items = f"items {drift.new_items / drift.items:.1%} new, {drift.lost_item_share:.1%} gone"
    rows = f"training rows {drift.rows_ratio:.2f} x the champion's"
    return f"data since the champion: {users}; {items}; {rows}; popularity shifted by {drift.popularity_shift:.1%}"


def _rules(found: Evaluation) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", title_justify="left")
    table.add_column("gate")
    table.add_column("")
    table.add_column("")
    for rule in found.rules:
        table.add_row(rule.rule, _MARKS[rule.state], escape(rule.detail))
    return table


def _verdict(found: Evaluation, destination: str | None) -> str:
    if found.blessed:
        return "\n[bold green]blessed and pushed[/bold green]" if destination else "\n[bold]blessed, not pushed[/bold]"
    return f"\n[bold red]not blessed, not pushed[/bold red]: {escape('; '.join(found.reasons))}"


def _number(value: float, sign: str = "") -> str:
    return f"{value:{sign}.4f}" if math.isfinite(value) else "–"


def _shorten(path: str) -> str:
    if is_remote(path):
        return without_secrets(path)
    below = os.path.relpath(path)
    return path if below.startswith("..") else below
