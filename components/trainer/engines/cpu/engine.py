"""A model in training on the CPU: its values in arrays that compiled code works on."""

import itertools
import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from components.kernels.products import DEPTH_AT_ONCE, panels_size
from components.shared.parallel import cores
from components.trainer.engines.base import Setup
from components.trainer.engines.cpu.state import AdamSteps, Dense, Scratch, Side, Trained
from components.trainer.engines.cpu.steps import LANES, phases, train
from components.trainer.model import NeuMF
from components.trainer.settings import Settings

_PAIRS_AT_ONCE = 512  # of a lane: their activations stay in a core's cache


class CpuEngine:
    """Trains a Keras model as `XlaEngine` does, but faster on a CPU; see `Engine`.

    The loss, the gradients and Adam are those of the Keras model, to rounding. Results are the same whatever the
    number of threads.
    """

    def __init__(self, setup: Setup, threads: int | None = None):
        """Makes room for everything; the values come with `load`. `threads` defaults to the number of cores."""
        model, config, batch_size = setup.model, setup.config, setup.batch_size
        self._model, self._optimizer, self._config, self._loss = model, setup.optimizer, config, setup.loss
        self._threads = min(threads or cores(), LANES)
        self._pool = ThreadPoolExecutor(self._threads)
        self._blocks = math.ceil(batch_size / (LANES * _PAIRS_AT_ONCE))
        width = config.layers[1] if config.layers else 0
        self._users, self._items = (
            _side(kernel, tuple(table.shape), batch_size, model.num_factors + width, bool(config.weight_averaging))
            for kernel, table in enumerate((model.user_table, model.item_table))
        )
        self._ends = [0, *itertools.accumulate(math.prod(variable.shape) for variable in self._dense_variables())]
        self._dense = _dense(self._ends[-1], model, config)
        self._scratch = _scratch(batch_size, math.ceil(batch_size / self._blocks), self._threads, self._dense)

    def load(self) -> None:
        """See `Engine`."""
        for variable, array in self._pairs():
            array[...] = np.asarray(variable.value).reshape(array.shape)

    def store(self) -> None:
        """See `Engine`."""
        for variable, array in self._pairs():
            variable.assign(array.reshape(variable.shape))

    def train_steps(
        self, steps: int, user: npt.NDArray[np.int32], item: npt.NDArray[np.int32], label: npt.NDArray[np.uint8]
    ) -> npt.NDArray[np.floating]:
        """See `Engine`."""
        losses = np.zeros(steps)
        self._users.done[:] = self._items.done[:] = 0
        arguments: tuple[Any, ...] = (
            self._threads, np.zeros((phases(steps, self._blocks), 1), "i8"), np.zeros(1, "i8"), steps,
            user, item, label, self._blocks, self._users, self._items, self._dense, self._scratch, self._loss,
            self._adam(steps), losses,
        )  # fmt: skip
        for done in [self._pool.submit(train, thread, *arguments) for thread in range(self._threads)]:
            done.result()
        iterations = self._optimizer.iterations
        iterations.assign(iterations + steps)
        return losses

    def _adam(self, steps: int) -> AdamSteps:
        config = self._config
        number = int(self._optimizer.iterations) + 1 + np.arange(steps)
        rates = config.learning_rate * np.sqrt(1 - config.beta_2**number) / (1 - config.beta_1**number)
        keeps = np.where(number == 1, 0, config.weight_averaging)
        l2 = np.repeat([config.gmf_l2, config.mlp_l2], [self._dense.factors, self._dense.half])
        betas = np.float32(config.beta_1), np.float32(config.beta_2), np.float32(config.epsilon)
        return AdamSteps(rates.astype("f4"), keeps.astype("f4"), *betas, l2.astype("f4"))

    def _dense_variables(self) -> list[keras.Variable]:
        """All weights that are in no table, in the order of `Dense`."""
        model = self._model
        layers = [variable for layer in model.dense_layers for variable in layer.trainable_variables]
        first = [model.first_kernel, model.first_bias] if model.half else []
        return [*first, *layers, model.head_kernel, model.head_bias]

    def _pairs(self) -> Iterator[tuple[keras.Variable, npt.NDArray[np.float32]]]:
        """Each variable of the model and of the optimiser, with the array that it is trained in."""
        state = {variable.path.partition("/")[2]: variable for variable in self._optimizer.variables}
        places = [(self._model.user_table, self._users.table), (self._model.item_table, self._items.table)]
        for variable, begin, end in zip(self._dense_variables(), self._ends, self._ends[1:], strict=False):
            places.append((variable, Trained(*(array[begin:end] for array in self._dense.weights))))
        for variable, trained in places:
            name = variable.path.replace("/", "_")
            yield variable, trained.value
            yield state[f"{name}_momentum"], trained.mean
            yield state[f"{name}_velocity"], trained.square
            if self._config.weight_averaging:
                yield state[f"{name}_average"], trained.average


