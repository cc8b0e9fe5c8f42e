"""NegativeGen beside the algorithm that it replaces: the NCF of the TensorFlow models, 2018."""

import multiprocessing
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import numpy.typing as npt
from numba import njit

from benchmarks.harness import Result, measure
from components.artifacts.interactions import Interactions, Pairs, Shard, write_shard
from components.artifacts.interactions_summary import Dropped
from components.artifacts.records import write_batches
from components.artifacts.splits import Split
from components.preprocess.writer import finish
from components.shared.parallel import cores
from components.shared.random_streams import generator

SHAPES = {"ml-20m": (138_493, 26_744, 20_000_000), "ml-1m": (6_040, 3_706, 1_000_000)}
_LEAST, _SHARDS, _NEGATIVES, _EVALUATION_NEGATIVES, _BATCH = 20, 20, 4, 999, 65_536
_ORIGIN_POSITIVES = 4_000_000


@click.command()
@click.option("--size", type=click.Choice(list(SHAPES)), default="ml-20m", show_default=True)
@click.option("--epochs", type=click.IntRange(1), default=3, show_default=True, help="Training epochs to write.")
def command(size: str, epochs: int) -> list[Result]:
    """Training rows per second, four negatives for each positive, TFRecord files included.

    Measured is what the component's executor calls, on Beam's in-memory runner, in a process whose imports and
    compilation are done. The origin's algorithm runs on as many cores; from 4 M positives on, it is measured on the
    users of the first 4 M, which favours it: its permutation of everything slows down with the number of rows.
    """
    users, items, positives = SHAPES[size]
    with tempfile.TemporaryDirectory() as folder:
        uri = write_interactions(Path(folder) / "interactions", users, items, positives)
        ours = measure(_generate, uri, f"{folder}/train", (), epochs, prepare=_warm_up)
        shutil.rmtree(f"{folder}/train")
        ranked = measure(_generate, uri, f"{folder}/evaluation", ("test",), 0, prepare=_warm_up)
        shutil.rmtree(f"{folder}/evaluation")
        origin = measure(_origin, uri, f"{folder}/origin", items)
    rate = epochs * positives * (1 + _NEGATIVES) / ours.seconds / 1e6
    origin_rate = origin.value / origin.seconds / 1e6
    return [
        Result("rows_per_second_millions", rate, "M rows/s", bar=40),
        Result("ratio_to_origin", rate / origin_rate, "times as fast"),
        Result("peak_memory_gb", ours.peak_memory_gb, "GB", bar=3, at_most=True),
        Result("origin_rows_per_second_millions", origin_rate, "M rows/s"),
        Result(
            "evaluation_rows_per_second_millions",
            users * (1 + _EVALUATION_NEGATIVES) / ranked.seconds / 1e6,
            "M rows/s",
        ),
    ]


def write_interactions(folder: Path, users: int, items: int, positives: int) -> str:
    """Writes an interactions artifact with skewed activity and popularity; every user has at least 20 items."""
    activity = np.minimum(generator(0, "activity").lognormal(0, 1.15, users), 60)
    counts = (_LEAST + activity * (positives / users - _LEAST) / activity.mean()).astype(np.int64)
    counts[: positives - counts.sum()] += 1
    bounds = np.searchsorted(np.cumsum(counts), np.linspace(0, positives, _SHARDS + 1)[1:-1])
    written = []
    for number, part in enumerate(np.split(np.arange(users, dtype=np.int32), bounds)):
        taken = counts[part] + 1  # the last one is the test item
        chosen = _choose(taken, items, number)
        last = np.cumsum(taken) - 1
        shard = Shard(
            number=number,
            first_user=int(part[0]),
            train=Pairs(np.repeat(part, counts[part]), np.delete(chosen, last)),
            test=Pairs(part, chosen[last]),
            validation=None,
            train_counts=counts[part].astype(np.int32),
        )
        written.append(write_shard(str(folder), shard, _SHARDS))
    finish(
        written,
        np.arange(users),
        np.arange(items),
        str(folder),
        str(folder.with_name("vocabulary")),
        rows_read=positives + users,
        dropped=Dropped(),
        holdout="random",
        timed=False,
        dataset="benchmark of negatives",
    )
    return str(folder)


