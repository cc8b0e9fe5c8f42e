"""The demonstration, `make demo`, from a cold start of the program: how long it takes and how good its model is."""

import json
import tempfile
import time
from pathlib import Path

import click

from benchmarks.harness import Result, run_pipeline


@click.command(help=__doc__)
def command() -> list[Result]:
    """Runs the default configuration in an empty root."""
    with tempfile.TemporaryDirectory(prefix="demo-") as name:
        root = Path(name)
        start = time.perf_counter()
        run_pipeline(root)
        seconds = time.perf_counter() - start
        report = json.loads(next(root.glob("artifacts/Evaluator/evaluation/*/metrics.json")).read_text())
        pushed = len(list((root / "serving").iterdir())) if (root / "serving").is_dir() else 0
    model, popularity = (report[system]["sampled"]["HR@10"] for system in ("model", "popularity"))
    return [
        Result("seconds", seconds, "s", bar=90, at_most=True),
        Result("hr10", model, "", bar=popularity + 0.2),
        Result("hr10_popularity", popularity, ""),
        Result("hr10_best_possible", report["best_possible_hr"], ""),
        Result("models_pushed", pushed, "", bar=1),
    ]
