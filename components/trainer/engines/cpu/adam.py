"""Adam (Kingma and Ba, ICLR 2015) as Keras defines it, and the moving average of the weights.

A row of a table that is not in a batch has no gradient, yet Adam moves it on by its momentum. Such a row *coasts*: all
the steps that it missed are made up for at once, when it is next needed or at the end of the call. The arithmetic is
that of the dense update, value by value and step by step, so the result is the same to the last bit (but for moments
that fade below 1e-30); what is saved is the reading and writing of the whole table and its moments in each step.
"""

# The compiler infers the types.
# mypy: disable-error-code="no-untyped-def"

import numpy as np

from components.kernels.compiling import compiled
from components.kernels.memory import ROWS_AHEAD, ask_for

_0, _1 = np.float32(0), np.float32(1)
_TINY = np.float32(1e-30)  # smaller moments become zero, as numbers below 1e-38 slow a CPU down a hundredfold


@compiled(hot=True)
def _move(value, mean, square, average, gradient, rate, keep, beta_1, beta_2, epsilon):
    for k in range(len(value)):
        change = gradient[k]
        new_mean = mean[k] + (change - mean[k]) * (_1 - beta_1)
        new_square = square[k] + (change * change - square[k]) * (_1 - beta_2)
        mean[k] = new_mean
        square[k] = new_square
        value[k] -= rate * new_mean / (np.sqrt(new_square) + epsilon)
    for k in range(len(average)):
        average[k] = keep * average[k] + (_1 - keep) * value[k]


@compiled(hot=True)
def _coast(value, mean, square, average, rates, keeps, beta_1, beta_2, epsilon):
    for step in range(len(rates)):
        rate, keep = rates[step], keeps[step]
        for k in range(len(value)):
            new_mean = mean[k] + (_0 - mean[k]) * (_1 - beta_1)
            new_mean = new_mean if abs(new_mean) > _TINY else _0
            new_square = square[k] + (_0 - square[k]) * (_1 - beta_2)
            new_square = new_square if new_square > _TINY else _0
            mean[k] = new_mean
            square[k] = new_square
            value[k] -= rate * new_mean / (np.sqrt(new_square) + epsilon)
        for k in range(len(average)):
            average[k] = keep * average[k] + (_1 - keep) * value[k]


@compiled(hot=True)
def coast_row(side, row, steps, adam):
    """Brings a row to where it is after `steps` steps of the call."""
    table, done = side.table, side.done[row]
    if done < steps:
        _coast(
            table.value[row], table.mean[row], table.square[row], table.average[row], adam.rates[done:steps],
            adam.keeps[done:steps], adam.beta_1, adam.beta_2, adam.epsilon,
        )  # fmt: skip
        side.done[row] = steps


@compiled(hot=True)
def move_slots(side, begin, end, step, adam):
    """Takes step `step` of the call with the rows of some slots."""
    table = side.table
    for slot in range(begin, end):
        _ask_for_row(table, side.rows[min(slot + ROWS_AHEAD, end - 1)])
        row = side.rows[slot]
        _move(
            table.value[row], table.mean[row], table.square[row], table.average[row], side.row_gradient[slot],
            adam.rates[step], adam.keeps[step], adam.beta_1, adam.beta_2, adam.epsilon,
        )  # fmt: skip
        side.done[row] = step + 1


@compiled(hot=True)
def _ask_for_row(table, row):
    ask_for(table.value[row])
    ask_for(table.mean[row])
    ask_for(table.square[row])
    ask_for(table.average[row])


@compiled(hot=True)
def move_weights(dense, step, adam):
    """Takes step `step` of the call with the weights that are in no table, and zeroes their gradients."""
    total = dense.gradients[0]
    for lane in range(1, len(dense.gradients)):
        part = dense.gradients[lane]
        for k in range(len(total)):
            total[k] += part[k]
            part[k] = _0
    for k in range(len(total)):
        total[k] *= dense.moving[k]
    weights = dense.weights
    _move(
        weights.value, weights.mean, weights.square, weights.average, total, adam.rates[step], adam.keeps[step],
        adam.beta_1, adam.beta_2, adam.epsilon,
    )  # fmt: skip
    for k in range(len(total)):
        total[k] = _0
