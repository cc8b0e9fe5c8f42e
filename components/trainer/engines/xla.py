"""The training step as Keras defines it, compiled by XLA: for accelerators, and the measure of the CPU's own."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from keras import ops

from components.trainer.engines.base import Setup
from components.trainer.losses import Loss


class XlaEngine:
    """Trains a Keras model step by step; see `Engine`."""

    def __init__(self, setup: Setup):
        """Compiles at the first call."""
        self._train_steps = make_train_steps(setup)

    def load(self) -> None:
        """See `Engine`; the model's variables are what is trained."""

    def store(self) -> None:
        """See `Engine`."""

    def train_steps(
        self, steps: int, user: npt.NDArray[np.int32], item: npt.NDArray[np.int32], label: npt.NDArray[np.uint8]
    ) -> npt.NDArray[np.floating]:
        """See `Engine`."""
        losses: npt.NDArray[np.float32] = self._train_steps(tf.constant(steps), user, item, label).numpy()
        return losses[:steps]


def make_train_steps(setup: Setup) -> Callable[..., tf.Tensor]:
    """Compiles a loop over training steps.

    Returns:
      A function of `steps` (int32 scalar), `user`, `item` (int32 [S, B]) and `label` (uint8 [S, B]) that trains on the
      first `steps` of the S batches and returns their losses, float32 [S], zero beyond.
    """
    loss_and_gradients = make_loss_and_gradients(setup)

    def step(user: tf.Tensor, item: tf.Tensor, label: tf.Tensor) -> tf.Tensor:
        loss, gradients = loss_and_gradients(user, item, label)
        setup.optimizer.apply(gradients, setup.model.trainable_variables)
        return loss

    # The loop is inside the XLA program: about twice as fast as calling a compiled step, whose call and variables
    # cost more than its arithmetic on a small model.
    def train_steps(steps: tf.Tensor, user: tf.Tensor, item: tf.Tensor, label: tf.Tensor) -> tf.Tensor:
        positions = tf.range(user.shape[0])
        losses = tf.zeros(user.shape[0])
        for position in tf.range(steps):
            loss = step(user[position], item[position], label[position])
            losses = tf.where(positions == position, loss, losses)
        return losses

    compiled: Callable[..., tf.Tensor] = tf.function(train_steps, jit_compile=True)
    return compiled


def make_loss_and_gradients(setup: Setup) -> Callable[..., tuple[tf.Tensor, list[tf.Tensor]]]:
    """Makes what a step computes before it changes anything.

    Returns:
      A function of `user`, `item` (int32 [B]) and `label` (uint8 [B]) to the batch's mean loss and the gradients of
      that and of L2, for `optimizer.apply`: dense, and times the loss scale of the optimiser if any.
    """
    model, optimizer, config = setup.model, setup.optimizer, setup.config
    variables = model.trainable_variables
    strength = np.repeat(np.array([config.gmf_l2, config.mlp_l2], "f4"), [model.num_factors, model.half])

    def loss_and_gradients(user: tf.Tensor, item: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        with tf.GradientTape() as tape:
            loss = objective = mean_loss(setup.loss, model(user, item), label)
            if strength.any():
                objective += l2_of_rows(model.user_table, user, strength)
                objective += l2_of_rows(model.item_table, item, strength)
            objective = optimizer.scale_loss(objective)
        gradients = tape.gradient(objective, [variable.value for variable in variables])
        # XLA knows no sparse gradients: those of lookups become dense.
        return loss, [tf.convert_to_tensor(gradient) for gradient in gradients]

    return loss_and_gradients


def mean_loss(loss: Loss, logits: Any, label: Any) -> Any:
    """The mean loss of logits, float32 [B], and labels, integers [B], 1 for a positive."""
    return ops.mean(loss.of_logits(logits, ops.cast(label, logits.dtype)))


def l2_of_rows(table: Any, index: Any, strength: npt.NDArray[np.float32]) -> Any:
    """Half the squared rows of a batch, each as often as it occurs, weighted by column; mean over the batch.

    Args:
      table: embeddings, float32 [rows, width].
      index: the batch's rows, int32 [B].
      strength: of each column, float32 [width].
    """
    occurrences = ops.segment_sum(ops.ones(index.shape), index, table.shape[0])
    return ops.sum(occurrences[:, None] * ops.square(table) * strength) / (2 * math.prod(index.shape))
