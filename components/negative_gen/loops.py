"""The compiled inner loops of evaluation records: exact negatives of a user, and repeats among them."""

# The compiler infers the types.
# mypy: disable-error-code="no-untyped-def,assignment"

import numpy as np

from components.kernels.compiling import entry_point
from components.kernels.random import GAMMA, mix
from components.sampling.item_sets import MISSES, add_all, clear_all, contains, pick

_U = np.uint64
_LOW = _U(0xFFFFFFFF)
_0, _1, _6, _32, _63 = (_U(n) for n in (0, 1, 6, 32, 63))


@entry_point
def sample_negatives(train_items, offsets, first_user, users, avoided, num_items, distinct, key, items, scratch):
    """Draws the evaluation negatives of some users of a shard.

    Args:
      train_items: the `items` of the `TrainShard`.
      offsets: as in `TrainShard`.
      first_user: as in `TrainShard`.
      users: int32 [n]: the users.
      avoided: int32 [n, m]: further items that are no negatives of the user; below 0: none.
      num_items: how many items there are.
      distinct: whether to draw without replacement.
      key: uint64 of the random stream.
      items: int32 [n, 1 + negatives]: its columns from 1 on receive the negatives, and -1 behind the last one where a
        user has fewer.
      scratch: see `make_scratch`; left as it was.
    """
    bitset, absent = scratch
    bound = _U(num_items)
    threshold = (_1 << _32) % bound
    for row in range(len(users)):
        local = users[row] - first_user
        seen = train_items[offsets[local] : offsets[local + 1]]
        add_all(bitset, seen)
        for other in avoided[row]:
            if other >= 0:
                bitset[_U(other) >> _6] |= _1 << (_U(other) & _63)
        state = mix(_U(key) + _U(users[row]) * GAMMA)
        candidates = _0
        drawn = 1
        while drawn < items.shape[1]:
            item = bound
            misses = 0 if candidates == _0 else MISSES
            while misses < MISSES:
                state += GAMMA
                product = (mix(state) >> _32) * bound
                item = product >> _32
                if product & _LOW >= threshold and not contains(bitset, item):
                    break
                misses += 1
            if misses == MISSES:
                state, _, item, candidates = pick(state, bound, bitset, absent, candidates, not distinct)
            if item == bound:
                break
            items[row, drawn] = np.int32(item)
            drawn += 1
            if distinct:
                bitset[item >> _6] |= _1 << (item & _63)
        clear_all(bitset, seen)
        for other in avoided[row]:
            if other >= 0:
                bitset[_U(other) >> _6] = _0
        clear_all(bitset, items[row, 1:drawn])
        items[row, drawn:] = -1


@entry_point
def mask_repeats(items, mask, scratch):
    """Sets the mask (uint8) where an item stood before in the same row of `items` (int32 [n, width])."""
    bitset = scratch[0]
    for row in range(len(items)):
        for column in range(items.shape[1]):
            item = _U(items[row, column])
            mask[row, column] = np.uint8(contains(bitset, item))
            bitset[item >> _6] |= _1 << (item & _63)
        clear_all(bitset, items[row])
