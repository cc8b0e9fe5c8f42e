"""The comparison is fair: the peers' network is ours, and so is their training."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner

from benchmarks import weights
from benchmarks.__main__ import main
from benchmarks.neumf import Model, Shape
from benchmarks.peers import keras_neumf, timing
from benchmarks.peers.timing import EAGER, FUSED, SPARSE, Setting
from components.trainer.model import NeuMF

_SHAPE, _MODEL = Shape(30, 20, 0), Model(4, (16, 8, 6), 32, learning_rate=0.01)
_STEPS = 3


@pytest.fixture
def model() -> NeuMF:
    model = NeuMF(_SHAPE.users, _SHAPE.items, _MODEL.factors, _MODEL.layers, embedding_stddev=0.5)
    random = np.random.default_rng(1)
    for variable in model.variables:
        if variable.path.endswith("bias"):
            variable.assign(random.normal(0, 0.3, variable.shape))
    return model


@pytest.fixture(scope="module")
def rows() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    size = _STEPS * _MODEL.batch_size
    user, item = (random.integers(most, size=size, dtype=np.int32) for most in (_SHAPE.users, _SHAPE.items))
    return user, item, random.integers(2, size=size, dtype=np.uint8)


def _train(model: NeuMF, rows: tuple[np.ndarray, ...]) -> list[float]:
    """By Keras' own optimiser on the gradients of the mean cross-entropy; the losses."""
    adam = keras.optimizers.Adam(_MODEL.learning_rate, _MODEL.beta_1, _MODEL.beta_2, _MODEL.epsilon)
    losses = []
    for user, item, label in zip(*(np.split(column, _STEPS) for column in rows), strict=True):
        with tf.GradientTape() as tape:
            logits = model(user, item)
            loss = keras.losses.binary_crossentropy(label.astype("f4"), logits, from_logits=True)
        gradients = tape.gradient(loss, [variable.value for variable in model.trainable_variables])
        adam.apply([tf.convert_to_tensor(gradient) for gradient in gradients], model.trainable_variables)
        losses.append(float(loss))
    return losses


def test_weights_are_read_as_they_were_written(model: NeuMF, tmp_path: Path) -> None:
    before = weights.usual_weights(model)
    weights.save(str(tmp_path / "weights.npz"), before)
    after = weights.load(str(tmp_path / "weights.npz"))
    assert set(after) == set(before)
    assert all(np.array_equal(a, b) for name in before for a, b in zip(before[name], after[name], strict=True))


def test_keras_scores_as_we_do(model: NeuMF, rows: tuple[np.ndarray, ...]) -> None:
    network = keras_neumf.with_weights(_SHAPE, _MODEL, weights.usual_weights(model))
    expected = np.asarray(model(*rows[:2]))
    assert expected.std() > 0.1
    np.testing.assert_allclose(network.predict(list(rows[:2]), verbose=0)[:, 0], expected, rtol=1e-4, atol=1e-5)


def test_pytorch_scores_as_we_do(model: NeuMF, rows: tuple[np.ndarray, ...]) -> None:
    torch_neumf = pytest.importorskip("benchmarks.peers.torch_neumf", exc_type=ImportError)
    network = torch_neumf.with_weights(_SHAPE, _MODEL, weights.usual_weights(model))
    scores = torch_neumf.scores(network, *rows[:2], block=40)
    np.testing.assert_allclose(scores, np.asarray(model(*rows[:2])), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("way", [EAGER, FUSED])
def test_pytorch_trains_as_we_do(model: NeuMF, rows: tuple[np.ndarray, ...], way: str) -> None:
    torch_neumf = pytest.importorskip("benchmarks.peers.torch_neumf", exc_type=ImportError)
    network = torch_neumf.with_weights(_SHAPE, _MODEL, weights.usual_weights(model))
    step = torch_neumf.training_step(network, _MODEL, way, torch_neumf.as_tensors(rows), _MODEL.batch_size)
    for position in range(_STEPS):
        step(position)
    before = np.asarray(model(*rows[:2]))
    _train(model, rows)
    after = np.asarray(model(*rows[:2]))
    assert abs(after - before).mean() > 0.01
    np.testing.assert_allclose(torch_neumf.scores(network, *rows[:2], block=40), after, atol=1e-3)


def test_sparse_adam_moves_the_rows_of_the_batch_only(model: NeuMF) -> None:
    torch_neumf = pytest.importorskip("benchmarks.peers.torch_neumf", exc_type=ImportError)
    network = torch_neumf.NeuMF(_SHAPE, _MODEL.factors, _MODEL.layers, sparse=True)
    before = network.gmf_user.weight.detach().numpy().copy()
    one = np.full(4, 7, np.int32)
    step = torch_neumf.training_step(network, _MODEL, SPARSE, torch_neumf.as_tensors((one, one, one % 2)), 4)
    step(0)
    moved = (network.gmf_user.weight.detach().numpy() != before).any(axis=1)
    assert np.flatnonzero(moved).tolist() == [7]


def test_rates_are_positive(rows: tuple[np.ndarray, ...]) -> None:
    torch_neumf = pytest.importorskip("benchmarks.peers.torch_neumf", exc_type=ImportError)
    assert torch_neumf.training_speed(Setting(EAGER, 32), _MODEL, _SHAPE, rows, seconds=0.05) > 0
    assert keras_neumf.training_speed(Setting("plain", 32), _MODEL, _SHAPE, rows, seconds=0.05) > 0


def test_a_rate_leaves_out_the_steps_that_compile(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    seen = []

    def step(position: int) -> None:
        now[0] += 100.0 if len(seen) < timing.WARM_UP_STEPS else 0.5
        seen.append(position)

    assert timing.examples_per_second(step, batch_size=10, batches=3, seconds=2.0) == 10 / 0.5
    assert seen == [0, 1, 2, 0, 1, 2]


@pytest.mark.parametrize("name", ["training", "scoring", "gpu"])
def test_a_missing_framework_is_told_in_one_line(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.peers.importlib.util.find_spec", lambda module: None)
    result = CliRunner().invoke(main, [name])
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: this benchmark needs ")
    assert line.endswith("python -m pip install --group frameworks")


_JAX_LOSSES = """
import sys
import numpy as np
from benchmarks import jax_training
from benchmarks.neumf import Model, Shape

folder = sys.argv[1]
neumf, adam = jax_training.new_training(Shape(30, 20, 0), Model(4, (16, 8, 6), 32, learning_rate=0.01))
for position, variable in enumerate(neumf.trainable_variables):
    variable.assign(np.load(f"{folder}/{position}.npy"))
batches = [np.load(f"{folder}/{name}.npy").reshape(3, 32) for name in ("user", "item", "label")]
_, losses = jax_training.make_train_steps(neumf, adam)(jax_training.state_of(neumf, adam), *batches)
print(*losses.tolist())
"""


def test_jax_trains_as_we_do(model: NeuMF, rows: tuple[np.ndarray, ...], tmp_path: Path) -> None:
    pytest.importorskip("jax")
    for position, variable in enumerate(model.trainable_variables):
        np.save(tmp_path / f"{position}.npy", np.asarray(variable))
    for name, column in zip(("user", "item", "label"), rows, strict=True):
        np.save(tmp_path / f"{name}.npy", column)
    run = subprocess.run(
        [sys.executable, "-c", _JAX_LOSSES, str(tmp_path)],
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert [float(loss) for loss in run.stdout.split()] == pytest.approx(_train(model, rows), abs=1e-5)
