"""The training step on several devices: each takes its share of a batch, and all keep the same weights."""

from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from components.shared.errors import UserError
from components.trainer.engines.base import Setup
from components.trainer.engines.xla import make_loss_and_gradients


class StrategyEngine:
    """Trains a Keras model as one device does on the same global batch, to rounding; see `Engine`.

    Every replica holds all weights, computes the gradients of its share, and adds up those of all.
    """

    def __init__(self, setup: Setup):
        """Traces at the first call.

        Raises:
          UserError: the batch cannot be cut into equal shares, or the precision is none for several devices.
        """
        strategy, kind = setup.device.strategy, setup.device.kind
        assert strategy is not None
        self._device, self._strategy, self._replicas = setup.device, strategy, strategy.num_replicas_in_sync
        if setup.batch_size % self._replicas:
            raise UserError(
                f"trainer.batch_size is {setup.batch_size:,}, which {self._replicas} devices cannot share equally; "
                f"take a multiple of {self._replicas}"
            )
        if setup.config.precision == "mixed_float16":
            # Keras looks for gradients that are not finite before they are added up, and only in the first replica.
            raise UserError(
                f"trainer.precision is mixed_float16, which trainer.device={kind} does not offer; take mixed_bfloat16"
            )
        self._train_steps = self._make_train_steps(setup)
        self._steps_done = self._make_steps_done(setup.optimizer)

    def load(self) -> None:
        """See `Engine`; raises UserError where workers do not go on from the same checkpoint."""
        with self._device.telling_lost_workers():
            steps = sorted(set(self._strategy.gather(self._steps_done(), axis=0).numpy().tolist()))
        if len(steps) > 1:
            raise UserError(
                f"the workers go on from different checkpoints (after {' and '.join(f'{n:,}' for n in steps)} steps); "
                "they need one folder for checkpoints that all of them see"
            )

    def store(self) -> None:
        """See `Engine`; the model's variables are what is trained."""

    def train_steps(
        self, steps: int, user: npt.NDArray[np.int32], item: npt.NDArray[np.int32], label: npt.NDArray[np.uint8]
    ) -> npt.NDArray[np.floating]:
        """See `Engine`; raises UserError where a worker is gone."""
        with self._device.telling_lost_workers():
            shares = [self._shares(array) for array in (user, item, label)]
            losses: npt.NDArray[np.float32] = self._train_steps(tf.constant(steps), *shares).numpy()
            return losses[:steps]

    def _shares(self, array: npt.NDArray[np.integer]) -> Any:
        """Cuts batches [S, B] into one [S, B / replicas] for each replica."""
        size = array.shape[1] // self._replicas

        def share(context: tf.distribute.experimental.ValueContext) -> tf.Tensor:
            begin = context.replica_id_in_sync_group * size
            return tf.constant(array[:, begin : begin + size])

        return self._strategy.experimental_distribute_values_from_function(share)

    def _make_steps_done(self, optimizer: keras.optimizers.Optimizer) -> Any:
        """A function of nothing to the number of steps done, int32 [1] of each replica."""

        def steps_done() -> tf.Tensor:
            return tf.reshape(tf.cast(optimizer.iterations.value, tf.int32), [1])

        return tf.function(lambda: self._strategy.run(steps_done))

    def _make_train_steps(self, setup: Setup) -> Any:
        strategy, optimizer, variables = self._strategy, setup.optimizer, setup.model.trainable_variables
        loss_and_gradients = make_loss_and_gradients(setup)

        def step(position: tf.Tensor, user: tf.Tensor, item: tf.Tensor, label: tf.Tensor) -> tf.Tensor:
            loss, gradients = loss_and_gradients(user[position], item[position], label[position])
            # The optimiser adds up what replicas bring; shares are equal, so a mean of means is the mean of all.
            optimizer.apply([gradient / self._replicas for gradient in gradients], variables)
            return loss / self._replicas

        def train_steps(steps: tf.Tensor, user: Any, item: Any, label: Any) -> tf.Tensor:
            losses = tf.zeros(strategy.experimental_local_results(user)[0].shape[0])
            positions = tf.range(losses.shape[0])
            for position in tf.range(steps):
                loss = strategy.reduce("SUM", strategy.run(step, (position, user, item, label)), axis=None)
                losses = tf.where(positions == position, loss, losses)
            return losses

        return tf.function(train_steps)
