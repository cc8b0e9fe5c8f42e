"""Recommendations for every user of a pushed model, in a file: `python -m pipeline recommend --all`."""

import os
import tempfile

import click
import numpy as np

from benchmarks.harness import Result, measure
from benchmarks.neumf import SHAPES, Shape
from components.shared.random_streams import generator

# What the defaults come to at ml-20m's shape: 32 factors, towers in closed form of 128 and 256 columns, the MLP tower.
FACTORS, LAYERS = 32 + 128 + 256, (64, 32, 16, 8)
SECONDS = 600


@click.command()
@click.option("--size", type=click.Choice(list(SHAPES)), default="ml-20m", show_default=True)
@click.option("-k", "k", type=click.IntRange(1), default=100, show_default=True, help="Items for each user.")
def command(size: str, k: int) -> list[Result]:
    """Seconds to write the k best unseen items of every user to Parquet, with titles, the model loaded anew.

    The model has random weights, and the default's width of rows and MLP tower; users have seen as many items as in
    MovieLens, at random.
    """
    shape = SHAPES[size]
    with tempfile.TemporaryDirectory() as folder:
        measure(save_model, folder, shape, prepare=_import_quietly)
        found = measure(_recommend_to_all, folder, k, prepare=_import_quietly)
        megabytes = os.path.getsize(f"{folder}/recommendations.parquet") / 1e6
    bar = SECONDS if (size, k) == ("ml-20m", 100) else None
    return [
        Result("seconds", found.seconds, "s", bar=bar, at_most=True),
        Result("peak_memory_gb", found.peak_memory_gb, "GB"),
        Result("users_per_second", shape.users / found.seconds, "users/s"),
        Result("rows_millions", shape.users * k / 1e6, "M rows, at most"),
        Result("file_mb", megabytes, "MB"),
    ]


def _import_quietly() -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import components.serving.exporter  # noqa: F401
    import pipeline.recommending.command  # noqa: F401


def save_model(folder: str, shape: Shape) -> None:
    """Writes a SavedModel with random weights."""
    from components.artifacts.vocabulary import Vocabulary
    from components.serving.exporter import ServingModel
    from components.serving.seen_items import SeenItems
    from components.trainer.model import NeuMF

    random = generator(0, "benchmark of recommendations in bulk")
    each = shape.interactions // shape.users
    counts = np.full(shape.users, each)
    seen = SeenItems(random.integers(shape.items, size=each * shape.users, dtype=np.int32), np.cumsum(counts))
    titles = [f"Title of item {item} (1999)" for item in range(shape.items)]
    popularity = random.integers(1, 60_000, shape.items)
    vocabulary = Vocabulary(np.arange(shape.users), np.arange(shape.items), counts, popularity, titles)
    model = NeuMF(shape.users, shape.items, FACTORS, LAYERS, embedding_stddev=0.1)
    ServingModel(model, vocabulary, seen).save(f"{folder}/serving/1")


def _recommend_to_all(folder: str, k: int) -> None:
    from click.testing import CliRunner

    from pipeline.recommending.command import recommend

    output = f"{folder}/recommendations.parquet"
    arguments = ["--model", f"{folder}/serving", "--all", "-k", str(k), "-o", output]
    outcome = CliRunner().invoke(recommend, arguments)
    if outcome.exit_code:
        raise RuntimeError(outcome.output)
