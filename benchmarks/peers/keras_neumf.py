"""NeuMF in Keras as one usually writes it, trained by `fit`."""

import time
from typing import Any

import keras
import numpy as np

from benchmarks.neumf import Model, Shape
from benchmarks.peers.timing import WARM_UP_STEPS, Setting
from benchmarks.weights import UsualWeights


def neumf(shape: Shape, factors: int, layers: tuple[int, ...]) -> keras.Model:
    """A GMF and an MLP tower with embeddings of their own, side by side before one linear unit; logits [B, 1]."""
    user, item = (keras.Input((), dtype="int32", name=name) for name in ("user", "item"))

    def embed(index: Any, rows: int, width: int, name: str) -> Any:
        normal = keras.initializers.RandomNormal(stddev=0.01)
        return keras.layers.Embedding(rows, width, embeddings_initializer=normal, name=name)(index)

    gmf = keras.layers.Multiply()(
        [embed(user, shape.users, factors, "gmf_user"), embed(item, shape.items, factors, "gmf_item")]
    )
    half = layers[0] // 2
    mlp = keras.layers.Concatenate()(
        [embed(user, shape.users, half, "mlp_user"), embed(item, shape.items, half, "mlp_item")]
    )
    for position, width in enumerate(layers[1:], start=1):
        mlp = keras.layers.Dense(width, activation="relu", name=f"dense_{position}")(mlp)
    logits = keras.layers.Dense(1, name="head")(keras.layers.Concatenate()([gmf, mlp]))
    return keras.Model([user, item], logits)


def with_weights(shape: Shape, model: Model, weights: UsualWeights) -> keras.Model:
    """The network with given weights."""
    network = neumf(shape, model.factors, model.layers)
    for name, arrays in weights.items():
        network.get_layer(name).set_weights(arrays)
    return network


def training_speed(
    setting: Setting, model: Model, shape: Shape, columns: tuple[np.ndarray, ...], seconds: float
) -> float:
    """Examples a second of `fit` on arrays in memory, in the order that they have: they are shuffled already."""
    keras.utils.set_random_seed(0)
    network = neumf(shape, model.factors, model.layers)
    network.compile(
        optimizer=keras.optimizers.Adam(model.learning_rate, model.beta_1, model.beta_2, model.epsilon),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        jit_compile=setting.way == "XLA",
    )
    whole = len(columns[0]) // setting.batch_size * setting.batch_size
    user, item, label = (column[:whole] for column in columns)
    clock = _Clock(seconds)
    while not clock.over:
        network.fit(
            [user, item], label, batch_size=setting.batch_size, shuffle=False, verbose=0, callbacks=[clock]
        )  # fmt: skip
    return clock.steps * setting.batch_size / clock.elapsed


class _Clock(keras.callbacks.Callback):
    """Times the steps after the first ones, which compile, and ends the training when the time is up."""

    def __init__(self, seconds: float):
        super().__init__()
        self._seconds, self._seen, self._start = seconds, 0, 0.0
        self.steps, self.elapsed, self.over = 0, 0.0, False

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._seen += 1
        now = time.perf_counter()
        if self._seen == WARM_UP_STEPS:
            self._start = now
        elif self._seen > WARM_UP_STEPS:
            self.steps, self.elapsed = self.steps + 1, now - self._start
            self.over = self.model.stop_training = self.elapsed >= self._seconds
