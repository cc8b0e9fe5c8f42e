"""What makes probabilities of the logits that items are ranked by."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Probabilities:
    """Turns logits into the probabilities that are served: sigmoid(slope * logit + offset).

    What is told is how likely an item is one that the user has to do with, where one such item is drawn beside
    `negatives` others at random: the mix that NeuMF is trained on. A trained model's own logits are of that kind. Where
    towers in closed form are added to them, or there was no training to the end, slope and offset are fitted on the
    validation items (Platt, Probabilistic Outputs for Support Vector Machines, 1999). The order stays as it is.

    Attributes:
      slope: above 0.
      offset: of the logits.
      negatives: other items for each of the user's own.
    """

    slope: float = 1.0
    offset: float = 0.0
    negatives: float = 4.0

    def popularity(self, counts: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """The logits of items for somebody of whom nothing is known: those that the same loss gives to counts alone.

        In the mix, an item stands for c rows of users' own, and for `negatives` * mean(c) others. So its odds are
        c / (negatives * mean(c)).

        Args:
          counts: int64 [items], interactions of each in training; one that has none counts for half of one.

        Returns:
          float32 [items], on the scale of the model's logits.

        Example:
          >>> Probabilities(slope=0.5, offset=-1.0, negatives=1.0).popularity(np.array([3, 1, 2])).round(2)
          array([2.81, 0.61, 2.  ], dtype=float32)
        """
        share = max(self.negatives * float(counts.mean()), np.finfo(np.float32).tiny)
        logits = np.log(np.maximum(counts, 0.5) / share)
        popularity: npt.NDArray[np.float32] = ((logits - self.offset) / self.slope).astype(np.float32)
        return popularity

    def of(self, logits: Any) -> Any:
        """Probabilities of logits, a tensor of any shape."""
        import tensorflow as tf

        return tf.sigmoid(self.slope * logits + self.offset)
