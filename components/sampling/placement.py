"""Which rows of an epoch are in which of its files.

Every row goes into one of the files at random, as if by a die. A file's task finds its own rows without a throw for any
other: how many rows of a chunk each file gets is drawn first, halving the files and the chunk's rows again and again
(Binomial(n, 1/2)), and then a random order of the chunk says which ones they are: a file has those at its places. The
places behind the epoch's last row belong to nobody, and are passed over.
"""

import numpy as np
import numpy.typing as npt

from components.sampling.chunks import CHUNK_BITS, mark_chunks
from components.sampling.sampler import Sampler
from components.shared.random_streams import generator, stream_key

_CHUNK = 1 << CHUNK_BITS


class Placement:
    """The rows of one file of an epoch."""

    def __init__(self, sampler: Sampler, epoch: int, file: int):
        """Draws how many rows of each chunk they are."""
        self._key = np.uint64(stream_key(sampler.seed, "placement", epoch))
        self._begins, self._counts = _shares(sampler, epoch, file)
        self._marks = np.zeros(0, np.uint64)

    def marks(self, first_row: int, rows: int) -> tuple[npt.NDArray[np.uint64], int]:
        """Bits of some of the epoch's rows, set for those that are in the file; good until the next call.

        Returns:
          uint64 [n], and which of the bits is the first row's.
        """
        chunks = slice(first_row // _CHUNK, -(-(first_row + rows) // _CHUNK))
        begins, counts = self._begins[chunks], self._counts[chunks]
        if len(self._marks) < (words := len(begins) * _CHUNK // 64):
            self._marks = np.empty(words, np.uint64)
        mark_chunks(chunks.start, begins, counts, self._key, self._marks)
        return self._marks, first_row % _CHUNK


def _shares(sampler: Sampler, epoch: int, file: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The file's first place in each chunk, and how many it has there, int64 [chunks]."""
    counts = np.full(-(-sampler.rows_per_epoch // _CHUNK), _CHUNK)
    begins = np.zeros_like(counts)
    for bit in reversed(range(sampler.file_bits)):
        random = generator(sampler.seed, "files", epoch, bit, file >> bit + 1)
        lower = random.binomial(counts, 0.5)
        if file >> bit & 1:
            begins, counts = begins + lower, counts - lower
        else:
            counts = lower
    return begins, counts
