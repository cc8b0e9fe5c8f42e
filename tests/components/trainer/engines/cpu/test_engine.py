"""The engine against the Keras model's own step, compiled by XLA."""

from typing import Any

import keras
import numpy as np
import pytest

from components.trainer.engines import Engine, Setup
from components.trainer.engines.cpu import engine as engine_module
from components.trainer.engines.cpu.engine import CpuEngine
from components.trainer.engines.devices import Device
from components.trainer.engines.xla import XlaEngine
from components.trainer.losses import LOSSES
from components.trainer.model import NeuMF
from components.trainer.settings import Settings
from tests.components.trainer.builders import settings
from tests.components.trainer.losses.toys import TOYS

USERS, ITEMS = 40, 30
MODELS: dict[str, dict[str, Any]] = {
    "neumf": {"num_factors": 4, "layers": (8, 6, 5, 3)},
    "wide": {"num_factors": 9, "layers": (70, 35, 18, 17)},
    "one layer": {"num_factors": 4, "layers": (8, 6)},
    "gmf alone": {"num_factors": 4, "layers": ()},
    "mlp alone": {"num_factors": 0, "layers": (8, 6, 5)},
    "head of ones": {"num_factors": 4, "layers": (8, 6, 5), "gmf_head": "ones"},
    "l2": {"num_factors": 4, "layers": (8, 6, 5), "gmf_l2": 0.3, "mlp_l2": 0.7},
    "averaged": {"num_factors": 4, "layers": (8, 6, 5), "weight_averaging": 0.7},
    "betas": {"num_factors": 4, "layers": (8, 6, 5), "beta_1": 0.783529, "beta_2": 0.909003, "epsilon": 1.45439e-7},
}


def batches(steps: int, size: int, users: int = USERS) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    shape = (steps, size)
    user, item = rng.integers(users, size=shape, dtype="i4"), rng.integers(ITEMS, size=shape, dtype="i4")
    return user, item, (rng.random(shape) < 0.3).astype("u1")


def a_model(config: Settings, users: int = USERS) -> tuple[NeuMF, keras.optimizers.Adam]:
    model = NeuMF(users, ITEMS, config.num_factors, config.layers, 0.5, seed=3, gmf_head=config.gmf_head)
    optimizer = keras.optimizers.Adam(
        config.learning_rate, config.beta_1, config.beta_2, config.epsilon,
        use_ema=bool(config.weight_averaging), ema_momentum=config.weight_averaging,
    )  # fmt: skip
    optimizer.build(model.trainable_variables)
    return model, optimizer


def trained(
    config: Settings,
    data: tuple[np.ndarray, np.ndarray, np.ndarray],
    calls: list[int],
    threads: int | None = None,
    users: int = USERS,
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Losses, and all variables by name, after calls of so many steps on the CPU engine; of XLA with 0 threads."""
    model, optimizer = a_model(config, users)
    setup = Setup(model, optimizer, config, data[0].shape[1], Device("cpu"))
    engine: Engine = XlaEngine(setup) if threads == 0 else CpuEngine(setup, threads)
    losses, begin = [], 0
    engine.load()
    for steps in calls:
        losses.append(engine.train_steps(steps, *(array[begin : begin + steps] for array in data)))
        begin += steps
    engine.store()
    variables = [*model.variables, *optimizer.variables]
    return np.concatenate(losses), {v.path.partition("/")[2]: np.array(v.value) for v in variables}


@pytest.mark.parametrize("fields", MODELS.values(), ids=MODELS.keys())
def test_steps_are_those_of_the_keras_model(fields: dict[str, Any]) -> None:
    config = settings(**fields, learning_rate=0.01)
    data = batches(steps=7, size=24)  # fewer rows than a table has: some of them coast
    losses, values = trained(config, data, [4, 3])
    expected_losses, expected = trained(config, data, [7], threads=0)
    np.testing.assert_allclose(losses, expected_losses, rtol=1e-5)
    assert values.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(values[name], value, rtol=1e-4, atol=3e-6, err_msg=name)


def test_a_batch_of_several_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    config = settings(num_factors=4, layers=(8, 6, 5), learning_rate=0.01)
    data = batches(steps=3, size=1000)
    expected_losses, expected = trained(config, data, [3], threads=0)
    monkeypatch.setattr(engine_module, "_PAIRS_AT_ONCE", 17)
    losses, values = trained(config, data, [3])
    np.testing.assert_allclose(losses, expected_losses, rtol=1e-5)
    np.testing.assert_allclose(values["user_table"], expected["user_table"], atol=1e-5)


@pytest.mark.parametrize("threads", [1, 3, 16])
def test_results_do_not_depend_on_the_number_of_threads(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "_PAIRS_AT_ONCE", 17)  # several blocks
    config = settings(num_factors=4, layers=(8, 6, 5), gmf_l2=0.1)
    data = batches(steps=20, size=3000, users=2000)
    _, two = trained(config, data, [20], threads=2, users=2000)
    _, other = trained(config, data, [20], threads=threads, users=2000)
    for name, value in two.items():
        np.testing.assert_array_equal(other[name], value, err_msg=name)


def test_rows_that_coast_end_as_those_of_the_dense_update() -> None:
    """To the last bit: a call of one step each visits every row in each step, as the dense update does."""
    config = settings(num_factors=4, layers=(8, 6, 5), weight_averaging=0.9, learning_rate=0.01)
    data = batches(steps=50, size=3)
    _, lazy = trained(config, data, [50])
    _, dense = trained(config, data, [1] * 50)
    for name, value in dense.items():
        np.testing.assert_array_equal(lazy[name], value, err_msg=name)


def test_moments_that_fade_become_zero_and_not_denormal() -> None:
    config = settings(num_factors=4, layers=())
    user, item, label = batches(steps=1200, size=1)
    user[1:], item[1:] = 0, 0
    user[0], item[0] = 1, 1
    _, values = trained(config, (user, item, label), [1200])
    moments = np.concatenate([np.ravel(value) for name, value in values.items() if "momentum" in name])
    assert (moments == 0).any()
    assert ((moments == 0) | (np.abs(moments) > np.finfo("f4").tiny)).all()


def test_more_is_learnt_from_more_steps() -> None:
    config = settings(num_factors=4, layers=(8, 6, 5), learning_rate=0.02)
    user, item, _ = batches(steps=60, size=256)
    losses, _ = trained(config, (user, item, (user % 3 == item % 3).astype("u1")), [60])
    assert losses[-1] < losses[0] / 2


def test_a_loss_with_a_compiled_form_is_taken_into_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LOSSES, "binary_cross_entropy", TOYS["squared_hinge"])
    config = settings(num_factors=4, layers=(8, 6, 5), learning_rate=0.01)
    data = batches(steps=7, size=24)
    losses, values = trained(config, data, [7])
    expected_losses, expected = trained(config, data, [7], threads=0)
    np.testing.assert_allclose(losses, expected_losses, rtol=1e-5)
    for name, value in expected.items():
        np.testing.assert_allclose(values[name], value, rtol=1e-4, atol=3e-6, err_msg=name)
