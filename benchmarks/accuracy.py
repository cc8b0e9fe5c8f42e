"""Accuracy of whole runs, over several seeds: of a configuration, or of the defaults on the files of a folder."""

import statistics
from collections.abc import Sequence
from pathlib import Path

import click

from benchmarks.harness import Result, evaluated_run
from benchmarks.suite import DEFAULT_DATA, run_suite

# What NeuMF has to be ahead of on the NCF paper's ml-1m: iALS and matrix factorisation as tuned by Rendle et al.
# (RecSys 2020, RecSys 2022), and the paper's best NeuMF.
BARS = {"configs/ml-1m-ncf.yaml": {"HR@10": 0.732, "NDCG@10": 0.455}}


@click.command(help=__doc__)
@click.option("--config", default="configs/ml-1m-ncf.yaml", show_default=True, help="What to run.")
@click.option("--set", "assignments", multiple=True, metavar="SECTION.KEY=VALUE", help="Set one value on top of it.")
@click.option("--seeds", default="0,1,2", show_default=True, help="Seeds, separated by commas.")
@click.option("--suite", is_flag=True, help="Run the defaults on every file of --data, instead of a configuration.")
@click.option(
    "--data",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A folder of CSV files with the columns user,item[,timestamp], plain or gzip, or such a file; repeatable. "
    f"Default: those of {' and '.join(DEFAULT_DATA)} that are there.",
)
def command(config: str, assignments: Sequence[str], seeds: str, suite: bool, data: Sequence[Path]) -> list[Result]:
    """Runs the pipeline once for each seed and takes the figures from what it wrote."""
    if suite:
        there = [path for path in map(Path, DEFAULT_DATA) if path.exists()]
        return run_suite(data or there, assignments, seeds.split(","))
    runs = {seed: evaluated_run(config, [*assignments, f"seed={seed}"]) for seed in seeds.split(",")}
    bars = BARS.get(config, {})
    results = []
    evaluations = [run.evaluation for run in runs.values()]
    for metric in evaluations[0].gate_metrics:
        name = metric.replace("@", "").lower()
        values = {seed: run.evaluation.model.sampled[metric] for seed, run in runs.items()}
        results += [Result(f"{name}_seed_{seed}", value, "") for seed, value in values.items()]
        results.append(Result(f"{name}_mean", statistics.mean(values.values()), "", bar=bars.get(metric)))
        results.append(Result(f"{name}_spread", max(values.values()) - min(values.values()), ""))
        for baseline in evaluations[0].baselines:
            figures = [found.systems[baseline].sampled[metric] for found in evaluations]
            results.append(Result(f"{name}_{baseline}", statistics.mean(figures), ""))
    trainings = [run.history.seconds for run in runs.values()]
    return [
        *results,
        Result("seconds_per_training", statistics.mean(trainings), "s"),
        Result("seconds_of_longest_training", max(trainings), "s", bar=1800, at_most=True),
        Result("seconds_per_run", statistics.mean(run.seconds for run in runs.values()), "s"),
    ]
