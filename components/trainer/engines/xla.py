"""The training step as Keras defines it, compiled by XLA: for accelerators, and the measure of the CPU's own."""

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from components.trainer.model import NeuMF


class XlaEngine:
    """Trains a Keras model step by step; see `Engine`."""

    def __init__(self, model: NeuMF, optimizer: keras.optimizers.Optimizer, gmf_l2: float, mlp_l2: float):
        """Compiles at the first call."""
        self._train_steps = make_train_steps(model, optimizer, gmf_l2, mlp_l2)

    def load(self) -> None:
        """See `Engine`; the model's variables are what is trained."""

    def store(self) -> None:
        """See `Engine`."""

    def train_steps(self, steps: int, user: np.ndarray, item: np.ndarray, label: np.ndarray) -> np.ndarray:
        """See `Engine`."""
        return self._train_steps(tf.constant(steps), user, item, label).numpy()[:steps]


def make_train_steps(
    model: NeuMF, optimizer: keras.optimizers.Optimizer, gmf_l2: float = 0.0, mlp_l2: float = 0.0
) -> Callable[..., tf.Tensor]:
    """Compiles a loop over training steps.

    Args:
      model: what is trained.
      optimizer: how, built for it.
      gmf_l2: strength of L2 on the GMF embeddings, see `l2_of_rows`.
      mlp_l2: strength of L2 on the MLP embeddings.

    Returns:
      A function of `steps` (int32 scalar), `user`, `item` (int32 [S, B]) and `label` (uint8 [S, B]) that trains on the
      first `steps` of the S batches and returns their losses, float32 [S], zero beyond.
    """
    loss_and_gradients = make_loss_and_gradients(model, optimizer, gmf_l2, mlp_l2)

    def step(user: tf.Tensor, item: tf.Tensor, label: tf.Tensor) -> tf.Tensor:
        loss, gradients = loss_and_gradients(user, item, label)
        optimizer.apply(gradients, model.trainable_variables)
        return loss

    # The loop is inside the XLA program: about twice as fast as calling a compiled step, whose call and variables
    # cost more than its arithmetic on a small model.
    @tf.function(jit_compile=True)
    def train_steps(steps: tf.Tensor, user: tf.Tensor, item: tf.Tensor, label: tf.Tensor) -> tf.Tensor:
        positions = tf.range(user.shape[0])
        losses = tf.zeros(user.shape[0])
        for position in tf.range(steps):
            loss = step(user[position], item[position], label[position])
            losses = tf.where(positions == position, loss, losses)
        return losses

    return train_steps


def make_loss_and_gradients(
    model: NeuMF, optimizer: keras.optimizers.Optimizer, gmf_l2: float, mlp_l2: float
) -> Callable[..., tuple[tf.Tensor, list[tf.Tensor]]]:
    """Makes what a step computes before it changes anything; arguments are those of `make_train_steps`.

    Returns:
      A function of `user`, `item` (int32 [B]) and `label` (uint8 [B]) to the batch's mean binary cross-entropy and the
      gradients of that and of L2, for `optimizer.apply`: dense, and times the loss scale of the optimiser if any.
    """
    variables = model.trainable_variables
    strength = np.repeat(np.array([gmf_l2, mlp_l2], "f4"), [model.num_factors, model.half])

    def loss_and_gradients(user: tf.Tensor, item: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        with tf.GradientTape() as tape:
            logits = model(user, item)
            loss = objective = binary_cross_entropy(logits, label)
            if strength.any():
                objective += l2_of_rows(model.user_table, user, strength)
                objective += l2_of_rows(model.item_table, item, strength)
            objective = optimizer.scale_loss(objective)
        gradients = tape.gradient(objective, [variable.value for variable in variables])
        # XLA knows no sparse gradients: those of lookups become dense.
        return loss, [tf.convert_to_tensor(gradient) for gradient in gradients]

    return loss_and_gradients


def binary_cross_entropy(logits: Any, label: Any) -> Any:
    """Mean binary cross-entropy of logits [B] and labels [B], 1 for a positive."""
    return ops.mean(ops.binary_crossentropy(ops.cast(label, logits.dtype), logits, from_logits=True))


def l2_of_rows(table: Any, index: Any, strength: np.ndarray) -> Any:
    """Half the squared rows of a batch, each as often as it occurs, weighted by column; mean over the batch.

    Args:
      table: embeddings, float32 [rows, width].
      index: the batch's rows, int32 [B].
      strength: of each column, float32 [width].
    """
    occurrences = ops.segment_sum(ops.ones(index.shape), index, table.shape[0])
    return ops.sum(occurrences[:, None] * ops.square(table) * strength) / (2 * math.prod(index.shape))
