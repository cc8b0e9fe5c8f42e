"""The training items by user, as several threads ask for them."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from components.artifacts.interactions import Interactions, Pairs
from components.artifacts.splits import Split
from components.sampling import train_shards
from components.sampling.train_shards import TrainShards
from tests.components.negative_gen.helpers import random_data


class Watched(Interactions):
    """Notes which shards are read, and holds a thread until so many are being read at once."""

    def __init__(self, uri: str, at_once: int):
        super().__init__(uri)
        self.read: list[int] = []
        self.begun = threading.Event()
        self._together = threading.Barrier(at_once)

    def shard(self, split: Split, shard: int) -> Pairs:
        self.read.append(shard)
        self.begun.set()
        self._together.wait(timeout=60)
        return super().shard(split, shard)


def test_who_would_wait_for_a_shard_reads_the_next_one(tmp_path: Path) -> None:
    interactions = Watched(random_data(tmp_path, shards=3).uri, at_once=2)
    shards = TrainShards(interactions)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(shards.__getitem__, 0)
        assert interactions.begun.wait(timeout=60)
        second = threads.submit(shards.__getitem__, 0)
        assert first.result() is second.result()
    assert interactions.read == [0, 1]
    assert shards[1].first_user == interactions.summary.shards[1].first_user
    assert interactions.read == [0, 1]


@pytest.mark.parametrize(("shard", "room"), [(0, 0), (2, 1 << 20)], ids=["no room", "the last one"])
def test_nothing_is_read_in_advance_that_is_not_kept_or_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shard: int, room: int
) -> None:
    monkeypatch.setattr(train_shards, "_KEPT_BYTES", room)
    interactions = Watched(random_data(tmp_path, shards=3).uri, at_once=1)
    shards = TrainShards(interactions)
    with ThreadPoolExecutor(1) as threads:
        with shards._locks[shard]:
            waiting = threads.submit(shards.__getitem__, shard)
            assert not interactions.begun.wait(timeout=0.2)
        found = waiting.result()
    assert interactions.read == [shard]
    np.testing.assert_array_equal(np.sort(found.items), np.sort(interactions.shard("train", shard).items))
