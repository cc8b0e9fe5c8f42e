"""Preprocess on a MovieLens-shaped CSV: its Beam pipeline, DuckDB doing the same in SQL, and the pandas of the origin.

DuckDB and we take turns, and the medians are compared: what else the machine does then falls on both.
"""

import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Any

import click

from benchmarks.harness import Measurement, Result, measure
from components.preprocess.datasets.synthetic_generator import SyntheticConfig, write_csv

SIZES = {
    "ml-1m": SyntheticConfig(users=6_040, items=3_706, interactions=1_000_209),
    "ml-20m": SyntheticConfig(users=138_493, items=26_744, interactions=20_000_263),
}
MINIMUM = 20
THREADS = 2


def prepare_ours() -> None:
    """Imports, and compiles the loops on a few rows."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ratings.csv"
        write_csv(str(path), SyntheticConfig(users=60, items=200, interactions=3_000), seed=1)
        run_ours(str(path), f"{folder}/out")


def run_ours(csv: str, out: str, minimum: int = MINIMUM) -> None:
    """What the component's executor calls, on Beam's in-memory runner; users with fewer rows than that are dropped."""
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

    from components.preprocess.config import DatasetConfig, PreprocessConfig
    from components.preprocess.run import write_artifacts

    dataset = DatasetConfig.model_validate(
        {"kind": "files", "path": csv, "user_column": "userId", "item_column": "movieId"}
    )
    options = ["--direct_running_mode=in_memory", "--direct_num_workers=1"]
    write_artifacts(
        dataset,
        PreprocessConfig(min_interactions=minimum, min_item_interactions=1),
        1,
        f"{out}/interactions",
        f"{out}/vocabulary",
        lambda: beam.Pipeline(runner="FnApiRunner", options=PipelineOptions(options)),
    )


def prepare_duckdb() -> None:
    """Imports."""
    import duckdb

    duckdb.connect().execute("select 1")


def run_duckdb(csv: str, out: str) -> None:
    """The same in SQL: filter, latest of duplicates, dense indexes, order, split, files of splits and vocabularies.

    The last two of each user are found by `max(key, 2)`: half the time of a window function over all rows.
    """
    import duckdb

    Path(out).mkdir(parents=True)
    connection = duckdb.connect()
    connection.execute(
        f"""
        set threads = {THREADS};
        set preserve_insertion_order = false;
        set enable_progress_bar = false;
        create temp table latest as
            select u, i, (max(t) << 32) | i as key
            from (select userId::integer as u, movieId::integer as i, timestamp as t from read_csv('{csv}'))
            group by u, i;
        create temp table users as
            select u as id, (row_number() over (order by u) - 1)::integer as index, n,
                top[1] as test, top[2] as validation
            from (select u, count(*) as n, max(key, 2) as top from latest group by u having n >= {MINIMUM});
        create temp table items as
            select i as id, (row_number() over (order by i) - 1)::integer as index
            from (select distinct i from latest semi join users on u = id);
        create temp view indexed as
            select users.index as user, items.index as item, key, key < validation as is_train
            from latest join users on u = users.id join items on i = items.id;
        copy (select user, item from indexed where is_train order by user, key) to '{out}/train.parquet';
        copy (select users.index as user, items.index as item
              from users join items on items.id = validation & 4294967295 order by user) to '{out}/validation.parquet';
        copy (select users.index as user, items.index as item
              from users join items on items.id = test & 4294967295 order by user) to '{out}/test.parquet';
        copy (select id, index, n - 2 as count from users order by index) to '{out}/users.parquet';
        copy (select id, index, count(*) filter (is_train) as count
              from items join indexed on item = index group by id, index order by index) to '{out}/items.parquet';
        """
    )


def prepare_origin() -> None:
    """Imports."""
    import pandas as pd

    pd.DataFrame({"a": [1]}).groupby("a").last()


def run_origin(csv: str, out: str) -> None:
    """The pandas way: filter, factorize, sort, split off the last two of each user, write CSV."""
    import pandas as pd

    Path(out).mkdir(parents=True)
    table = pd.read_csv(csv)
    table = table.groupby("userId").filter(lambda rows: len(rows) >= MINIMUM)
    table["user"] = pd.factorize(table["userId"], sort=True)[0]
    table["item"] = pd.factorize(table["movieId"], sort=True)[0]
    table = table.sort_values(["timestamp", "item"]).drop_duplicates(["user", "item"], keep="last")
    table = table.sort_values(["user", "timestamp", "item"])
    pairs = table[["user", "item"]]
    held_out = pairs.groupby("user").tail(2)
    test = pairs.groupby("user").tail(1)
    pairs.drop(held_out.index).to_csv(f"{out}/train.csv", index=False)
    held_out.drop(test.index).to_csv(f"{out}/validation.csv", index=False)
    test.to_csv(f"{out}/test.csv", index=False)


def _turn(function: Any, prepare: Any, csv: Path, out: Path) -> Measurement:
    measurement = measure(function, str(csv), str(out), prepare=prepare)
    shutil.rmtree(out)
    return measurement


@click.command(help=__doc__)
@click.option("--size", type=click.Choice(list(SIZES)), default="ml-20m", show_default=True)
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True, help="Turns of DuckDB and ours.")
@click.option("--origin/--no-origin", default=True, show_default=True, help="Measure the pandas way too.")
def command(size: str, rounds: int, origin: bool) -> list[Result]:
    """Measures and compares."""
    with tempfile.TemporaryDirectory(prefix="preprocess-") as name:
        folder = Path(name)
        csv, out = folder / "ratings.csv", folder / "out"
        write_csv(str(csv), SIZES[size], seed=1)
        # The first round finds the file in the page cache as the later ones do: it has just been written.
        turns = [
            (_turn(run_duckdb, prepare_duckdb, csv, out), _turn(run_ours, prepare_ours, csv, out))
            for _ in range(rounds)
        ]
        pandas = _turn(run_origin, prepare_origin, csv, out) if origin else None
    duckdb_seconds = statistics.median(duckdb.seconds for duckdb, _ in turns)
    seconds = statistics.median(ours.seconds for _, ours in turns)
    results = [
        Result("seconds", seconds, "s"),
        Result("duckdb_seconds", duckdb_seconds, "s"),
        Result("ratio_to_duckdb", duckdb_seconds / seconds, "x", bar=1.0 if size == "ml-20m" else None),
        Result("peak_memory_gb", max(ours.peak_memory_gb for _, ours in turns), "GB", bar=2.0, at_most=True),
        Result("duckdb_peak_memory_gb", max(duckdb.peak_memory_gb for duckdb, _ in turns), "GB"),
    ]
    if pandas is not None:
        results += [
            Result("origin_seconds", pandas.seconds, "s"),
            Result("ratio_to_origin", pandas.seconds / seconds, "x"),
            Result("origin_peak_memory_gb", pandas.peak_memory_gb, "GB"),
        ]
    return results
