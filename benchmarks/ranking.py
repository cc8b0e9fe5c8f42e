"""Full ranking: the Evaluator's scores of every item for every user, ranked with the seen items masked."""

import os
import tempfile
import time

import click
import numpy as np

from benchmarks import weights
from benchmarks.harness import Result, measure
from benchmarks.machine import product_speed
from benchmarks.neumf import MODELS, SHAPES, Shape, flops_of_pair
from components.evaluator.config import EvaluatorConfig
from components.ranking.ranks import FullRanking, Holdouts, rank_all_items
from components.shared.progress import Reporter
from components.shared.random_streams import generator

MODEL = MODELS["mlperf"]
SEEN = {"ml-1m": 166, "ml-20m": 144}  # items of a user
_PRODUCT_SIZE = 1024


@click.command()
@click.option("--size", type=click.Choice(list(SEEN)), default="ml-1m", show_default=True)
@click.option("--users", type=click.IntRange(1), default=None, help="Rank for so many of the users; default: all.")
def command(size: str, users: int | None) -> list[Result]:
    """Seconds to rank all items for all users with MLPerf's model: 64 factors, 256-256-128-64.

    The model is a SavedModel with random weights, read through its signature as in a run. Beside it, the speed of a
    large matrix product in the same process: most of the ranking is matrix products, and cannot be faster than that.
    """
    shape, items = SHAPES[size], SHAPES[size].items
    ranked = users or shape.users
    with tempfile.TemporaryDirectory() as folder:
        measure(save_model, folder, shape, prepare=import_quietly)
        found = measure(_rank, folder, random_holdouts(ranked, items, SEEN[size]), items, prepare=import_quietly)
    seconds, peak = found.value
    speed = flops_of_pair(MODEL) * ranked * items / seconds / 1e9
    return [
        Result("seconds", seconds, "s", bar=30 if (size, users) == ("ml-1m", None) else None, at_most=True),
        Result("pairs_per_second_millions", ranked * items / seconds / 1e6, "M pairs/s"),
        Result("gflops", speed, "GFLOP/s"),
        Result("gflops_of_a_large_product", peak, "GFLOP/s"),
        Result("share_of_a_large_product", speed / peak, ""),
        Result("peak_memory_gb", found.peak_memory_gb, "GB", bar=2, at_most=True),
    ]


def import_quietly() -> None:
    """Imports what ranking needs."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import components.serving.loader  # noqa: F401


def save_model(folder: str, shape: Shape) -> None:
    """Writes a SavedModel with random weights, and the same weights for other frameworks."""
    from components.artifacts.vocabulary import Vocabulary
    from components.serving.exporter import ServingModel
    from components.serving.seen_items import SeenItems
    from components.trainer.model import NeuMF

    # Scores that are far apart, and biases that count: else no comparison of top lists would find a fault.
    model = NeuMF(shape.users, shape.items, MODEL.factors, MODEL.layers, embedding_stddev=1.0)
    for variable in model.variables:
        if variable.path.endswith("bias"):
            variable.assign(generator(0, variable.path).normal(0, 0.1, variable.shape))
    weights.save(f"{folder}/weights.npz", weights.usual_weights(model))
    users, items = np.arange(shape.users), np.arange(shape.items)
    vocabulary = Vocabulary(users, items, np.ones_like(users), np.ones_like(items))
    ServingModel(model, vocabulary, SeenItems.nothing(shape.users)).save(f"{folder}/model")


def random_holdouts(users: int, items: int, seen: int) -> Holdouts:
    """The first users, each with a held-out item and so many seen ones at random."""
    random = generator(0, "benchmark of ranking")
    return Holdouts(
        np.arange(users, dtype=np.int32),
        random.integers(items, size=users, dtype=np.int32),
        random.integers(items, size=users * seen, dtype=np.int32),
        seen * np.arange(1, users + 1),
    )


def rank(folder: str, holdouts: Holdouts, items: int) -> tuple[float, FullRanking]:
    """Ranks with the SavedModel as the Evaluator does; the seconds without loading it, and what it found."""
    from components.ranking.compiled_scorer import CompiledScorer, fastest_scorer
    from components.serving.loader import ServedModel

    config = EvaluatorConfig()
    model = fastest_scorer(ServedModel(f"{folder}/model", items))
    assert isinstance(model, CompiledScorer)
    with Reporter().bar("", len(holdouts.users)) as bar:
        start = time.perf_counter()
        ranking = rank_all_items(model, holdouts, config.gate_k, config.pairs_per_block // items, bar)
        seconds = time.perf_counter() - start
    assert not ranking.not_finite
    return seconds, ranking


def _rank(folder: str, holdouts: Holdouts, items: int) -> tuple[float, float]:
    """Returns the seconds, and the GFLOP/s of a large matrix product before and after, the better one."""
    before = _large_product()
    seconds, _ = rank(folder, holdouts, items)
    return seconds, max(before, _large_product())


def _large_product() -> float:
    import tensorflow as tf

    matrix = tf.random.normal((_PRODUCT_SIZE, _PRODUCT_SIZE))
    return product_speed(lambda: (matrix @ matrix).numpy(), _PRODUCT_SIZE, repeats=20) / 1e9
