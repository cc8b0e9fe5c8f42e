"""Preprocess on the same ratings in three forms: times as integers and in ISO 8601 in CSV, and as JSON lines.

The forms take turns, and the medians are compared: what else the machine does then falls on all of them.
"""

import shutil
import statistics
import tempfile
import time
from pathlib import Path

import click
import pandas as pd

from benchmarks.harness import Result, measure
from benchmarks.preprocess import prepare_ours, run_ours
from components.preprocess.datasets.synthetic_generator import SyntheticConfig, write_csv

RATINGS = SyntheticConfig(users=34_600, items=26_744, interactions=5_000_000)
_ISO = "%Y-%m-%dT%H:%M:%SZ"


def write_forms(folder: Path, ratings: SyntheticConfig) -> dict[str, Path]:
    """Writes the ratings in each form.

    Returns:
      The file of each form by its name.
    """
    forms = {"integers": folder / "integers.csv", "iso": folder / "iso.csv", "json": folder / "lines.json"}
    write_csv(str(forms["integers"]), ratings, seed=1)
    table = pd.read_csv(forms["integers"])
    table.to_json(forms["json"], orient="records", lines=True)
    table["timestamp"] = pd.to_datetime(table["timestamp"], unit="s").dt.strftime(_ISO)
    table.to_csv(forms["iso"], index=False)
    return forms


def _prepare(path: str, out: str) -> None:
    """Imports, and compiles the loops on the first rows of a file."""
    prepare_ours()
    first = Path(path).with_stem("first")
    with open(path, encoding="utf-8") as file:
        first.write_text("".join(line for line, _ in zip(file, range(3_000), strict=False)))
    run_ours(str(first), f"{out}-first")


def _run(path: str, out: str) -> float:
    """Preprocesses a file, warmed up; returns seconds."""
    _prepare(path, out)
    start = time.perf_counter()
    run_ours(path, out)
    return time.perf_counter() - start


@click.command(help=__doc__)
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True, help="Turns of each form.")
def command(rounds: int) -> list[Result]:
    """Measures and compares."""
    with tempfile.TemporaryDirectory(prefix="forms-") as name:
        forms = write_forms(Path(name), RATINGS)
        taken: dict[str, list[float]] = {form: [] for form in forms}
        for _ in range(rounds):
            for form, path in forms.items():
                taken[form].append(measure(_run, str(path), f"{name}/out").value)
                shutil.rmtree(f"{name}/out")
                shutil.rmtree(f"{name}/out-first")
        megabytes = {form: path.stat().st_size / 1e6 for form, path in forms.items()}
    seconds = {form: statistics.median(turns) for form, turns in taken.items()}
    return [
        *(Result(f"{form}_seconds", value, "s") for form, value in seconds.items()),
        *(Result(f"{form}_mb_per_second", megabytes[form] / seconds[form], "MB/s") for form in ("integers", "iso")),
        Result("json_mb_per_second", megabytes["json"] / seconds["json"], "MB/s", bar=150.0),
        Result("iso_ratio_to_integers", seconds["iso"] / seconds["integers"], "x", bar=1.5, at_most=True),
    ]
