"""Accuracy of whole runs with the defaults on data that they were not made for: each file of a folder."""

import gzip
import statistics
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks import new_users
from benchmarks.harness import Result, Run, evaluated_run
from components.artifacts.evaluation import MODEL
from components.evaluator.baselines import BASELINES
from components.evaluator.bootstrap import Interval
from components.shared.errors import UserError

DEFAULT_DATA = ("../shared/data/other", "../shared/data/ml-100k")
METRICS = ("HR@10", "NDCG@10")
# Baselines have no part in what is asked of new users; popularity costs nothing.
NEW_USERS = ["evaluator.new_users=0.1", *(f"evaluator.{name}=false" for name in BASELINES if name != "popularity")]
# From the file to the pushed model, on two idle cores.
SECONDS = {"lastfm": 60, "ml-100k": 60, "ml-1m": 240}
_ENDINGS = (".csv", ".csv.gz")
_MOVIELENS_100K = "u.data"


@dataclass(frozen=True)
class DataFile:
    """A file of interactions.

    Attributes:
      name: what its results are called by.
      dataset: the section of the configuration that reads it.
      timed: whether it has timestamps.
    """

    name: str
    dataset: dict[str, Any]
    timed: bool


@dataclass(frozen=True)
class Measured:
    """What the runs on a file came to.

    Attributes:
      file: the file.
      means: of each system over the runs, by the metric, by full ranking.
      seconds: of a run, on average.
      blessed: the share of the runs whose model was blessed.
      new_users: the HR@10 of users who were held out entirely, in runs of their own, as a multiple of what the same
        users have in the runs that trained on them; None where there are too few users to hold out any.
    """

    file: DataFile
    means: Mapping[str, Mapping[str, float]]
    seconds: float
    blessed: float
    new_users: Interval | None

    def ratio_to(self, baselines: Iterable[str], metric: str) -> float:
        """The model's mean as a multiple of that of the best of some baselines."""
        return self.means[MODEL][metric] / max(self.means[name][metric] for name in baselines)

    @property
    def baselines(self) -> list[str]:
        """The baselines that were measured."""
        return [name for name in self.means if name != MODEL]


def run_suite(data: Sequence[Path], assignments: Sequence[str], seeds: Sequence[str]) -> list[Result]:
    """Runs the pipeline on every file, once for each seed, and once more with users held out.

    Args:
      data: folders and files.
      assignments: what to set on top of the defaults, as SECTION.KEY=VALUE.
      seeds: of the runs.

    Raises:
      UserError: there is nothing to read, or no run came to its end.
    """
    measured, failed = [], []
    for file in find_files(data):
        try:
            measured.append(_measure(file, assignments, seeds))
        except subprocess.CalledProcessError:  # which the pipeline has told the reason of
            failed.append(file.name)
    if not measured:
        raise UserError(f"no run came to its end: {', '.join(failed)}")
    return [*results(measured), *(Result(f"{name}_failed", 1, "", bar=0, at_most=True) for name in failed)]


def find_files(data: Sequence[Path]) -> list[DataFile]:
    """The files among some paths, and in those of them that are folders.

    Raises:
      UserError: there is none, a path is not there, or a file lacks a column.
    """
    if missing := [path for path in data if not path.exists()]:
        raise UserError(f"--data: {missing[0]} is not there")
    below = [path for given in data for path in (sorted(given.iterdir()) if given.is_dir() else [given])]
    files = [_describe(path) for path in below if path.name.endswith(_ENDINGS) or path.name == _MOVIELENS_100K]
    if not files:
        raise UserError(f"--data: there is no CSV file in {', '.join(map(str, data))}")
    return files


def _describe(path: Path) -> DataFile:
    dataset = {"kind": "files", "path": str(path)}
    if path.name == _MOVIELENS_100K:
        columns = {"user_column": 0, "item_column": 1, "timestamp_column": 3}
        return DataFile("ml-100k", {**dataset, **columns, "separator": "\t", "header": False}, timed=True)
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        header = file.readline().strip().split(",")
    if not {"user", "item"} <= set(header):
        raise UserError(f"{path}: its first line has to name the columns user,item[,timestamp], not {','.join(header)}")
    timed = "timestamp" in header
    return DataFile(path.name.partition(".")[0], dataset if timed else {**dataset, "timestamp_column": None}, timed)


