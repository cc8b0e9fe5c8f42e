"""Training under Keras' JAX backend beside PyTorch on the same device: a GPU where JAX finds one, else the CPU.

The rows are drawn at random in the shape, and lie on the device already; what feeds them is measured by `reading`.
PyTorch is the usual NeuMF in its best setting of eager, fused Adam and compiled. The share of memory bandwidth is that
of the bytes that a step moves at least (`benchmarks.neumf.bytes_of_step`, Adam being dense) in a copy on the device.
"""

import os
from collections.abc import Iterator
from typing import Any

import click
import numpy as np

from benchmarks.harness import Result, measure
from benchmarks.machine import Peaks
from benchmarks.neumf import MODELS, SHAPES, Model, Shape, bytes_of_step, flops_of_step, mean_step
from benchmarks.peers import require
from benchmarks.peers.timing import COMPILED, EAGER, FUSED, Setting
from components.shared.errors import UserError
from components.shared.random_streams import generator

_TORCH_WAYS = (EAGER, FUSED, COMPILED)
_PRODUCT_SIZES = {"cpu": 2048}
_LARGE_PRODUCT_SIZE = 8192


@click.command(help=__doc__)
@click.option("--model", "name", type=click.Choice(list(MODELS)), default="mlperf", show_default=True)
@click.option("--shape", "size", type=click.Choice(list(SHAPES)), default="ml-20m", show_default=True)
@click.option("--batches", default="98304,1048576", show_default=True, help="Rows of a step, separated by commas.")
@click.option("--steps", type=click.IntRange(1), default=16, show_default=True, help="Steps in one call of ours.")
@click.option("--seconds", type=click.FloatRange(0), default=5.0, show_default=True, help="At least so long each.")
def command(name: str, size: str, batches: str, steps: int, seconds: float) -> list[Result]:
    """Measures and compares."""
    require("jax")
    require("torch")
    model, shape = MODELS[name], SHAPES[size]
    platform, kind, peaks = measure(_device).value
    if platform == "gpu" and not measure(_torch_has_gpu).value:
        raise UserError("JAX finds a GPU and PyTorch does not: install a PyTorch that is built for it")
    results = [
        Result("memory_bandwidth_gigabytes", peaks.bytes / 1e9, f"GB/s, {kind}"),
        Result("matmul_peak_gflops", peaks.flops / 1e9, f"GFLOP/s, {kind}"),
    ]
    for batch in map(int, batches.split(",")):
        results += _compare(model, shape, batch, steps, seconds, platform, peaks)
    return results


def _compare(
    model: Model, shape: Shape, batch: int, steps: int, seconds: float, platform: str, peaks: Peaks
) -> Iterator[Result]:
    ours = measure(_jax_speed, shape, model, batch, steps, seconds).value
    speeds = {
        way: measure(_torch_speed, Setting(way, batch), model, shape, steps, platform, seconds).value
        for way in _TORCH_WAYS
    }
    best = max(speeds, key=speeds.__getitem__)
    user, item, _ = random_rows(shape, batch)
    step = mean_step(user, item, batch)
    moved = bytes_of_step(model, step, shape.users + shape.items)
    yield Result(f"examples_per_second_{batch}", ours, "examples/s")
    yield Result(f"pytorch_examples_per_second_{batch}", speeds[best], f"examples/s, {best}")
    yield Result(f"ratio_to_pytorch_{batch}", ours / speeds[best], "times as fast")
    yield Result(f"share_of_memory_bandwidth_{batch}", ours / batch * moved / peaks.bytes, "")
    yield Result(f"share_of_matmul_peak_{batch}", ours / batch * flops_of_step(model, step) / peaks.flops, "")


def random_rows(shape: Shape, rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows as training has them: some users far more active than others, and one in five a positive of a popular item.

    Returns:
      Users and items, int32 [rows], and labels, uint8 [rows].
    """
    random = generator(0, "benchmark on a device")
    activity = np.cumsum(random.lognormal(0, 1, shape.users))
    user = np.searchsorted(activity, random.random(rows) * activity[-1]).astype(np.int32)
    label = (random.random(rows) < 0.2).astype(np.uint8)
    place = random.random(rows)
    item = (shape.items * np.where(label, place**3, place)).astype(np.int32)
    return user, item, label


def _with_jax() -> Any:
    os.environ["KERAS_BACKEND"] = "jax"
    from benchmarks import jax_training

    return jax_training


def _device() -> tuple[str, str, Peaks]:
    training = _with_jax()
    platform, kind = training.device()
    return platform, kind, training.peaks(_PRODUCT_SIZES.get(platform, _LARGE_PRODUCT_SIZE))


def _jax_speed(shape: Shape, model: Model, batch: int, steps: int, seconds: float) -> float:
    return _with_jax().training_speed(shape, model, batch, random_rows(shape, steps * batch), seconds)


def _torch_has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()


def _torch_speed(setting: Setting, model: Model, shape: Shape, steps: int, platform: str, seconds: float) -> float:
    from benchmarks.peers.torch_neumf import training_speed

    rows = random_rows(shape, steps * setting.batch_size)
    return training_speed(setting, model, shape, rows, seconds, "cuda" if platform == "gpu" else "cpu")
