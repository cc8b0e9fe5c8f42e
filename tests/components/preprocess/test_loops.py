"""The compiled loops of Preprocess against plain NumPy and Python, on shards of every small shape."""

import numpy as np
import numpy.typing as npt
import pytest

from components.preprocess import loops
from components.preprocess.readers import text_loops

SEEDS = range(40)


def shard(seed: int) -> tuple[np.random.Generator, npt.NDArray[np.int32], npt.NDArray[np.int32], int, int]:
    """Users, ascending, of whom some have no row, and their items; how many users and items there may be."""
    random = np.random.default_rng(seed)
    rows, num_users, num_items = random.integers(0, 60), random.integers(1, 12), random.integers(1, 12)
    users = np.sort(random.integers(0, num_users, rows)).astype(np.int32)
    return random, users, random.integers(0, num_items, rows).astype(np.int32), int(num_users), int(num_items)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("timed", [True, False])
def test_packed_rows_hold_user_time_and_item(seed: int, timed: bool) -> None:
    random, users, items, _, _ = shard(seed)
    times = random.integers(1_000, 1_008, len(users)) if timed else np.empty(0, np.int64)
    keys = loops.pack(users + 5, items, times, 5, 1_000, 3, 4)
    offsets = times - 1_000 if timed else np.zeros(len(users), np.int64)
    assert keys.tolist() == [
        (int(user) << 7) + (int(time) << 4) + int(item) for user, time, item in zip(users, offsets, items, strict=True)
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_last_of_equal_rows_is_kept(seed: int) -> None:
    random, users, items, num_users, num_items = shard(seed)
    minimum = int(random.integers(1, 6))
    counts, kept, kept_items, duplicates, below = loops.keep_latest(users, items, num_users, num_items, minimum)
    # A dictionary keeps the first of equal keys in its place: the last one, of rows that are turned over.
    distinct = [list(dict.fromkeys(items[users == user][::-1].tolist()))[::-1] for user in range(num_users)]
    expected = [each if len(each) >= minimum else [] for each in distinct]
    assert counts.tolist() == list(map(len, expected))
    assert kept.tolist() == [item for each in expected for item in each]
    assert np.flatnonzero(kept_items).tolist() == sorted(set(kept.tolist()))
    assert duplicates == len(users) - sum(map(len, distinct))
    assert below == sum(len(each) for each in distinct if len(each) < minimum)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("holdouts", [1, 2])
@pytest.mark.parametrize("at_random", [False, True])
def test_held_out_rows_go_to_their_splits(seed: int, holdouts: int, at_random: bool) -> None:
    random, users, items, num_users, num_items = shard(seed)
    counts = np.bincount(users, minlength=num_users).astype(np.int32)
    split = loops.hold_out(counts, 3, holdouts, at_random, np.uint64(seed))
    for user, count in enumerate(counts.tolist()):
        own = split[users == user]
        assert sorted(own[own > 0]) == list(range(1, min(holdouts, count) + 1))
        if not at_random:
            assert own[::-1][: min(holdouts, count)].tolist() == list(range(1, min(holdouts, count) + 1))
    index = random.permutation(num_items).astype(np.int32)
    *parts, train_counts = loops.divide(split, counts, 3, items, index)
    for number in range(3):
        assert parts[2 * number].tolist() == (users[split == number] + 3).tolist()
        assert parts[2 * number + 1].tolist() == index[items[split == number]].tolist()
    assert train_counts.tolist() == np.bincount(users[split == 0], minlength=num_users).tolist()


@pytest.mark.parametrize("seed", SEEDS)
def test_runs_and_marks_of_ids(seed: int) -> None:
    _, users, _, num_users, _ = shard(seed)
    firsts = [row for row, user in enumerate(users) if row == 0 or users[row - 1] != user]
    assert text_loops.runs(users).tolist() == firsts
    marked = text_loops.marks(users - 4, -4, num_users)
    assert np.flatnonzero(marked).tolist() == sorted(set(users.tolist()))
