"""What a loss is."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

Tensor = Any

Scalars = Callable[[Any, Any], tuple[Any, Any]]
"""From a pair's logit and label, float32 each, to its loss and that loss's derivative with respect to the logit."""


class Loss(ABC):
    """The loss of a pair from its logit and its label; a step's loss is the mean over its batch.

    Attributes:
      loss_and_derivative: the same for one pair in plain arithmetic on float32 scalars and NumPy's functions, which the
        CPU's own engine compiles into its loops; None where a loss has no such form, and is trained by XLA on the CPU
        as well. Of a module alone: what it calls must be NumPy's, or a `compiled` function.
    """

    loss_and_derivative: ClassVar[Scalars | None] = None

    @abstractmethod
    def of_logits(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The loss of each pair in `keras.ops`, which XLA and several devices differentiate.

        Keras is imported within, as the configuration reads the names of the losses without it.

        Args:
          logits: float32 [B].
          labels: float32 [B], 1 for a positive, 0 for a negative.

        Returns:
          float32 [B].
        """
