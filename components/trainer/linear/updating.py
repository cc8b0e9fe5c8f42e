"""Towers in closed form brought up to date without a decomposition: one damped step from the vectors that were found.

Singular vectors V of X with values S are those that X' X V / S^2 leaves as they are. Where X has changed a little, that
moves them towards what they are now, and gives a new item, whose vector is nothing, the one that its interactions have
by the others (folding in: Sarwar et al., ICCIT 2002). Along small singular values it would be noise: as in ridge
regression, damping holds the vectors there where they were. A second step would follow the largest singular value, so
that the first always starts at what a decomposition has found.
"""

from dataclasses import replace

import numpy as np

from components.shared.sequences import count_following
from components.trainer.linear.factors import PLACES, Factors, read_of, scaled_by_counts, scaled_by_totals
from components.trainer.linear.histories import Histories
from components.trainer.linear.towers import Tower

_DAMPING_OF_SEQUENCES = 0.02  # of the largest singular value; .02 to .2 rank alike


def updated(tower: Tower, histories: Histories) -> Tower:
    """A tower by the training interactions of now.

    Args:
      tower: as it was found, with vectors for all items of now: zeros for new ones.
      histories: with these.
    """
    update = _in_histories if tower.number is None else _in_sequences
    return replace(tower, factors=update(tower.factors, histories))


def _in_histories(factors: Factors, histories: Histories) -> Factors:
    assert factors.values is not None
    scaled, of_items = scaled_by_counts(histories.seen, factors.form.power)
    squares, found = factors.values**2, factors.scored
    damping = factors.form.damping * squares[0]
    right = ((scaled.T @ (scaled @ found) + damping * found) / (squares + damping)).astype("f4")
    return replace(factors, read=read_of(right, of_items, factors.values, factors.form), scored=right)


def _in_sequences(factors: Factors, histories: Histories) -> Factors:
    """The same of both sides, each by the other, which have the root of a singular value in them."""
    follows = scaled_by_totals(count_following(*histories.train, histories.items, PLACES), factors.form)
    values = np.sum(factors.scored.astype("f8") ** 2, axis=0)
    damping = _DAMPING_OF_SEQUENCES * values.max()
    read = (follows @ factors.scored + damping * factors.read) / (values + damping)
    scored = (follows.T @ factors.read + damping * factors.scored) / (values + damping)
    return replace(factors, read=read.astype("f4"), scored=scored.astype("f4"))
