"""The compiled inner loops of training rows: which of them a file takes, their negatives, their order.

Every user has random streams of its own, so neither the cut into shards nor the order of work can change what is drawn.

A row is packed into a uint64: the user in the upper half, then the item, then one bit for the label.
"""

# The compiler infers the types.
# mypy: disable-error-code="no-untyped-def,assignment"

from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic

from components.kernels.compiling import entry_point
from components.kernels.random import GAMMA, mix, scaled
from components.sampling.item_sets import MISSES, add_all, clear_all, contains, pick

DONE = -1
TOO_SMALL = -2

_U = np.uint64
_LOW, _ONES = _U(0xFFFFFFFF), _U(0xFFFFFFFFFFFFFFFF)
_0, _1, _32 = (_U(n) for n in (0, 1, 32))


@intrinsic
def _popcount(_typing: Any, word: Any) -> Any:
    """The number of ones of a uint64."""
    return types.uint64(types.uint64), lambda _context, builder, _signature, values: builder.ctpop(values[0])


@entry_point
def scatter_rows(
    items, offsets, first_user, num_items, num_negatives, file, file_bits, placement_key, draw_key, rows, ends, scratch
):
    """Scatters one file's rows of one shard over the file's buckets, each row into a bucket drawn at random.

    Every row of the epoch, positive or negative, draws `file_bits` random bits and belongs to the file whose number
    they spell; they are drawn for 64 rows of a user at once, one bit of each per random word, so that each file's task
    finds its rows by itself at hardly any cost. As the negatives of a user are exchangeable, only their number in this
    file matters, and the task draws them itself.

    Args:
      items: as in `TrainShard`.
      offsets: as in `TrainShard`.
      first_user: as in `TrainShard`.
      num_items: how many items there are.
      num_negatives: negatives per positive.
      file: which of the epoch's 2^file_bits files.
      file_bits: see `file`.
      placement_key: uint64, the same for all files of the epoch.
      draw_key: uint64, another one for each file.
      rows: uint64 [buckets, capacity]: receives the rows; the number of buckets is a power of two.
      ends: int64 [buckets]: how many rows each bucket holds; updated.
      scratch: see `make_scratch`; left as it was.

    A user who has every item has no negative: rows of the user's own are drawn in place of them, as positives.

    Returns:
      DONE, or TOO_SMALL when a bucket overflows.
    """
    bitset, absent = scratch
    bound = _U(num_items)
    threshold = (_1 << _32) % bound
    bucket_mask = _U(rows.shape[0] - 1)
    capacity = rows.shape[1]
    for index in range(len(offsets) - 1):
        begin, end = offsets[index], offsets[index + 1]
        positives = end - begin
        user = _U(first_user + index)
        placement = mix(_U(placement_key) + user * GAMMA)
        state = mix(_U(draw_key) + user * GAMMA)
        row_of_user = user << _32
        negatives = 0
        remaining = positives * (1 + num_negatives)
        for base in range(0, positives * (1 + num_negatives), 64):
            here = _ONES
            for bit in range(file_bits):
                placement += GAMMA
                word = mix(placement)
                here &= word if (file >> bit) & 1 else ~word
            if remaining < 64:
                here &= (_1 << _U(remaining)) - _1
            remaining -= 64
            if base < positives:
                mine = here
                if positives - base < 64:
                    mine &= (_1 << _U(positives - base)) - _1
                here ^= mine
                while mine != _0:
                    place = np.int64(_popcount(~mine & (mine - _1)))
                    mine &= mine - _1
                    state += GAMMA
                    bucket = mix(state) & bucket_mask
                    if ends[bucket] == capacity:
                        return TOO_SMALL
                    rows[bucket, ends[bucket]] = row_of_user | _U(items[begin + base + place]) << _1 | _1
                    ends[bucket] += 1
            negatives += np.int64(_popcount(here))
        if negatives == 0:
            continue

        seen = items[begin:end]
        add_all(bitset, seen)
        candidates = _0
        outcome = DONE
        for _ in range(negatives):
            item = bound
            misses = 0 if candidates == _0 else MISSES
            while misses < MISSES:
                # One random word serves twice: the upper half draws the item, the lower half the bucket.
                state += GAMMA
                word = mix(state)
                product = (word >> _32) * bound
                item = product >> _32
                if product & _LOW >= threshold and not contains(bitset, item):
                    break
                misses += 1
            if misses == MISSES:
                state, word, item, candidates = pick(state, bound, bitset, absent, candidates, True)
            label = _0
            if item == bound:
                state += GAMMA
                word = mix(state)
                item, label = _U(items[begin + np.int64((word >> _32) * _U(positives) >> _32)]), _1
            bucket = word & bucket_mask
            if ends[bucket] == capacity:
                outcome = TOO_SMALL
                break
            rows[bucket, ends[bucket]] = row_of_user | item << _1 | label
            ends[bucket] += 1
        clear_all(bitset, seen)
        if outcome != DONE:
            return outcome
    return DONE


@entry_point
def shuffle(rows, key):
    """Fisher-Yates: makes every order of the rows (uint64 [n]) equally likely."""
    state = _U(key)
    last = len(rows) - 1
    while last > 0:
        state += GAMMA
        word = mix(state)
        state, other = scaled(word >> _32, _U(last + 1), state)
        rows[last], rows[other] = rows[other], rows[last]
        last -= 1
        if last > 0:
            state, other = scaled(word & _LOW, _U(last + 1), state)
            rows[last], rows[other] = rows[other], rows[last]
            last -= 1


@entry_point
def unpack(rows, users, items, labels):
    """Splits packed rows into columns, all of the same length."""
    for index in range(len(rows)):
        row = rows[index]
        users[index] = np.int32(row >> _32)
        items[index] = np.int32((row >> _1) & _U(0x7FFFFFFF))
        labels[index] = np.uint8(row & _1)
