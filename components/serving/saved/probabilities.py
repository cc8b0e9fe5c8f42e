"""What makes probabilities of the logits that items are ranked by."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Probabilities:
    """Turns logits into the probabilities that are served: sigmoid(slope * logit + offset).

    What is told is how likely an item is the one that the user goes on to, of all that are unseen. Slope and offset are
    fitted on the validation items (Platt, Probabilistic Outputs for Support Vector Machines, 1999), so that those of a
    list add up to how often it has them, on average. The order stays as it is.

    Attributes:
      slope: above 0.
      offset: of the logits.
    """

    slope: float = 1.0
    offset: float = 0.0

    @classmethod
    def of_sampled(cls, negatives: int, items: int) -> Self:
        """Of logits that were trained to tell one of a user's own items from drawn ones, with no validation to fit on.

        Beside one of the user's own, all others are there instead of a few, so the odds go down by as much (King and
        Zeng, Logistic Regression in Rare Events Data, 2001, the prior correction).

        Args:
          negatives: drawn items for each of the user's own; 0 is taken for 1.
          items: of all.
        """
        return cls(offset=float(np.log(max(negatives, 1) / max(items - 1, 1))))

    def popularity(self, counts: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """The logits of items for somebody of whom nothing is known: an item is as likely as its share of all rows.

        Args:
          counts: int64 [items], interactions of each in training; one that has none counts for half of one.

        Returns:
          float32 [items], on the scale of the model's logits.

        Example:
          >>> Probabilities(slope=0.5, offset=-1.0).popularity(np.array([3, 1, 2])).round(2)
          array([ 2.  , -1.22,  0.61], dtype=float32)
        """
        own = np.maximum(counts, 0.5)
        logits = np.log(own / np.maximum(counts.sum() - own, 0.5))
        popularity: npt.NDArray[np.float32] = ((logits - self.offset) / self.slope).astype(np.float32)
        return popularity

    def of(self, logits: Any) -> Any:
        """Probabilities of logits, a tensor of any shape."""
        import tensorflow as tf

        return tf.sigmoid(self.slope * logits + self.offset)
