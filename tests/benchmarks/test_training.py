"""The commands that compare trainings, in one process and on small data."""

import os
from collections.abc import Callable
from typing import Any

import pytest

from benchmarks import gpu, training
from benchmarks.harness import Measurement, Result, measure
from benchmarks.machine import Peaks
from benchmarks.neumf import Model, Shape, Step
from benchmarks.peers.timing import EAGER, FUSED

_MODEL, _SHAPE = Model(4, (16, 8, 6), 128), Shape(60, 50, 600)


def _here(function: Callable[..., Any], *arguments: Any, prepare: Callable[[], Any] | None = None) -> Measurement:
    return Measurement(1.0, 1.0, 1.0, 1.0, function(*arguments))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    for module in (training, gpu):
        monkeypatch.setattr(module, "measure", _here)
        monkeypatch.setitem(module.MODELS, "ncf8", _MODEL)
        monkeypatch.setitem(module.SHAPES, "ml-1m", _SHAPE)
    monkeypatch.setattr(training, "_BATCH_SIZES", (64, 128))
    monkeypatch.setattr(training, "_KERAS_WAYS", ("plain",))
    monkeypatch.setitem(training._TORCH_WAYS, "ml-1m", (EAGER, FUSED))
    monkeypatch.setattr(training, "numpy_peaks", lambda: Peaks(1e11, 1e10))


def _run(command: Callable[..., list[Result]], **options: Any) -> dict[str, Result]:
    return {result.name: result for result in command(**options)}


def test_ours_is_compared_with_the_best_setting_of_each(small: None) -> None:
    command = training.command.callback
    assert command is not None
    results = _run(command, name="ncf8", size="ml-1m", batch=None, epochs=2, rounds=1, seconds=0.02)
    ours, torch, keras = (results[f"{name}examples_per_second"] for name in ("", "pytorch_", "keras_"))
    assert results["ratio_to_pytorch"].value == ours.value / torch.value
    assert results["ratio_to_keras_fit"].value == ours.value / keras.value
    tried = {
        f"{way}, batch {size}": results[f"pytorch_{way.replace(' ', '_')}_{size}"].value
        for way in (EAGER, FUSED)
        for size in (64, 128)
    }
    assert torch.unit == f"examples/s, {max(tried, key=tried.__getitem__)}"
    assert keras.unit.startswith("examples/s, plain, batch ")
    assert ours.unit == "examples/s, batch 128"
    assert results["first_epoch_examples_per_second"].value > 0


@pytest.mark.parametrize(
    ("name", "size", "bar"), [("mlperf", "ml-1m", 3), ("mlperf", "ml-20m", 2.5), ("ncf8", "ml-1m", 2.5)]
)
def test_bars_are_those_of_the_claims(name: str, size: str, bar: float) -> None:
    assert training._BARS[name, size] == bar


def test_shares_are_of_the_best_peaks_measured() -> None:
    peaks = [Peaks(4e9, 1e9), Peaks(5e9, 0.0), Peaks(3e9, 2e9)]
    step = Step(pairs=128, distinct=40)
    shares = {result.name: result.value for result in training._shares(_MODEL, step, 1280.0, peaks)}
    flops = 10 * 3 * (128 * 2 * (8 * 6 + 6 + 4) + 40 * 2 * 8 * 8)
    moved = 10 * (4 * (128 * (3 * 2 * (4 + 8) + 4 * (8 + 6)) + 6 * 40 * (4 + 8)) + 128 * 9)
    assert shares["share_of_matmul_peak"] == pytest.approx(flops / 5e9)
    assert shares["share_of_memory_bandwidth"] == pytest.approx(moved / 2e9)


def test_random_rows_have_popular_items_and_active_users() -> None:
    user, item, label = gpu.random_rows(Shape(100, 50, 0), 20_000)
    assert (user.dtype, item.dtype, label.dtype) == ("int32", "int32", "uint8")
    assert label.mean() == pytest.approx(0.2, abs=0.02)
    assert 0 <= user.min() < user.max() < 100
    assert 0 <= item.min() < item.max() < 50
    assert item[label == 1].mean() < 0.7 * item[label == 0].mean()


@pytest.mark.slow
def test_the_benchmark_of_a_device_runs_on_the_cpu(small: None, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("jax")
    monkeypatch.setattr(gpu, "_TORCH_WAYS", (EAGER,))
    monkeypatch.setenv("JAX_PLATFORMS", "cpu")

    def in_its_own_with_jax(function: Callable[..., Any], *arguments: Any) -> Measurement:
        # Keras has one backend in a process.
        return (measure if function in (gpu._device, gpu._jax_speed) else _here)(function, *arguments)

    monkeypatch.setattr(gpu, "measure", in_its_own_with_jax)
    command = gpu.command.callback
    assert command is not None
    results = _run(command, name="ncf8", size="ml-1m", batches="64", steps=2, seconds=0.02)
    ours, torch = (results[f"{name}examples_per_second_64"].value for name in ("", "pytorch_"))
    assert results["ratio_to_pytorch_64"].value == ours / torch
    assert 0 < results["share_of_matmul_peak_64"].value < 1
    assert "KERAS_BACKEND" not in os.environ