def _measure(file: DataFile, assignments: Sequence[str], seeds: Sequence[str]) -> Measured:
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as config:
        yaml.safe_dump({"dataset": file.dataset}, config)
        config.flush()
        runs, ranks = zip(*(_run_twice(config.name, [*assignments, f"seed={seed}"]) for seed in seeds), strict=True)
    return summarise(file, runs, new_users.ratio(ranks))


def _run_twice(config: str, assignments: Sequence[str]) -> tuple[Run, new_users.Ranks]:
    """A run, and what its users lose where another one holds them out."""
    with tempfile.TemporaryDirectory(prefix="suite-") as folder:
        with_all, without = Path(folder, "with-all"), Path(folder, "without")
        run = evaluated_run(config, assignments, with_all)
        evaluated_run(config, [*assignments, *NEW_USERS], without)
        return run, new_users.compare(without, with_all)


def summarise(file: DataFile, runs: Sequence[Run], of_new_users: Interval | None) -> Measured:
    """The means over the runs, of the systems that all of them measured, beside the ratio of new users."""
    systems = [run.evaluation.systems for run in runs]
    return Measured(
        file=file,
        means={
            name: {metric: statistics.mean(found[name].full[metric] for found in systems) for metric in METRICS}
            for name in systems[0]
            if all(name in found for found in systems)
        },
        seconds=statistics.mean(run.seconds for run in runs),
        blessed=statistics.mean(run.evaluation.blessed for run in runs),
        new_users=of_new_users,
    )


def results(suite: Sequence[Measured]) -> list[Result]:
    """The figures of each file, and what they come to over all of them."""
    to_best = [found.ratio_to(found.baselines, metric) for found in suite for metric in METRICS]
    with_als = [found for found in suite if "als" in found.means]
    to_als = [found.ratio_to(["als"], metric) for found in with_als for metric in METRICS]
    timed = [found.ratio_to(["als"], metric) for found in with_als if found.file.timed for metric in METRICS]
    ratios = [found.new_users for found in suite if found.new_users is not None]
    return [
        *(result for found in suite for result in _of_file(found)),
        Result("ratio_to_best_baseline_least", min(to_best), "", bar=0.95),
        Result("ratio_to_best_baseline_mean", statistics.mean(to_best), "", bar=1.05),
        *([Result("ratio_to_als_least", min(to_als), "", bar=1)] if to_als else []),
        *([Result("ratio_to_als_timed_least", min(timed), "", bar=2.2)] if timed else []),
        *_least_ratio_of_new_users(ratios),
    ]


def _least_ratio_of_new_users(ratios: Sequence[Interval]) -> list[Result]:
    """The least of the means, and the upper end of its interval: where that is below the bar, too, it is no chance."""
    if not ratios:
        return []
    least = min(ratios, key=lambda ratio: ratio.mean)
    return [
        Result("new_users_ratio_least", least.mean, "", bar=0.95),
        Result("new_users_ratio_least_at_most", least.high, ""),
    ]


def _of_file(found: Measured) -> list[Result]:
    name = found.file.name
    figures = [
        Result(f"{name}_{metric.replace('@', '').lower()}_{system}", means[metric], "")
        for metric in METRICS
        for system, means in found.means.items()
    ]
    bar = SECONDS.get(name)
    return [
        *figures,
        Result(
            f"{name}_ratio_to_best_baseline", min(found.ratio_to(found.baselines, metric) for metric in METRICS), ""
        ),
        *_ratio_of_new_users(name, found.new_users),
        Result(f"{name}_blessed", found.blessed, "of the runs"),
        Result(f"{name}_seconds", found.seconds, "s", bar=bar, at_most=True),
    ]


def _ratio_of_new_users(name: str, ratio: Interval | None) -> list[Result]:
    if ratio is None:
        return []
    parts = {"": ratio.mean, "_low": ratio.low, "_high": ratio.high}
    return [Result(f"{name}_new_users_ratio{part}", value, "") for part, value in parts.items()]
