"""The compiled loops over raw ids; they release the interpreter lock."""

# The compiler infers the types.
# mypy: disable-error-code="no-untyped-def"

import numpy as np

from components.kernels.compiling import entry_point


@entry_point
def runs(ids):
    """Returns the first position of each run of equal values, int64."""
    starts = np.empty(len(ids), np.int64)
    count = 0
    for row in range(len(ids)):
        if row == 0 or ids[row] != ids[row - 1]:
            starts[count] = row
            count += 1
    return starts[:count].copy()


@entry_point
def marks(ids, low, size):
    """Returns which of the values from `low` to `low + size - 1` occur, bool [size]."""
    marked = np.zeros(size, np.bool_)
    for row in range(len(ids)):
        marked[np.int64(ids[row]) - low] = True
    return marked


@entry_point
def count_parts(times, first, width, parts):
    """Counts times in each of so many parts of that width, the first of which begins at `first`: int64 [parts]."""
    counts = np.zeros(parts, np.int64)
    for row in range(len(times)):
        part = np.int64((np.float64(times[row]) - first) / width)
        counts[max(0, min(part, parts - 1))] += 1
    return counts
