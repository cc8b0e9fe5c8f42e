"""Training rows drawn while training, where there are no files of them (`negatives.source: streamed`).

The speed is of the Trainer's input alone, all of it taken at once: in a process whose imports and compilation are done,
from interactions that are in the page cache. Then a training takes them, and told is which share of its time it waits.
"""

import contextlib
import itertools
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from benchmarks.harness import Result, measure
from benchmarks.negatives import SHAPES, write_interactions
from benchmarks.neumf import MODELS, training_settings

if TYPE_CHECKING:
    from components.sampling.stream import TrainingBatches

_NEGATIVES, _BATCH, _STEPS = 4, 16_384, 64
_EPOCHS = 1_000  # far more than are taken: their number costs nothing


@dataclass(frozen=True)
class Drained:
    """What taking some epochs showed: rows a second, and the seconds from opening the examples to the first batch."""

    rows_per_second: float
    first_step_seconds: float


@click.command(help=__doc__)
@click.option("--size", type=click.Choice(list(SHAPES)), default="ml-20m", show_default=True)
@click.option("--epochs", type=click.IntRange(1), default=3, show_default=True, help="To take at once.")
@click.option("--model", type=click.Choice(list(MODELS)), default="ncf8", show_default=True, help="To train.")
@click.option("--steps", type=click.IntRange(1), default=1_280, show_default=True, help="Of training.")
def command(size: str, epochs: int, model: str, steps: int) -> list[Result]:
    """Measures."""
    with tempfile.TemporaryDirectory(prefix="streaming-") as folder:
        interactions = write_interactions(Path(folder) / "interactions", *SHAPES[size])
        examples = f"{folder}/examples"
        measure(_prepare, interactions, examples)
        drained = measure(drain, examples, interactions, epochs, prepare=_warm_up)
        stalled = measure(_train, examples, interactions, model, steps, prepare=_warm_up)
    return [
        Result("rows_per_second_millions", drained.value.rows_per_second / 1e6, "M rows/s", bar=60),
        Result("first_step_seconds", drained.value.first_step_seconds, "s", bar=2, at_most=True),
        Result("peak_memory_gb", drained.peak_memory_gb, "GB", bar=2.5, at_most=True),
        Result("stall_share", stalled.value[0], "of the time of training", bar=0.01, at_most=True),
        Result("training_rows_per_second_millions", stalled.value[1] / 1e6, "M rows/s"),
    ]


def _prepare(interactions: str, examples: str) -> None:
    """Runs NegativeGen, which leaves the training rows to the Trainer."""
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

    from components.artifacts.interactions import Interactions
    from components.negative_gen.config import NegativesConfig
    from components.negative_gen.generate import generate
    from components.negative_gen.job import NegativesJob

    negatives = NegativesConfig(num_negatives=_NEGATIVES, num_eval_negatives=1, source="streamed")
    vocabulary = str(Path(interactions).with_name("vocabulary"))
    source = Interactions(interactions)
    job = NegativesJob(source, ("test",), vocabulary, examples, negatives, _BATCH, _EPOCHS, seed=1)
    with beam.Pipeline(options=PipelineOptions(["--runner=FnApiRunner"])) as pipeline:
        generate(pipeline, job)


def _warm_up() -> None:
    """Imports, and compiles on a few rows."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with tempfile.TemporaryDirectory() as folder:
        interactions = write_interactions(Path(folder) / "interactions", 40, 2_000, 1_000)
        _prepare(interactions, f"{folder}/examples")
        drain(f"{folder}/examples", interactions, epochs=1)


def drain(examples: str, interactions: str, epochs: int) -> Drained:
    """Takes all rows of some epochs, which examples without files have, as fast as they come."""
    from components.trainer.data import Examples

    start = time.perf_counter()
    opened = Examples.open(examples, interactions)
    first, batches = 0.0, 0
    with contextlib.closing(opened.training_epochs(range(epochs), _STEPS)) as drawn:
        for number, *_ in itertools.chain.from_iterable(drawn):
            first = first or time.perf_counter() - start
            batches += number
    assert batches == epochs * opened.summary.batches_per_epoch
    return Drained(batches * opened.summary.batch_size / (time.perf_counter() - start), first)


def _train(examples: str, interactions: str, model: str, steps: int) -> tuple[float, float]:
    """Trains; the share of its time, after the first element, that the step waits for rows, and rows a second."""
    from components.trainer.data import Examples
    from components.trainer.engines import Setup, make_engine
    from components.trainer.engines.devices import Device
    from components.trainer.fitting import new_model
    from components.trainer.loop import new_optimizer

    settings = training_settings(MODELS[model], _BATCH, _EPOCHS)
    opened = Examples.open(examples, interactions)
    network, optimizer = new_model(opened, settings, 0), new_optimizer(settings)
    optimizer.build(network.trainable_variables)
    engine = make_engine(Setup(network, optimizer, settings, _BATCH, Device("cpu")))
    engine.load()
    waited, done, start = 0.0, 0, 0.0
    with contextlib.closing(opened.training_epochs(range(_EPOCHS), _STEPS)) as drawn:
        for seconds, (number, user, item, label) in _timed(itertools.chain.from_iterable(drawn)):
            engine.train_steps(number, user, item, label)
            if not start:  # the first call compiles
                start = time.perf_counter()
                continue
            waited, done = waited + seconds, done + number
            if done >= steps:
                break
        elapsed = time.perf_counter() - start
    return waited / elapsed, done * _BATCH / elapsed


def _timed(elements: "Iterator[TrainingBatches]") -> "Iterator[tuple[float, TrainingBatches]]":
    """Each element with the seconds that it took to come."""
    while True:
        start = time.perf_counter()
        element = next(elements)
        yield time.perf_counter() - start, element
