"""The demonstration, `make demo`, from a cold start of the program: how long it takes and how good its model is."""

import tempfile
import time
from pathlib import Path

import click

from benchmarks.harness import Result, evaluation_of, run_pipeline


@click.command(help=__doc__)
def command() -> list[Result]:
    """Runs the default configuration in an empty root."""
    with tempfile.TemporaryDirectory(prefix="demo-") as name:
        root = Path(name)
        start = time.perf_counter()
        run_pipeline(root)
        seconds = time.perf_counter() - start
        found = evaluation_of(root)
        pushed = len(list((root / "serving").iterdir())) if (root / "serving").is_dir() else 0
    model, popularity = (found.systems[system].sampled["HR@10"] for system in ("model", "popularity"))
    assert found.best_possible_hr is not None
    return [
        Result("seconds", seconds, "s", bar=90, at_most=True),
        Result("hr10", model, "", bar=popularity + 0.2),
        Result("hr10_popularity", popularity, ""),
        Result("hr10_best_possible", found.best_possible_hr, ""),
        Result("models_pushed", pushed, "", bar=1),
    ]
