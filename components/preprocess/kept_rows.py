"""What the first pass over the input has read, for the second one, as far as some memory holds it.

To read costs more than to keep where text has to be parsed, decompressed or fetched. On several machines the second
pass may run elsewhere; there it reads again.
"""

import functools
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from components.preprocess.rows import Rows
from components.preprocess.values.ids import Ids

_MOST_BYTES = 1 << 28
# Seconds a row: whole numbers in text on a disk take less, and are read again as soon as they are copied.
_QUICK = 5e-8


class KeptRows:
    """Batches of rows, by the number of the piece that they are of."""

    def __init__(self, most_bytes: int, quick: float):
        """Keeps so many bytes at most; of a piece whose first batch takes less than `quick` seconds a row, nothing."""
        self._free = most_bytes
        self._quick = quick
        self._lock = threading.Lock()
        self._pieces: dict[int, list[Rows]] = {}

    def keep(self, piece: int, batches: Iterable[Rows]) -> Iterator[Rows]:
        """Hands on the batches of a piece; keeps them where that is worth it, and there is room for all of them."""
        kept: list[Rows] = []
        fits, begin = True, time.perf_counter()
        for rows in batches:
            worth_it = bool(kept) or time.perf_counter() - begin > self._quick * len(rows)
            if fits and worth_it and self._take(_bytes_of(rows)):
                kept.append(_apart(rows))
            elif fits:
                fits = False
                self._give_back(kept)
                kept.clear()
            yield rows
        if fits:
            self._pieces[piece] = kept

    def pop(self, piece: int) -> Sequence[Rows] | None:
        """The batches of a piece, from now on not kept any longer; None where they are not."""
        kept = self._pieces.pop(piece, None)
        self._give_back(kept or ())
        return kept

    def _take(self, size: int) -> bool:
        with self._lock:
            fits = size <= self._free
            self._free -= size if fits else 0
            return fits

    def _give_back(self, batches: Iterable[Rows]) -> None:
        with self._lock:
            self._free += sum(map(_bytes_of, batches))


@functools.lru_cache(maxsize=1)
def kept_rows(job: str) -> KeptRows:
    """What is kept of a job, in this process; that of the job before is let go."""
    return KeptRows(_MOST_BYTES, _QUICK)


def _bytes_of(rows: Rows) -> int:
    return sum(column.nbytes for column in (rows.user, rows.item, rows.timestamp) if column is not None)


def _apart(rows: Rows) -> Rows:
    """The same rows, in memory of their own: arrays may be parts of what there was for a whole block."""
    times = rows.timestamp
    return replace(
        rows, user=_copied(rows.user), item=_copied(rows.item), timestamp=None if times is None else times.copy()
    )


def _copied(ids: Ids) -> Ids:
    return ids.copy() if isinstance(ids, np.ndarray) else ids
