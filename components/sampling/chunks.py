"""Which rows of a chunk are a file's: those at its places in a random order of the chunk."""

# The compiler infers the types.
# mypy: disable-error-code="no-untyped-def,assignment"

import numpy as np

from components.kernels.compiling import entry_point
from components.kernels.random import GAMMA, mix

CHUNK_BITS = 18
"""A chunk has 2^18 rows: at a bit for each, 32 KB."""

_WORDS = 1 << CHUNK_BITS - 6
_ROUNDS = 5
_AT_ONCE = 1 << 10

_U, _U32 = np.uint64, np.uint32
_0, _1, _6, _32, _63 = (_U(n) for n in (0, 1, 6, 32, 63))
_MASK, _HALF, _ODD = _U32((1 << CHUNK_BITS) - 1), _U32(CHUNK_BITS // 2), _U32(1)


@entry_point
def mark_chunks(first_chunk, begins, counts, key, marks):
    """Marks the rows of a file in some chunks.

    The order is a bijection of the numbers below 2^CHUNK_BITS, evaluated at the file's places alone: rounds of a
    product with an odd factor, a sum, and an exclusive or with the upper half, each of which can be undone. So mixes
    SplitMix64, too; here, factors and summands are drawn for the chunk.

    Args:
      first_chunk: the number of the first one.
      begins: int64 [chunks]: the file's first place in each.
      counts: int64 [chunks]: how many places it has there.
      key: uint64, the same for all files of the epoch.
      marks: uint64 [at least chunks * 2^CHUNK_BITS / 64]: receives a bit for each row.
    """
    factors, summands = np.empty(_ROUNDS, np.uint32), np.empty(_ROUNDS, np.uint32)
    rows = np.empty(_AT_ONCE, np.uint32)
    for chunk in range(len(begins)):
        marks_of_chunk = marks[chunk * _WORDS : (chunk + 1) * _WORDS]
        marks_of_chunk[:] = _0
        state = mix(_U(key) + _U(first_chunk + chunk) * GAMMA)
        for turn in range(_ROUNDS):
            state += GAMMA
            word = mix(state)
            factors[turn], summands[turn] = _U32(word >> _32) | _ODD, _U32(word & _U(0xFFFFFFFF))
        for start in range(0, counts[chunk], len(rows)):
            some = min(len(rows), counts[chunk] - start)
            for place in range(some):
                row = _U32(begins[chunk] + start + place)
                for turn in range(_ROUNDS):
                    row = (row * factors[turn] + summands[turn]) & _MASK
                    row ^= row >> _HALF
                rows[place] = row
            for place in range(some):
                row = _U(rows[place])
                marks_of_chunk[row >> _6] |= _1 << (row & _63)
