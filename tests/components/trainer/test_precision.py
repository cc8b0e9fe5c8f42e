"""Half precision in the training step; weights, Adam and logits stay float32."""

import functools
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from components.trainer.config import Precision
from components.trainer.data import Examples
from components.trainer.engines import Setup
from components.trainer.engines.devices import Device
from components.trainer.engines.xla import make_loss_and_gradients
from components.trainer.fitting import fit
from components.trainer.loop import new_optimizer
from components.trainer.model import NeuMF
from tests.components.trainer.builders import settings

CONFIG: dict[str, Any] = {
    "num_factors": 4, "layers": (8, 6, 4), "batch_size": 64, "epochs": 3, "learning_rate": 0.02, "device": "cpu",
    "embedding_stddev": 0.1,
}  # fmt: skip
# float16 has 11 bits of significand, bfloat16 has 8; gradients sum up rounded values.
HALF = {"mixed_float16": 2**-9, "mixed_bfloat16": 2**-6}


@functools.cache
def gradients(precision: Precision, rows: int, layers: tuple[int, ...]) -> tuple[float, list[np.ndarray]]:
    """Loss and unscaled gradients of one batch of so many rows, on 60 users and 40 items."""
    model = NeuMF(60, 40, 4, layers, 0.5, seed=0, precision=precision)
    optimizer = keras.optimizers.Adam()
    optimizer.build(model.trainable_variables)
    rng = np.random.default_rng(0)
    user, item, label = rng.integers(0, 60, rows), rng.integers(0, 40, rows), rng.integers(0, 2, rows)
    setup = Setup(model, optimizer, settings(precision=precision), rows, Device("cpu"))
    compute = tf.function(make_loss_and_gradients(setup), jit_compile=True)
    loss, arrays = compute(user.astype("i4"), item.astype("i4"), label.astype("u1"))
    assert {array.dtype for array in (loss, *arrays)} == {tf.float32}
    return float(loss), [array.numpy() for array in arrays]


# Many rows for GMF alone: sums over a batch are in float32. Few with the MLP: hardly a ReLU is so near its corner that
# rounding switches it.
@pytest.mark.parametrize(("rows", "layers"), [(2048, ()), (32, (8, 6, 4))])
@pytest.mark.parametrize("precision", HALF)
def test_gradients_are_those_of_float32_to_rounding(precision: str, rows: int, layers: tuple[int, ...]) -> None:
    (loss, found), (expected_loss, expected) = (gradients(name, rows, layers) for name in (precision, "float32"))
    assert 0 < abs(loss - expected_loss) < HALF[precision] * expected_loss
    for one, other in zip(found, expected, strict=True):
        assert np.linalg.norm(one - other) < HALF[precision] * np.linalg.norm(other)


def test_the_loss_curve_stays_near_that_of_float32(inputs: Path, tmp_path: Path) -> None:
    examples = Examples.open(str(inputs / "examples_without_validation"))
    losses = {}
    for precision in ("float32", *HALF):
        config = settings(**CONFIG, precision=precision)
        trained = fit(examples, config, 0, Device("cpu"), None, str(tmp_path / precision), str(tmp_path / "logs"))
        losses[precision] = [epoch.loss for epoch in trained.stages[-1].epochs]
        assert trained.model.compute_dtype == "float32", "what is exported"
    for precision in HALF:
        assert losses[precision] == pytest.approx(losses["float32"], abs=2e-3)
        assert losses[precision] != losses["float32"]


def test_float16_scales_the_loss_and_lowers_the_scale_when_gradients_overflow() -> None:
    model = NeuMF(60, 40, 4, (8, 6, 4), 0.5, seed=0, precision="mixed_float16")
    optimizer = new_optimizer(settings(precision="mixed_float16"))
    optimizer.build(model.trainable_variables)
    scale = float(optimizer.dynamic_scale)
    before = np.array(model.user_table)
    overflown = [np.full(variable.shape, np.inf, "f4") for variable in model.trainable_variables]
    optimizer.apply([tf.constant(array) for array in overflown], model.trainable_variables)
    assert float(optimizer.dynamic_scale) == scale / 2
    np.testing.assert_array_equal(model.user_table, before)
