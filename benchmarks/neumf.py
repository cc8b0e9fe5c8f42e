"""The models and the shapes of data that the benchmarks of training and scoring share, and the work that they make."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.estimating import work

if TYPE_CHECKING:
    from components.trainer.settings import Settings

_FLOAT_BYTES = 4


@dataclass(frozen=True)
class Model:
    """A NeuMF and its training.

    Attributes:
      factors: width of the GMF tower.
      layers: widths of the MLP tower, the first being that of both embeddings together.
      batch_size: rows of a training step.
      learning_rate: Adam's; and `beta_1`, `beta_2`, `epsilon`.
    """

    factors: int
    layers: tuple[int, ...]
    batch_size: int
    learning_rate: float = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8


@dataclass(frozen=True)
class Shape:
    """The size of a data set."""

    users: int
    items: int
    interactions: int


MODELS = {
    "mlperf": Model(64, (256, 256, 128, 64), 98_304, 0.00382059, 0.783529, 0.909003, 1.45439e-7),
    "ncf8": Model(8, (64, 32, 16, 8), 16_384),
}
SHAPES = {"ml-1m": Shape(6_040, 3_706, 1_000_209), "ml-20m": Shape(138_493, 26_744, 20_000_263)}


def training_settings(model: Model, batch_size: int, epochs: int) -> "Settings":
    """What trains the model alone, from random weights."""
    from components.trainer.settings import Settings

    return Settings(
        num_factors=model.factors,
        layers=model.layers,
        batch_size=batch_size,
        epochs=epochs,
        learning_rate=model.learning_rate,
        beta_1=model.beta_1,
        beta_2=model.beta_2,
        epsilon=model.epsilon,
        pretraining="none",
        recent_factors=1,
        gmf_l2=0,
        mlp_l2=0,
        als_regularization=1,
        als_unobserved_weight=1,
        history_factors=0,
        recent_items=0,
        least_gain=0,
    )


@dataclass(frozen=True)
class Step:
    """What a training step works on: `pairs` rows, with so many distinct users and items together."""

    pairs: float
    distinct: float


def mean_step(user: np.ndarray, item: np.ndarray, batch_size: int) -> Step:
    """The average over the whole batches of an epoch; `user` and `item` are int32 [rows]."""
    whole = len(user) // batch_size * batch_size
    sides = (column[:whole].reshape(-1, batch_size) for column in (user, item))
    return Step(batch_size, float(sum(np.mean([len(np.unique(batch)) for batch in side]) for side in sides)))


def flops_of_pair(model: Model) -> int:
    """Floating-point operations to score a pair, once its user and its item have been through the first layer."""
    return work.flops_of_pair(model.factors, model.layers)


def flops_of_step(model: Model, step: Step) -> float:
    """Floating-point operations of the matrix products of a training step, the first layer being factorised.

    Each distinct user and item goes through its half of the first layer once, and each pair through the rest. The
    gradients of values and those of weights each take as much again: three times the forward pass.
    """
    first = 2 * (model.layers[0] // 2) * model.layers[1]
    return 3 * (step.pairs * flops_of_pair(model) + step.distinct * first)


def bytes_of_step(model: Model, step: Step, moved_rows: float) -> float:
    """Bytes that a training step moves where nothing stays in a cache.

    - Of each pair, its indexes and its label, the projected rows of its user and item, read, and their gradients,
      added up (read and written); each activation and each gradient of one, written once and read once.
    - Of each row that the optimiser moves: the value and Adam's two moments, read and written.

    Args:
      model: the model.
      step: the step.
      moved_rows: how many rows of both tables the optimiser moves: the distinct ones, or all where it is dense.
    """
    projected = 2 * (model.factors + model.layers[1])
    activations = sum(model.layers[1:])
    floats = step.pairs * (3 * projected + 4 * activations) + 6 * moved_rows * (model.factors + model.layers[0] // 2)
    return _FLOAT_BYTES * floats + step.pairs * (4 + 4 + 1)
