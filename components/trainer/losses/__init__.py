"""Pointwise losses: one file each, the loss of a pair from its logit and its label.

A loss that stands in `LOSSES` can be chosen as `trainer.loss`, and every engine trains on it. What a model serves is
its logit, whatever the loss: it orders items, and is a log-odds only where the loss makes it one.
"""

from components.trainer.losses.base import Loss
from components.trainer.losses.binary_cross_entropy import BINARY_CROSS_ENTROPY

__all__ = ["LOSSES", "Loss"]

LOSSES: dict[str, Loss] = {
    "binary_cross_entropy": BINARY_CROSS_ENTROPY,
}
