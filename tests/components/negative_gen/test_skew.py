"""Shapes that a table of users and items would not survive."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from components.sampling.drawing import Memory, draw_file, pool
from components.sampling.sampler import Sampler
from tests.components.negative_gen.helpers import make_job, read_lists, run, write_artifacts

USERS, ITEMS, BUSY, MANY = 2_000, 500_000, 7, 200_000


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    """Everybody has item 0, and one user 200,000 of the 500,000 items."""
    folder = tmp_path_factory.mktemp("skew")
    random = np.random.default_rng(0)
    seen = [[0, *random.integers(1, ITEMS, 2).tolist()] for _ in range(USERS)]
    seen[BUSY] = [0, *(1 + random.permutation(ITEMS - 2)[:MANY]).tolist()]
    data = write_artifacts(folder, ITEMS, seen, {"test": dict.fromkeys(range(USERS), ITEMS - 1)})
    return make_job(data, folder / "examples", batch_size=1_000, max_rows_per_file=150_000, source="streamed")


def epoch_of(sampler: Sampler) -> np.ndarray:
    memory, parts, left_over = Memory(), [], []
    for file in range(sampler.files):
        drawn = draw_file(sampler, 0, file, memory)
        parts += [part.copy() for part in drawn.parts]
        left_over.append(drawn.left_over)
        memory.give_back(drawn.room)
    return np.concatenate([*parts, pool(sampler, left_over)])


def test_a_user_with_most_rows_has_exact_negatives(job):
    rows = epoch_of(job.sampler)[job.batch_size :]  # without the batch that is filled up
    pairs, positive = rows >> np.uint64(1), rows & np.uint64(1) == 1
    train = np.concatenate([part.items for part in map(job.sampler.train_shards.__getitem__, range(3))])
    counts = np.concatenate([np.diff(job.sampler.train_shards[shard].offsets) for shard in range(3)])
    owned = np.repeat(np.arange(USERS, dtype=np.uint64), counts) << np.uint64(31) | train.astype(np.uint64)
    assert len(np.unique(pairs[positive])) == positive.sum() > len(train) - 1_000
    assert np.isin(pairs[positive], owned).all()
    assert not np.isin(pairs[~positive], owned).any()
    assert (pairs[~positive] >> np.uint64(31) == BUSY).mean() == pytest.approx(counts[BUSY] / counts.sum(), abs=0.01)


def test_memory_is_that_of_the_rows_of_a_file(job):
    epoch_of(job.sampler)
    memory = Memory()
    tracemalloc.start()
    try:
        memory.give_back(draw_file(job.sampler, 0, 0, memory).room)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    of_rows = 8 * job.sampler.rows_per_epoch / job.sampler.files
    of_items = 4 * ITEMS + ITEMS / 8
    # Buckets have some room to spare, and a shard's rows a bit each. A bit for each user and item would be 125 MB.
    assert peak < 2 * of_rows + of_items + 4e6 < USERS * ITEMS / 8 / 8


def test_its_list_for_the_evaluation_has_none_of_what_it_has_seen(job, tmp_path: Path):
    lists = read_lists(run(job), "test")
    items = lists["item"][BUSY]
    shard = job.sampler.train_shards[0]
    seen = shard.items[shard.offsets[BUSY] : shard.offsets[BUSY + 1]]
    assert items[0] == ITEMS - 1
    assert len(np.unique(items)) == 100
    assert not np.isin(items, seen).any()
