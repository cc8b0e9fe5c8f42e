"""The pipeline's model trained under Keras' JAX backend: what an accelerator runs. Needs KERAS_BACKEND=jax.

Many steps are one XLA program: `lax.scan` over batches that lie on the device, with the state donated, so that the
tables are updated in place. Gradients of the tables are dense, and so is Adam.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
from jax import lax
from keras import ops

from benchmarks.machine import Peaks, shortest
from benchmarks.neumf import Model, Shape
from benchmarks.peers.timing import examples_per_second
from components.trainer.losses.binary_cross_entropy import BINARY_CROSS_ENTROPY
from components.trainer.model import NeuMF

_COPIED_BYTES = {"cpu": 1 << 28}
_COPIED_BYTES_ELSEWHERE = 1 << 32  # less is over before the call of it is

State = tuple[list[Any], list[Any]]  # of the model, and of Adam


def new_training(shape: Shape, model: Model) -> tuple[NeuMF, keras.optimizers.Optimizer]:
    """A model with random weights, and its optimiser."""
    neumf = NeuMF(shape.users, shape.items, model.factors, model.layers)
    adam = keras.optimizers.Adam(model.learning_rate, model.beta_1, model.beta_2, model.epsilon)
    adam.build(neumf.trainable_variables)
    return neumf, adam


def state_of(neumf: NeuMF, adam: keras.optimizers.Optimizer) -> State:
    """Where a training begins."""
    return [v.value for v in neumf.trainable_variables], [v.value for v in adam.variables]


def make_train_steps(neumf: NeuMF, adam: keras.optimizers.Optimizer) -> Callable[..., tuple[State, jax.Array]]:
    """Compiles a loop over training steps.

    Returns:
      A function of the state, which is consumed, and of `user`, `item` (int32 [S, B]) and `label` (uint8 [S, B]), to
      the state after S steps and their losses, float32 [S].
    """

    def loss_of(weights: list[Any], user: Any, item: Any, label: Any) -> Any:
        logits, _ = neumf.stateless_call(weights, [], user, item)
        return ops.mean(BINARY_CROSS_ENTROPY.of_logits(logits, ops.cast(label, logits.dtype)))

    def step(state: State, batch: tuple[Any, Any, Any]) -> tuple[State, Any]:
        weights, moments = state
        loss, gradients = jax.value_and_grad(loss_of)(weights, *batch)
        weights, moments = adam.stateless_apply(moments, gradients, weights)
        return (weights, moments), loss

    def train_steps(state: State, user: Any, item: Any, label: Any) -> tuple[State, Any]:
        return lax.scan(step, state, (user, item, label))

    return jax.jit(train_steps, donate_argnums=0)


def training_speed(
    shape: Shape, model: Model, batch_size: int, columns: tuple[np.ndarray, ...], seconds: float
) -> float:
    """Examples a second, all of the rows in one call, on data that is on the device already."""
    neumf, adam = new_training(shape, model)
    train_steps = make_train_steps(neumf, adam)
    batches = [jax.device_put(column.reshape(-1, batch_size)) for column in columns]
    state = state_of(neumf, adam)

    def call(_: int) -> None:
        nonlocal state
        state, losses = train_steps(state, *batches)
        losses.block_until_ready()

    return examples_per_second(call, len(columns[0]), 1, seconds)


def device() -> tuple[str, str]:
    """The platform, cpu, gpu or tpu, and the name of the device that JAX takes."""
    first = jax.devices()[0]
    return first.platform, first.device_kind


def peaks(size: int) -> Peaks:
    """What the device can do at most, in matrix products of that size; in float32 as JAX takes it by default."""
    matrix = jnp.ones((size, size))
    product = jax.jit(jnp.matmul)
    array = jnp.ones(_COPIED_BYTES.get(device()[0], _COPIED_BYTES_ELSEWHERE) // 4)
    add = jax.jit(lambda values: values + 1, donate_argnums=0)

    def move() -> None:
        nonlocal array
        array = add(array).block_until_ready()

    return Peaks(
        2 * size**3 / shortest(lambda: product(matrix, matrix).block_until_ready()),
        2 * array.nbytes / shortest(move),
    )
