"""What the kernels work on: arrays, grouped."""

from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

# What is known of a kernel [depth, width]: where in the weights it begins, its depth, its width, and where among the
# panels it begins, and its transpose.
AT, DEPTH, WIDTH, PANELS, BACK = range(5)

Reals: TypeAlias = npt.NDArray[np.float32]
Indexes: TypeAlias = npt.NDArray[np.int32]
Numbers: TypeAlias = npt.NDArray[np.int64]


class Trained(NamedTuple):
    """Values with what Adam keeps of them: float32, all of one shape.

    Attributes:
      value: the values.
      mean: the moving average of their gradients.
      square: that of their squared gradients.
      average: that of the values themselves; empty along its last axis where there is none.
    """

    value: Reals
    mean: Reals
    square: Reals
    average: Reals


class Side(NamedTuple):
    """The users' table or the items', and what a batch of B pairs needs of it.

    A *slot* is the place of a distinct row of the table among those of the batch. Pairs are sorted by the users' slots.

    Attributes:
      kernel: which of `Dense.kernels` is its share of the first layer.
      table: [rows of the table, factors + half].
      done: int32 [rows of the table], how many steps of this call each row has made.
      slot_of: int32 [rows of the table], -1 but for a moment.
      found: int64 [1], the number of slots.
      rows: int32, the row of each slot.
      unsorted: int32 [B], the slot of each pair of the batch as it came.
      slots: int32 [B], the slot of each pair.
      pairs: int32 [B], the pairs of the first slot, then those of the second, and so on.
      begins: int32 [slots + 1], where in `pairs` those of each slot begin.
      ends: int32 [slots], where those that were dealt with end.
      gathered: float32 [slots, factors + half], the rows.
      projected: float32 [slots, factors + width], the rows with their MLP part times the kernel of the first layer.
      gradient: float32, the gradient of `projected`.
      row_gradient: float32, the gradient of `gathered`.
    """

    kernel: int
    table: Trained
    done: Indexes
    slot_of: Indexes
    found: Numbers
    rows: Indexes
    unsorted: Indexes
    slots: Indexes
    pairs: Indexes
    begins: Indexes
    ends: Indexes
    gathered: Reals
    projected: Reals
    gradient: Reals
    row_gradient: Reals


class Dense(NamedTuple):
    """All weights that are in no table, one after the other: kernel and bias of each layer, then of the head.

    Attributes:
      weights: [w].
      moving: float32 [w], 0 for a weight that stays as it is, else 1.
      gradients: float32 [lanes, w], to be added up.
      kernels: int64 [kernels, 5], what the columns `AT`, `DEPTH`, `WIDTH`, `PANELS` and `BACK` say of each: the users'
        share of the first layer, the items', then each layer on. Empty where there is no MLP.
      panels: float32, the kernels and their transposes, packed anew in each step (see `products`).
      widths: int64, of the MLP's layers; empty where there is no MLP.
      factors: width of the GMF tower.
      half: width of a table's MLP part.
      bias_at: where the first layer's bias begins.
      head_at: where the head begins: first its weights of the GMF tower.
    """

    weights: Trained
    moving: Reals
    gradients: Reals
    kernels: Numbers
    panels: Reals
    widths: Numbers
    factors: int
    half: int
    bias_at: int
    head_at: int


class Scratch(NamedTuple):
    """Room for a batch of B pairs, for two blocks of them, and for one lane of a block in each thread.

    Attributes:
      labels: float32 [B], of the sorted pairs.
      activations: float32 [threads, the values of all layers but the last for a lane's pairs].
      features: float32 [threads, a lane's pairs, factors + last width], what the head is for: the GMF tower's products,
        and the last layer's values.
      deltas: float32 [threads, 2, the widest layer's values for a lane's pairs].
      errors: float32 [2, pairs of a block], the gradient of each logit.
      hidden_gradient: float32 [2, pairs of a block, width], that of the first layer before its activation.
      panels: float32 [threads, a packed part of a gradient].
      losses: float64 [lanes], sums over the pairs of a batch.
    """

    labels: Reals
    activations: Reals
    features: Reals
    deltas: Reals
    errors: Reals
    hidden_gradient: Reals
    panels: Reals
    losses: npt.NDArray[np.float64]


class AdamSteps(NamedTuple):
    """How the optimiser moves values in each step of a call.

    Attributes:
      rates: float32 [steps], the learning rate with the correction of Adam's bias.
      keeps: float32 [steps], what share of itself the moving average of the values keeps.
      beta_1: float32; `beta_2` and `epsilon` likewise.
      l2: float32 [factors + half], strength of L2 on a row of a table, each time that it occurs.
    """

    rates: Reals
    keeps: Reals
    beta_1: np.float32
    beta_2: np.float32
    epsilon: np.float32
    l2: Reals
