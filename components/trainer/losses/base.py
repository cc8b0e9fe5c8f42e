"""What a loss is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Tensor = Any
Scalar = Any


@dataclass(frozen=True)
class Loss:
    """The loss of a pair from its logit and its label; a step's loss is the mean over its batch.

    Attributes:
      of_logits: the formula in `keras.ops`, which XLA and several devices differentiate: from logits and labels, 1 for
        a positive and 0 for a negative, float32 [B] each, to losses, float32 [B].
      compiled_form: the same for one pair, with the derivative, in plain arithmetic and NumPy's functions, which the
        CPU's own engine compiles into its loops: from a logit and a label, float32 each, to the loss and its derivative
        with respect to the logit. Without it, XLA trains on the CPU as well.
    """

    of_logits: Callable[[Tensor, Tensor], Tensor]
    compiled_form: Callable[[Scalar, Scalar], tuple[Scalar, Scalar]] | None = None
