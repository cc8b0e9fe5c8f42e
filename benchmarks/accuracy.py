"""Accuracy of whole runs of a configuration, over several seeds."""

import statistics
from collections.abc import Sequence

import click

from benchmarks.harness import Result, evaluated_run

# What NeuMF has to be ahead of on the NCF paper's ml-1m: iALS and matrix factorisation as tuned by Rendle et al.
# (RecSys 2020, RecSys 2022), and the paper's best NeuMF.
BARS = {"configs/ml-1m-ncf.yaml": {"HR@10": 0.732, "NDCG@10": 0.455}}


@click.command(help=__doc__)
@click.option("--config", default="configs/ml-1m-ncf.yaml", show_default=True, help="What to run.")
@click.option("--set", "assignments", multiple=True, metavar="SECTION.KEY=VALUE", help="Set one value on top of it.")
@click.option("--seeds", default="0,1,2", show_default=True, help="Seeds, separated by commas.")
def command(config: str, assignments: Sequence[str], seeds: str) -> list[Result]:
    """Runs the pipeline once for each seed and takes the figures from what it wrote."""
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
