"""Losses that the product does not have, written as somebody would who adds one."""

import numpy as np

from components.trainer.losses import Loss
from components.trainer.losses.base import Scalar, Tensor


def squared_error(logits: Tensor, labels: Tensor) -> Tensor:
    """(z - y)^2, without a form for the CPU's engine."""
    from keras import ops

    return ops.square(logits - labels)


def squared_hinge(logits: Tensor, labels: Tensor) -> Tensor:
    """max(0, 1 - (2 y - 1) z)^2."""
    from keras import ops

    return ops.square(ops.relu(1 - (2 * labels - 1) * logits))


def compiled_squared_hinge(logit: Scalar, label: Scalar) -> tuple[Scalar, Scalar]:
    sign = np.float32(2) * label - np.float32(1)
    gap = max(np.float32(1) - sign * logit, np.float32(0))
    return gap * gap, np.float32(-2) * sign * gap


TOYS = {"squared_error": Loss(squared_error), "squared_hinge": Loss(squared_hinge, compiled_squared_hinge)}
