"""What an engine is, and what it is made from."""

from dataclasses import dataclass
from typing import Protocol

import keras
import numpy as np
import numpy.typing as npt

from components.trainer.engines.devices import Device
from components.trainer.losses import LOSSES, Loss
from components.trainer.model import NeuMF
from components.trainer.settings import Settings


@dataclass(frozen=True)
class Setup:
    """What an engine is made from.

    Attributes:
      model: what is trained.
      optimizer: what moves its weights, built for them.
      config: how it is trained.
      batch_size: rows of a step, over all devices.
      device: what trains it; model and optimiser were made in its scope.
    """

    model: NeuMF
    optimizer: keras.optimizers.Optimizer
    config: Settings
    batch_size: int
    device: Device

    @property
    def loss(self) -> Loss:
        """The loss of a pair."""
        return LOSSES[self.config.loss]


class Engine(Protocol):
    """What trains a model, step by step."""

    def load(self) -> None:
        """Takes the values of the model and of its optimiser."""

    def store(self) -> None:
        """Gives the model and its optimiser the values that they have now."""

    def train_steps(
        self, steps: int, user: npt.NDArray[np.int32], item: npt.NDArray[np.int32], label: npt.NDArray[np.uint8]
    ) -> npt.NDArray[np.floating]:
        """Trains on batches, between `load` and `store`.

        Args:
          steps: how many of them.
          user: int32 [S, B].
          item: int32 [S, B].
          label: uint8 [S, B], 1 for a positive.

        Returns:
          The loss of each step, the mean over its batch: float [steps].
        """
