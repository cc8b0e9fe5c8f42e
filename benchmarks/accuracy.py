"""Accuracy of whole runs of a configuration, over several seeds."""

import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from benchmarks.harness import Result, run_pipeline


@click.command(help=__doc__)
@click.option("--config", default="configs/ml-1m-ncf.yaml", show_default=True, help="What to run.")
@click.option("--set", "assignments", multiple=True, metavar="SECTION.KEY=VALUE", help="Set one value on top of it.")
@click.option("--seeds", default="0", show_default=True, help="Seeds, separated by commas.")
def command(config: str, assignments: Sequence[str], seeds: str) -> list[Result]:
    """Runs the pipeline once for each seed and takes the figures from its metrics.json."""
    reports, seconds = [], []
    for seed in seeds.split(","):
        with tempfile.TemporaryDirectory(prefix="accuracy-") as root:
            start = time.perf_counter()
            reports.append(_run(config, [*assignments, f"seed={seed}"], Path(root)))
            seconds.append(time.perf_counter() - start)
    results = []
    for metric in ("HR@10", "NDCG@10"):
        name = metric.replace("@", "").lower()
        values = [report["model"]["sampled"][metric] for report in reports]
        results.append(Result(f"{name}_mean", statistics.mean(values), ""))
        results.append(Result(f"{name}_spread", max(values) - min(values), ""))
        popularity = statistics.mean(report["popularity"]["sampled"][metric] for report in reports)
        results.append(Result(f"{name}_popularity", popularity, ""))
    return [*results, Result("seconds_per_run", statistics.mean(seconds), "s")]


def _run(config: str, assignments: Sequence[str], root: Path) -> dict[str, Any]:
    run_pipeline(root, "--config", config, *(word for value in assignments for word in ("--set", value)))
    return json.loads(next(root.glob("artifacts/Evaluator/evaluation/*/metrics.json")).read_text())
