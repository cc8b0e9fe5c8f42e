"""The training loop: many steps in one call of an engine, validation and a checkpoint after each epoch."""

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import keras
import numpy as np
import tensorflow as tf

from components.shared import progress
from components.shared.errors import UserError
from components.trainer.checkpoints import Arrays, TrainingState
from components.trainer.config import TrainerConfig
from components.trainer.data import Examples
from components.trainer.engines.cpu.engine import CpuEngine
from components.trainer.engines.devices import find_device
from components.trainer.engines.distributed import StrategyEngine
from components.trainer.engines.xla import XlaEngine
from components.trainer.history import Epoch, best_epoch, reason_to_stop
from components.trainer.model import NeuMF
from components.trainer.validation import ranking_sums

K = 10

EpochSeen = Callable[[TrainingState], None]


class Engine(Protocol):
    """What trains a model, step by step."""

    def load(self) -> None:
        """Takes the values of the model and of its optimiser."""

    def store(self) -> None:
        """Gives the model and its optimiser the values that they have now."""

    def train_steps(self, steps: int, user: np.ndarray, item: np.ndarray, label: np.ndarray) -> np.ndarray:
        """Trains on batches, between `load` and `store`.

        Args:
          steps: how many of them.
          user: int32 [S, B].
          item: int32 [S, B].
          label: uint8 [S, B], 1 for a positive.

        Returns:
          The mean binary cross-entropy of each step, float [steps].
        """


class Training:
    """A model in training on one artifact of examples."""

    def __init__(self, model: NeuMF, examples: Examples, config: TrainerConfig):
        """Prepares the training, in the scope of the configuration's device (`find_device`) as the model was made in.

        Nothing is compiled or read before `run`.
        """
        self.model, self.examples, self.config = model, examples, config
        self.optimizer = new_optimizer(config)
        self.optimizer.build(model.trainable_variables)
        self._engine = self._new_engine()
        # Half precision would tie scores: validation is of the model as it is exported, in float32.
        self._validated = model if config.precision == "float32" else NeuMF(**model.get_config())
        self._rank = make_ranking(self._validated)

    def _new_engine(self) -> Engine:
        device = find_device(self.config.device)
        if device.strategy is not None:
            return StrategyEngine(self.model, self.optimizer, self.config, device)
        if device.kind == "gpu" or self.config.precision != "float32":
            return XlaEngine(self.model, self.optimizer, self.config.gmf_l2, self.config.mlp_l2)
        return CpuEngine(self.model, self.optimizer, self.config, self.examples.summary.batch_size)

    def run(self, state: TrainingState | None, epoch_seen: EpochSeen) -> TrainingState:
        """Trains until the configuration says to stop.

        Args:
          state: where to go on, or None to begin.
          epoch_seen: called with the state after each epoch.

        Returns:
          The last state; the model holds the weights of the best epoch, averaged where the configuration says so.

        Raises:
          UserError: the loss is not finite, or files of the examples are missing.
        """
        if state is None:
            state = TrainingState(_values(self.model), _values(self.optimizer))
        else:
            _assign(self.model, state.weights)
            _assign(self.optimizer, state.optimizer)
        steps = self.examples.summary.batches_per_epoch
        with progress.bar("training", self.config.epochs * steps) as bar:
            bar.advance(len(state.epochs) * steps)
            while reason_to_stop(state.epochs, self.config) is None:
                loss, seconds = self._train_epoch(len(state.epochs), bar)
                state.weights, state.optimizer = _values(self.model), _values(self.optimizer)
                with self._averaged_weights():
                    hr, ndcg = self.validate()
                    rows = steps * self.examples.summary.batch_size
                    state.epochs.append(Epoch(loss, hr, ndcg, seconds, rows / seconds))
                    if best_epoch(state.epochs, self.config) == len(state.epochs) - 1:
                        state.best_weights = _values(self.model)
                bar.describe(describe(state.epochs))
                epoch_seen(state)
        _assign(self.model, state.best_weights)
        return state

    def _train_epoch(self, position: int, bar: progress.Bar) -> tuple[float, float]:
        """Trains on one epoch; its mean loss, and how many seconds it took."""
        start = time.perf_counter()
        total, steps_done = 0.0, 0
        self._engine.load()
        for steps, user, item, label in self.examples.training_batches(position, self.config.steps_per_call):
            # In float64, so that the sum does not depend on how many steps are in a call.
            total += float(np.sum(self._engine.train_steps(steps, user, item, label), dtype="f8"))
            steps_done += steps
            bar.advance(steps)
            if not math.isfinite(total):
                raise UserError(
                    f"the training loss is not finite in epoch {position + 1}; "
                    f"set a lower trainer.learning_rate (now {self.config.learning_rate:g})"
                )
        if steps_done != self.examples.summary.batches_per_epoch:
            raise UserError(
                f"epoch {position + 1} of the examples at {self.examples.uri} has {steps_done:,} batches instead of "
                f"{self.examples.summary.batches_per_epoch:,}; run NegativeGen again"
            )
        self._engine.store()
        return total / steps_done, time.perf_counter() - start

    @contextlib.contextmanager
    def _averaged_weights(self) -> Iterator[None]:
        """Has the model hold its averaged weights for a while, if there are such."""
        if not self.config.weight_averaging:
            yield
            return
        weights = _values(self.model)
        self.optimizer.finalize_variable_values(self.model.trainable_variables)
        try:
            yield
        finally:
            _assign(self.model, weights)

    def validate(self) -> tuple[float, float] | tuple[None, None]:
        """HR@10 and NDCG@10 of the model as it is on the validation split; None where there is none."""
        if self.examples.validation is None:
            return None, None
        if self._validated is not self.model:
            self._validated.set_weights(self.model.get_weights())
        hits, gain, users = np.sum(
            [self._rank(*batch) for batch in self.examples.validation_batches()], axis=0, dtype="f8"
        )
        return float(hits / users), float(gain / users)


def new_optimizer(config: TrainerConfig) -> keras.optimizers.Optimizer:
    """Adam as the configuration wants it; with float16, around it a loss scale that adapts itself."""
    adam = keras.optimizers.Adam(
        learning_rate=config.learning_rate,
        beta_1=config.beta_1,
        beta_2=config.beta_2,
        epsilon=config.epsilon,
        use_ema=bool(config.weight_averaging),
        ema_momentum=config.weight_averaging,
    )
    return keras.optimizers.LossScaleOptimizer(adam) if config.precision == "mixed_float16" else adam


def make_ranking(model: NeuMF) -> Callable[..., tf.Tensor]:
    """Compiles the evaluation of a batch.

    Returns:
      A function of `user`, `item` (int32 [U, width]) and `mask` (uint8 [U, width]) to float32 [3]: the sums of hit
      rate and NDCG at 10, and the number of users that count.
    """

    @tf.function(jit_compile=True)
    def rank(user: tf.Tensor, item: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        return tf.stack(ranking_sums(model(user[:, :1], item), mask, K))

    return rank


def describe(epochs: list[Epoch]) -> str:
    """The last epoch in a few words."""
    last = epochs[-1]
    metrics = "" if last.hr is None else f", HR@{K} {last.hr:.4f}, NDCG@{K} {last.ndcg:.4f}"
    return f"epoch {len(epochs)}: loss {last.loss:.4f}{metrics}"


def _values(owner: Any) -> Arrays:
    # A copy: on CPU, a view would change under training.
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in owner.variables]


def _assign(owner: Any, arrays: Arrays) -> None:
    for variable, array in zip(owner.variables, arrays, strict=True):
        variable.assign(array)
