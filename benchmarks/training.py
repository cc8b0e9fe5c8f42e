"""Training beside PyTorch and Keras `fit`: the same model, the same Adam, the same rows, on all cores of the CPU.

Ours is the pipeline's trainer, fed from TFRecords on disk, with all of an epoch counted: reading, stepping, the loss.
The rows are Preprocess's and NegativeGen's own, from synthetic interactions of the shape; validation, which the others
do not do either, and checkpoints are not counted. Of ml-20m's 100 M rows an epoch holds the first 64 batches: as the
rows are shuffled across the whole epoch, users and items are spread as in all of it. The first epoch compiles, and is
told apart.

The others hold the rows in memory already. Each of their settings is tried once; then ours and the best setting of each
take turns, every time in a process of its own. The best turn of each counts, for the others the trial too.
Nothing else may run on the machine: threads that wait for one another, PyTorch's above all, suffer from it out of
proportion.

The shares say how far ours is from what the machine can do: `benchmarks.neumf` defines the work of a step, and
`benchmarks.machine` the peaks, which are measured in turn with the rest.
"""

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import click

from benchmarks.columns import load_columns
from benchmarks.harness import Result, measure
from benchmarks.machine import Peaks, numpy_peaks, product_speed
from benchmarks.neumf import (
    MODELS,
    SHAPES,
    Model,
    Shape,
    Step,
    bytes_of_step,
    flops_of_step,
    mean_step,
    training_settings,
)
from benchmarks.peers import require
from benchmarks.peers.timing import COMPILED, EAGER, FUSED, SPARSE, Setting

_MOST_BATCHES = {"ml-1m": None, "ml-20m": 64}
_BARS = {("mlperf", "ml-1m"): 3.0, ("mlperf", "ml-20m"): 2.5, ("ncf8", "ml-1m"): 2.5}
_TORCH_SIZE = 2048
_BATCH_SIZES = (4_096, 16_384, 98_304)
_KERAS_WAYS = ("plain", "XLA")
# Adam on the rows of the batch alone is no gain where a batch holds most rows of the tables.
_TORCH_WAYS = {
    "ml-1m": (EAGER, FUSED, COMPILED),
    "ml-20m": (EAGER, FUSED, COMPILED, SPARSE),
}

Speeds = dict[Setting, float]


@click.command(help=__doc__)
@click.option("--model", "name", type=click.Choice(list(MODELS)), default="mlperf", show_default=True)
@click.option("--shape", "size", type=click.Choice(list(SHAPES)), default="ml-1m", show_default=True)
@click.option("--batch", type=click.IntRange(1), default=None, help="Rows of our steps; default: 98,304 and 16,384.")
@click.option("--epochs", type=click.IntRange(2), default=4, show_default=True, help="Epochs in each of our turns.")
@click.option("--rounds", type=click.IntRange(1), default=2, show_default=True, help="Turns of each.")
@click.option("--seconds", type=click.FloatRange(0), default=4.0, show_default=True, help="At least so long a turn.")
def command(name: str, size: str, batch: int | None, epochs: int, rounds: int, seconds: float) -> list[Result]:
    """Measures and compares."""
    require("torch")
    model, shape = MODELS[name], SHAPES[size]
    batch = batch or model.batch_size
    with tempfile.TemporaryDirectory(prefix="training-") as folder:
        shape, step = measure(_write, folder, shape, batch, epochs, _MOST_BATCHES[size]).value
        tried = {
            "pytorch": _try(_torch, _TORCH_WAYS[size], model, shape, folder, seconds / 2),
            "keras": _try(_keras, _KERAS_WAYS, model, shape, folder, seconds / 2),
        }
        torch_best, keras_best = (max(speeds, key=speeds.__getitem__) for speeds in tried.values())
        turns, peaks = [], []
        torch_turns, keras_turns = [tried["pytorch"][torch_best]], [tried["keras"][keras_best]]
        for _ in range(rounds):
            turns.append(measure(_train, folder, model, batch, epochs, prepare=_import).value)
            torch_turns.append(_torch(torch_best, model, shape, folder, seconds))
            keras_turns.append(_keras(keras_best, model, shape, folder, seconds))
            peaks.append(measure(numpy_peaks).value)
            peaks.append(Peaks(measure(_torch_product_speed).value, 0.0))
    ours = max(max(turn[1:]) for turn in turns)
    torch, keras = max(torch_turns), max(keras_turns)
    return [
        Result("examples_per_second", ours, f"examples/s, batch {batch:,}"),
        Result("pytorch_examples_per_second", torch, f"examples/s, {torch_best}"),
        Result("keras_examples_per_second", keras, f"examples/s, {keras_best}"),
        Result("ratio_to_pytorch", ours / torch, "times as fast", bar=_BARS.get((name, size))),
        Result("ratio_to_keras_fit", ours / keras, "times as fast"),
        Result("first_epoch_examples_per_second", max(turn[0] for turn in turns), "examples/s, compilation included"),
        *_shares(model, step, ours, peaks),
        *(
            Result(f"{framework}_{setting.way.replace(' ', '_')}_{setting.batch_size}", speed, "examples/s, tried once")
            for framework, speeds in tried.items()
            for setting, speed in speeds.items()
        ),
    ]


