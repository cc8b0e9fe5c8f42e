"""Losses that the product does not have, written as somebody would who adds one."""

from typing import Any

import numpy as np

from components.trainer.losses import Loss
from components.trainer.losses.base import Tensor


class SquaredError(Loss):
    """(logit - label)^2, in `keras.ops` alone."""

    def of_logits(self, logits: Tensor, labels: Tensor) -> Tensor:
        from keras import ops

        return ops.square(logits - labels)


class SquaredHinge(Loss):
    """max(0, 1 - (2 label - 1) logit)^2, with a form for the CPU's engine."""

    def of_logits(self, logits: Tensor, labels: Tensor) -> Tensor:
        from keras import ops

        return ops.square(ops.relu(1 - (2 * labels - 1) * logits))

    @staticmethod
    def loss_and_derivative(logit: Any, label: Any) -> tuple[Any, Any]:
        sign = np.float32(2) * label - np.float32(1)
        gap = max(np.float32(1) - sign * logit, np.float32(0))
        return gap * gap, np.float32(-2) * sign * gap