def _trained(shape: tuple[int, ...], averaged: bool) -> Trained:
    value, mean, square = (np.zeros(shape, "f4") for _ in range(3))
    return Trained(value, mean, square, np.zeros(shape if averaged else (*shape[:-1], 0), "f4"))


def _side(kernel: int, shape: tuple[int, int], batch_size: int, projected_width: int, averaged: bool) -> Side:
    rows, row_width = shape
    slots = min(rows, batch_size)
    return Side(
        kernel=kernel,
        table=_trained((rows, row_width), averaged),
        done=np.zeros(rows, "i4"),
        slot_of=np.full(rows, -1, "i4"),
        found=np.zeros(1, "i8"),
        rows=np.zeros(slots, "i4"),
        unsorted=np.zeros(batch_size, "i4"),
        slots=np.zeros(batch_size, "i4"),
        pairs=np.arange(batch_size, dtype="i4"),
        begins=np.zeros(slots + 1, "i4"),
        ends=np.zeros(slots, "i4"),
        gathered=np.zeros((slots, row_width), "f4"),
        projected=np.zeros((slots, projected_width), "f4"),
        gradient=np.zeros((slots, projected_width), "f4"),
        row_gradient=np.zeros((slots, row_width), "f4"),
    )


def _dense(size: int, model: NeuMF, config: Settings) -> Dense:
    head_at = size - 1 - (config.layers[-1] if config.layers else 0) - model.num_factors
    moving = np.ones(size, "f4")
    if model.fixed_gmf_head:
        moving[head_at : head_at + model.num_factors] = 0
    kernels, packed = _kernels(model.half, config.layers[1:])
    return Dense(
        weights=_trained((size,), bool(config.weight_averaging)),
        moving=moving,
        gradients=np.zeros((LANES, size), "f4"),
        kernels=kernels,
        panels=np.zeros(packed, "f4"),
        widths=np.array(config.layers[1:], "i8"),
        factors=model.num_factors,
        half=model.half,
        bias_at=2 * model.half * (config.layers[1] if config.layers else 0),
        head_at=head_at,
    )


def _kernels(half: int, widths: Sequence[int]) -> tuple[npt.NDArray[np.int64], int]:
    """`Dense.kernels`, and the size of all panels."""
    shapes = [(half, widths[0])] * 2 + list(itertools.pairwise(widths)) if widths else []
    kernels, at, panels = [], 0, 0
    for number, (depth, width) in enumerate(shapes):
        back = panels + panels_size(depth, width)
        kernels.append((at, depth, width, panels, back))
        # After each kernel comes its bias; the two shares of the first layer have one together.
        at += depth * width + (width if number else 0)
        panels = back + panels_size(width, depth)
    return np.array(kernels, "i8").reshape(-1, 5), panels


def _scratch(batch_size: int, pairs: int, threads: int, dense: Dense) -> Scratch:
    lane, widths = math.ceil(pairs / LANES), dense.widths
    widest = int(widths.max(initial=0))
    return Scratch(
        labels=np.zeros(batch_size, "f4"),
        activations=np.zeros((threads, lane * int(widths[:-1].sum())), "f4"),
        features=np.zeros((threads, lane, dense.factors + int(widths[-1:].sum())), "f4"),
        deltas=np.zeros((threads, 2, lane * int(widths[1:].max(initial=0))), "f4"),
        errors=np.zeros((2, pairs), "f4"),
        hidden_gradient=np.zeros((2, pairs, int(widths[:1].sum())), "f4"),
        panels=np.zeros((threads, panels_size(DEPTH_AT_ONCE, widest)), "f4"),
        losses=np.zeros(LANES),
    )