def _shares(model: Model, step: Step, speed: float, peaks: list[Peaks]) -> Iterator[Result]:
    flops, moved = max(peak.flops for peak in peaks), max(peak.bytes for peak in peaks)
    steps = speed / step.pairs
    used = steps * flops_of_step(model, step)
    streamed = steps * bytes_of_step(model, step, step.distinct)
    yield Result("share_of_matmul_peak", used / flops, "")
    yield Result("share_of_memory_bandwidth", streamed / moved, "")
    yield Result("gflops", used / 1e9, "GFLOP/s")
    yield Result("matmul_peak_gflops", flops / 1e9, "GFLOP/s")
    yield Result("gigabytes_per_second", streamed / 1e9, "GB/s")
    yield Result("memory_bandwidth_gigabytes", moved / 1e9, "GB/s")
    yield Result("distinct_rows_per_step", step.distinct, "users and items")


def _write(folder: str, shape: Shape, batch: int, epochs: int, most_batches: int | None) -> tuple[Shape, Step]:
    """Writes the examples; returns the shape that they have, which may lack a few items, and the mean step."""
    from benchmarks.examples import save_first_epoch, write_examples
    from components.artifacts.examples import ExamplesSummary

    write_examples(f"{folder}/examples", shape, batch, epochs, most_batches)
    save_first_epoch(f"{folder}/examples", folder)
    summary = ExamplesSummary.read(f"{folder}/examples")
    user, item, _ = load_columns(folder)
    return Shape(summary.users, summary.items, shape.interactions), mean_step(user, item, batch)


def _import() -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import components.trainer.fitting  # noqa: F401


def _train(folder: str, model: Model, batch: int, epochs: int) -> list[float]:
    """Trains as a run of the pipeline does; examples a second of each epoch."""
    from components.trainer.data import Examples
    from components.trainer.engines.devices import find_device
    from components.trainer.fitting import fit

    settings = training_settings(model, batch, epochs)
    with tempfile.TemporaryDirectory(dir=folder) as run:
        examples, device = Examples.open(f"{folder}/examples"), find_device(settings.device)
        trained = fit(examples, settings, 0, device, None, f"{run}/checkpoint", f"{run}/logs")
    return [epoch.examples_per_second for epoch in trained.stages[-1].epochs]


def _try(speed: Callable[..., float], ways: Iterable[str], *arguments: Any) -> Speeds:
    settings = [Setting(way, batch_size) for way in ways for batch_size in _BATCH_SIZES]
    return {setting: speed(setting, *arguments) for setting in settings}


def _torch(*arguments: Any) -> float:
    return measure(_torch_speed, *arguments).value


def _torch_speed(setting: Setting, model: Model, shape: Shape, folder: str, seconds: float) -> float:
    from benchmarks.peers.torch_neumf import training_speed

    return training_speed(setting, model, shape, load_columns(folder), seconds)


def _torch_product_speed() -> float:
    from benchmarks.peers.torch_neumf import product

    return product_speed(product(_TORCH_SIZE), _TORCH_SIZE)


def _keras(*arguments: Any) -> float:
    return measure(_keras_speed, *arguments).value


def _keras_speed(setting: Setting, model: Model, shape: Shape, folder: str, seconds: float) -> float:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from benchmarks.peers.keras_neumf import training_speed

    return training_speed(setting, model, shape, load_columns(folder), seconds)
