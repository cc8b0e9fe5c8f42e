"""The training loop: many steps in one call of an engine, validation and a checkpoint after each epoch."""

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np

from components.artifacts.model_run import Epoch
from components.sampling.stream import TrainingBatches
from components.shared import progress, stopping
from components.shared.errors import UserError
from components.trainer.checkpoints import Arrays, TrainingState
from components.trainer.data import Examples
from components.trainer.engines import Setup, make_engine
from components.trainer.engines.devices import Device
from components.trainer.history import best_epoch, progress_of, reason_to_stop
from components.trainer.model import NeuMF
from components.trainer.settings import Settings
from components.trainer.validation import Validation

EpochSeen = Callable[[TrainingState], None]


class Training:
    """A model in training on one artifact of examples."""

    def __init__(
        self, model: NeuMF, examples: Examples, config: Settings, device: Device, validation: Validation | None
    ):
        """Prepares the training, in the scope of the device as the model was made in.

        Nothing is compiled or read before `run`.

        Args:
          model: what is trained.
          examples: what it learns from.
          config: how it is trained.
          device: what trains it.
          validation: what chooses the epoch; None: nothing, the last one is taken.

        Raises:
          UserError: the device cannot train so (see `make_engine`).
        """
        self.model, self.examples, self.config, self._validation = model, examples, config, validation
        self.optimizer = new_optimizer(config)
        self.optimizer.build(model.trainable_variables)
        self._engine = make_engine(Setup(model, self.optimizer, config, examples.summary.batch_size, device))
        # Half precision would tie scores: validation is of the model as it is exported, in float32.
        self._validated = model if config.precision == "float32" else NeuMF(**model.get_config())

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
            weights = _values(self.model)
            state = TrainingState(weights, _values(self.optimizer), best_weights=weights, start=self.validate())
        else:
            _assign(self.model, state.weights)
            _assign(self.optimizer, state.optimizer)
        steps = self.examples.summary.batches_per_epoch
        remaining = self.examples.training_epochs(
            range(len(state.epochs), self.config.epochs), self.config.steps_per_call
        )
        with contextlib.closing(remaining), progress.bar("training", self.config.epochs * steps) as bar:
            bar.advance(len(state.epochs) * steps)
            while reason_to_stop(state.start, state.epochs, self.config) is None:
                with stopping.postponed():  # an epoch that is nearly over is worth its checkpoint
                    loss, seconds = self._train_epoch(len(state.epochs), remaining, bar)
                    state.weights, state.optimizer = _values(self.model), _values(self.optimizer)
                    with self._averaged_weights():
                        rows = steps * self.examples.summary.batch_size
                        state.epochs.append(Epoch(loss, self.validate(), seconds, rows / seconds))
                        if best_epoch(state.start, state.epochs, self.config) == len(state.epochs):
                            state.best_weights = _values(self.model)
                    bar.describe(progress_of(state.epochs, self.config))
                    epoch_seen(state)
        _assign(self.model, state.best_weights)
        return state

    def _train_epoch(
        self, position: int, remaining: Iterator[Iterator[TrainingBatches]], bar: progress.Bar
    ) -> tuple[float, float]:
        """Trains on the next epoch; its mean loss, and how many seconds it took."""
        start = time.perf_counter()
        total, steps_done = 0.0, 0
        self._engine.load()
        for steps, user, item, label in next(remaining):
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

    def validate(self) -> dict[str, float]:
        """The metrics of the model as it is on the validation split, by name; empty where there is no such split."""
        if self._validation is None:
            return {}
        if self._validated is not self.model:
            self._validated.set_weights(self.model.get_weights())
        return self._validation.metrics(self._validated)


def new_optimizer(config: Settings) -> keras.optimizers.Optimizer:
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


def _values(owner: Any) -> Arrays:
    # A copy: on CPU, a view would change under training.
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in owner.variables]


def _assign(owner: Any, arrays: Arrays) -> None:
    for variable, array in zip(owner.variables, arrays, strict=True):
        variable.assign(array)
