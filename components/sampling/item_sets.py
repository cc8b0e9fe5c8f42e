"""Sets of items as compiled loops keep them: a bit for each item, and what is not in the set as a list."""

# The compiler infers the types.
# mypy: disable-error-code="no-untyped-def,assignment"

import numpy as np
import numpy.typing as npt

from components.kernels.compiling import compiled
from components.kernels.random import GAMMA, mix, scaled

MISSES = 16  # tries before the candidates are enumerated: sampling is bounded, and exact either way

_U = np.uint64
_0, _1, _6, _32, _63 = (_U(n) for n in (0, 1, 6, 32, 63))


@compiled
def contains(bitset, item):
    """Whether an item, uint64, is in a set, uint64 [items / 64]."""
    return (bitset[item >> _6] >> (item & _63)) & _1 != _0


@compiled
def add_all(bitset, items):
    """Adds items, int32 [n], to a set."""
    for item in items:
        bitset[_U(item) >> _6] |= _1 << (_U(item) & _63)


@compiled
def clear_all(bitset, items):
    """Empties a set that has these items, int32 [n], and no others."""
    if len(items) > len(bitset) >> 3:
        bitset[:] = _0
        return
    for item in items:
        bitset[_U(item) >> _6] = _0


@compiled
def pick(state, num_items, bitset, absent, candidates, keep):
    """Draws one of the items that are not in the set from their list, which is made when `candidates` is 0.

    Returns:
      The stream's new state, a random word, the item (`num_items` when there is none), and the number of candidates
      that are listed now: without the item, unless `keep`.
    """
    if candidates == _0:
        for item in range(np.int64(num_items)):
            if not contains(bitset, _U(item)):
                absent[candidates] = item
                candidates += _1
        if candidates == _0:
            return state, _0, num_items, candidates
    state += GAMMA
    state, choice = scaled(mix(state) >> _32, candidates, state)
    chosen = _U(absent[choice])
    if not keep:
        candidates -= _1
        absent[choice] = absent[candidates]
    state += GAMMA
    return state, mix(state), chosen, candidates


def make_scratch(num_items: int) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int32]]:
    """An empty set of items and room to enumerate its complement, for one thread."""
    return np.zeros((num_items + 63) // 64, np.uint64), np.empty(num_items, np.int32)