@njit
def _choose(counts: np.ndarray, items: int, seed: int) -> np.ndarray:
    """For each user so many different items, popular ones more often."""
    np.random.seed(seed)
    chosen = np.empty(counts.sum(), np.int32)
    owner = np.full(items, -1, np.int64)
    end = 0
    for user, count in enumerate(counts):
        begin = end
        while end - begin < count:
            item = int(items * np.random.random() ** 3)
            if owner[item] != user:
                owner[item] = user
                chosen[end] = item
                end += 1
    return chosen


def _generate(interactions: str, examples: str, evaluation_splits: tuple[Split, ...], epochs: int) -> None:
    """What the component's executor does."""
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

    from components.negative_gen.config import NegativesConfig
    from components.negative_gen.generate import generate
    from components.negative_gen.job import NegativesJob

    negatives = NegativesConfig(num_negatives=_NEGATIVES, num_eval_negatives=_EVALUATION_NEGATIVES)
    vocabulary = str(Path(interactions).with_name("vocabulary"))
    job = NegativesJob(
        Interactions(interactions), evaluation_splits, vocabulary, examples, negatives, _BATCH, epochs, seed=1
    )
    with beam.Pipeline(options=PipelineOptions(["--runner=FnApiRunner"])) as pipeline:
        generate(pipeline, job)


def _warm_up() -> None:
    """Imports, and compiles on a few rows."""
    with tempfile.TemporaryDirectory() as folder:
        uri = write_interactions(Path(folder) / "interactions", 40, 2000, 1000)
        _generate(uri, f"{folder}/examples", ("test",), 1)


def _origin(interactions: str, folder: str, items: int) -> int:
    """The origin's algorithm; returns the number of rows that it wrote.

    Each user's candidates are drawn with NumPy and checked against a Python set, in a pool of processes; all rows are
    permuted at once, and cut into batches.
    """
    rows = [shard.train for shard in Interactions(interactions).summary.shards]
    shards = range(max(1, _ORIGIN_POSITIVES * len(rows) // sum(rows)))[: len(rows)]
    with multiprocessing.Pool(cores()) as pool:
        parts = pool.starmap(_origin_shard, [(interactions, shard, items) for shard in shards])
    user, item, label = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    order = np.random.default_rng(0).permutation(len(user))
    columns = {"user": user[order], "item": item[order], "label": label[order]}
    write_batches(f"{folder}/epoch.tfrecord", _batches(columns))
    return len(user)


def _origin_shard(
    interactions: str, shard: int, items: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
    users, positives = Interactions(interactions).shard("train", shard)
    starts = np.flatnonzero(np.diff(users, prepend=-1))
    negatives = [
        _sample_with_exclusion(items, set(mine.tolist()), _NEGATIVES * len(mine))
        for mine in np.split(positives, starts[1:])
    ]
    user = np.concatenate([users, np.repeat(users, _NEGATIVES)])
    item = np.concatenate([positives, *negatives])
    label = np.zeros(len(user), np.uint8)
    label[: len(users)] = 1
    return user, item, label


def _sample_with_exclusion(items: int, excluded: set[int], count: int) -> np.ndarray:
    """So many items that are not in the set, by rejection."""
    chosen: list[int] = []
    while len(chosen) < count:
        candidates = np.random.randint(items, size=int((count - len(chosen)) * 1.2) + 1)
        chosen.extend(item for item in candidates.tolist() if item not in excluded)
    return np.array(chosen[:count], np.int32)


def _batches(columns: dict[str, np.ndarray]) -> Iterator[dict[str, np.ndarray]]:
    """Whole batches of the rows."""
    for start in range(0, len(columns["user"]) - _BATCH + 1, _BATCH):
        yield {name: values[start : start + _BATCH] for name, values in columns.items()}
