"""The random generator of compiled loops, SplitMix64.

Steele, Lea & Flood, Fast Splittable Pseudorandom Number Generators, OOPSLA 2014. A stream is a number that grows by
`GAMMA` from draw to draw; what is drawn is the number, mixed. Number n of a stream is therefore known without those
before it: whoever draws a part of a stream draws what a loop over all of it would have drawn there.
`components.shared.random_streams.stream_key` makes a stream's first number.
"""

# The compiler infers the types.
# mypy: disable-error-code="no-untyped-def"

import numpy as np

from components.kernels.compiling import compiled

GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_1, _11, _27, _30, _31, _32 = (np.uint64(n) for n in (1, 11, 27, 30, 31, 32))
_LOW = np.uint64(0xFFFFFFFF)


@compiled
def mix(word):
    """Turns a uint64 into another one, well mixed, and different ones into different ones."""
    word = (word ^ (word >> _30)) * _MIX_1
    word = (word ^ (word >> _27)) * _MIX_2
    return word ^ (word >> _31)


@compiled
def uniform(word):
    """Turns a random uint64 into a float64 in [0, 1): a multiple of 2^-53."""
    return np.float64(word >> _11) * 2.0**-53


@compiled
def scaled(half, bound, state):
    """Turns a random number below 2^32 into an exactly uniform one below `bound`.

    Lemire, Fast Random Integer Generation in an Interval, ACM TOMACS 2019.

    Args:
      half: uint64 below 2^32, random.
      bound: uint64, from 1 to 2^32 - 1.
      state: uint64 of the stream, whose next numbers are taken where the first one would favour some results.

    Returns:
      The stream's state afterwards, and the number, both uint64.
    """
    product = half * bound
    if product & _LOW < bound:
        threshold = (_1 << _32) % bound
        while product & _LOW < threshold:
            state += GAMMA
            product = (mix(state) >> _32) * bound
    return state, product >> _32
