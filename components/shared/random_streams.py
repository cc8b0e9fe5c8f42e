"""Keys of the pipeline's random streams: what is drawn depends on what it is for, never on who draws it or when."""

import hashlib

import numpy as np


def stream_key(seed: int, purpose: str, *index: int) -> int:
    """Returns the 64-bit key of one random stream.

    Args:
      seed: the run's seed.
      purpose: what the numbers are for, such as "training negatives".
      *index: which stream of that purpose: epoch, shard, user.
    """
    name = ":".join([str(seed), purpose, *map(str, index)])
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")


def generator(seed: int, purpose: str, *index: int) -> np.random.Generator:
    """Returns NumPy's counter-based generator (Philox) on the stream of that key."""
    return np.random.Generator(np.random.Philox(key=stream_key(seed, purpose, *index)))
