"""The training items by user, a shard at a time."""

import threading
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from components.artifacts.interactions import Interactions
from components.sampling import loops
from components.shared.memory import memory_bytes

# Shards are read again for every file once they need more than this: 512 MB, or a quarter of a larger memory.
_KEPT_BYTES = max(512 << 20, memory_bytes() // 4)


@dataclass(frozen=True)
class TrainShard:
    """The training items of a range of users.

    Attributes:
      first_user: the index of the first user.
      offsets: int64 [users + 1]: where each user's items begin.
      items: int32 [interactions], user after user; see `loops.spread_out` for their order.
    """

    first_user: int
    offsets: npt.NDArray[np.int64]
    items: npt.NDArray[np.int32]


class TrainShards:
    """The shards of the training split, kept in memory while there is room; what is kept is not sent to a worker."""

    def __init__(self, interactions: Interactions):
        """Reads nothing yet."""
        self._interactions = interactions
        self._forget()

    def __getstate__(self) -> Interactions:
        return self._interactions

    def __setstate__(self, interactions: Interactions) -> None:
        self._interactions = interactions
        self._forget()

    def _forget(self) -> None:
        self._kept: dict[int, TrainShard] = {}
        self._locks: dict[int, threading.Lock] = defaultdict(threading.Lock)

    def __getitem__(self, shard: int) -> TrainShard:
        # Whoever would wait for another thread to read this shard reads the one that comes next.
        if self._locks[shard].locked() and shard + 1 < self._interactions.shards and self._has_room():
            self._get(shard + 1)
        return self._get(shard)

    def _get(self, shard: int) -> TrainShard:
        with self._locks[shard]:
            if shard in self._kept:
                return self._kept[shard]
            read = self._read(shard)
            if self._has_room():
                self._kept[shard] = read
            return read

    def _has_room(self) -> bool:
        return sum(kept.items.nbytes + kept.offsets.nbytes for kept in list(self._kept.values())) < _KEPT_BYTES

    def _read(self, shard: int) -> TrainShard:
        pairs, part = self._interactions.shard("train", shard), self._interactions.summary.shards[shard]
        offsets = np.searchsorted(pairs.users, np.arange(part.first_user, part.first_user + part.users + 1))
        items = pairs.items.copy()
        loops.spread_out(items, offsets)
        return TrainShard(part.first_user, offsets, items)
