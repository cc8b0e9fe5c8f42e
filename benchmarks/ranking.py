"""Full ranking: the Evaluator's scores of every item for every user, ranked with the seen items masked."""

import itertools
import os
import tempfile
import time

import click
import numpy as np

from benchmarks.harness import Result, measure
from components.evaluator.config import EvaluatorConfig
from components.evaluator.ranking import Holdouts, rank_all_items
from components.progress import Reporter
from components.random_streams import generator

_SHAPES = {"ml-1m": (6_040, 3_706, 166), "ml-20m": (138_493, 26_744, 144)}  # users, items, seen items of a user
_FACTORS, _LAYERS = 64, (256, 256, 128, 64)
_FLOPS_PER_PAIR = 2 * (sum(a * b for a, b in itertools.pairwise(_LAYERS[1:])) + _LAYERS[-1] + _FACTORS)


@click.command()
@click.option("--size", type=click.Choice(list(_SHAPES)), default="ml-1m", show_default=True)
@click.option("--users", type=click.IntRange(1), default=None, help="Rank for so many of the users; default: all.")
def command(size: str, users: int | None) -> list[Result]:
    """Seconds to rank all items for all users with MLPerf's model: 64 factors, 256-256-128-64.

    The model is a SavedModel with random weights, read through its signature as in a run. Beside it, the speed of a
    large matrix product in the same process: most of the ranking is matrix products, and cannot be faster than that.
    """
    of_all, items, seen = _SHAPES[size]
    ranked = users or of_all
    with tempfile.TemporaryDirectory() as folder:
        measure(_save_model, folder, of_all, items, prepare=_import)
        found = measure(_rank, folder, ranked, items, seen, prepare=_import)
    seconds, peak = found.value
    speed = _FLOPS_PER_PAIR * ranked * items / seconds / 1e9
    return [
        Result("seconds", seconds, "s", bar=30 if (size, users) == ("ml-1m", None) else None, at_most=True),
        Result("pairs_per_second_millions", ranked * items / seconds / 1e6, "M pairs/s"),
        Result("gflops", speed, "GFLOP/s"),
        Result("gflops_of_a_large_product", peak, "GFLOP/s"),
        Result("share_of_a_large_product", speed / peak, ""),
        Result("peak_memory_gb", found.peak_memory_gb, "GB", bar=2, at_most=True),
    ]


def _import() -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import components.evaluator.served_model  # noqa: F401


def _save_model(folder: str, users: int, items: int) -> None:
    from components.trainer.export import ServingModel
    from components.trainer.model import NeuMF
    from components.trainer.vocabulary import Vocabulary

    vocabulary = Vocabulary(np.arange(users), np.arange(items), np.ones(items, np.int64))
    ServingModel(NeuMF(users, items, _FACTORS, _LAYERS), vocabulary).save(f"{folder}/model")


def _rank(folder: str, users: int, items: int, seen: int) -> tuple[float, float]:
    """Returns the seconds, and the GFLOP/s of a large matrix product before and after, the better one."""
    from components.evaluator.served_model import ServedModel

    config = EvaluatorConfig()
    model = ServedModel(f"{folder}/model", items)
    random = generator(0, "benchmark of ranking")
    holdouts = Holdouts(
        np.arange(users, dtype=np.int32),
        random.integers(items, size=users, dtype=np.int32),
        random.integers(items, size=users * seen, dtype=np.int32),
        seen * np.arange(1, users + 1),
    )
    before = _large_product()
    with Reporter().bar("", users) as bar:
        start = time.perf_counter()
        ranking = rank_all_items(model, holdouts, config.gate_k, config.pairs_per_block // items, bar)
        seconds = time.perf_counter() - start
    assert not ranking.not_finite
    return seconds, max(before, _large_product())


def _large_product(size: int = 1024, repeats: int = 20) -> float:
    import tensorflow as tf

    matrix = tf.random.normal((size, size))
    (matrix @ matrix).numpy()
    start = time.perf_counter()
    for _ in range(repeats):
        product = matrix @ matrix
    product.numpy()
    return repeats * 2 * size**3 / (time.perf_counter() - start) / 1e9
