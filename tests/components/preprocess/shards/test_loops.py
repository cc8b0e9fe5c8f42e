"""The compiled loops of a shard against plain NumPy and Python, on shards of every small shape."""

from collections import Counter

import numpy as np
import numpy.typing as npt
import pytest

from components.preprocess.shards import loops, split_loops

SEEDS = range(40)


def shard(seed: int) -> tuple[np.random.Generator, npt.NDArray[np.int32], npt.NDArray[np.int32], int, int]:
    """Users, ascending, of whom some have no row, and their items; how many users and items there may be."""
    random = np.random.default_rng(seed)
    rows, num_users, num_items = random.integers(0, 60), random.integers(1, 12), random.integers(1, 12)
    users = np.sort(random.integers(0, num_users, rows)).astype(np.int32)
    return random, users, random.integers(0, num_items, rows).astype(np.int32), int(num_users), int(num_items)


def times_of(random: np.random.Generator, users: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """A few different times, ascending within each user."""
    times = random.integers(0, 4, len(users))
    return times[np.lexsort((times, users))]


def ties(users: npt.NDArray[np.int32], times: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    """What the marks of rows should be that have no parts."""
    pairs = list(zip(users.tolist(), times.tolist(), strict=True))
    return np.array([row > 0 and pairs[row] == pairs[row - 1] for row in range(len(pairs))], np.uint8)


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
def test_rows_of_one_user_and_time_are_tied(seed: int) -> None:
    random, users, _, _, _ = shard(seed)
    times = times_of(random, users)
    assert loops.ties(users, times).tolist() == ties(users, times).tolist()


@pytest.mark.parametrize("seed", SEEDS)
def test_the_last_of_equal_rows_is_kept(seed: int) -> None:
    random, users, items, num_users, num_items = shard(seed)
    times = times_of(random, users)
    parts = random.integers(0, 3, len(users)).astype(np.uint8) << 1
    minimum = int(random.integers(1, 6))
    counts, kept, marks, duplicates, below = loops.keep_latest(
        users, items, ties(users, times) | parts, num_users, num_items, minimum
    )
    # A dictionary keeps the first of equal keys in its place: the last one, of rows that are turned over.
    last = [list({items[row]: row for row in np.flatnonzero(users == user)}.values()) for user in range(num_users)]
    enough = [sorted(rows) if len(rows) >= minimum else [] for rows in last]
    rows = np.array([row for each in enough for row in each], np.int64)
    assert counts.tolist() == list(map(len, enough))
    assert kept.tolist() == items[rows].tolist()
    assert marks.tolist() == (ties(users[rows], times[rows]) | parts[rows]).tolist()
    assert duplicates == len(users) - sum(map(len, last))
    assert below == sum(len(each) for each in last if len(each) < minimum)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("trained", [False, True])
def test_rows_of_wanted_items_are_kept_of_users_with_enough_of_them(seed: int, trained: bool) -> None:
    random, users, items, num_users, num_items = shard(seed)
    times = times_of(random, users)
    parts = random.integers(0, 3, len(users)).astype(np.uint8)
    wanted = random.random(num_items) < 0.6
    minimum = int(random.integers(1, 4))
    before = np.bincount(users, minlength=num_users).astype(np.int32)
    counts, kept, marks, unwanted, of_users = loops.keep_rows(
        before, items, ties(users, times) | (parts << 1), wanted, minimum, trained
    )
    left = [np.flatnonzero((users == user) & wanted[items]).tolist() for user in range(num_users)]
    stays = [len(rows) >= minimum and (not trained or 0 in parts[rows]) for rows in left]
    rows = np.array([row for each, stay in zip(left, stays, strict=True) for row in each if stay], np.int64)
    assert counts.tolist() == [len(each) * stay for each, stay in zip(left, stays, strict=True)]
    assert kept.tolist() == items[rows].tolist()
    assert marks.tolist() == (ties(users[rows], times[rows]) | (parts[rows] << 1)).tolist()
    assert unwanted == (~wanted[items]).sum()
    assert of_users == len(users) - unwanted - len(rows)


@pytest.mark.parametrize("seed", SEEDS)
def test_users_and_items_with_a_training_row_are_found(seed: int) -> None:
    random, users, items, num_users, num_items = shard(seed)
    parts = random.integers(0, 3, len(users)).astype(np.uint8)
    found, with_row = loops.trained(
        np.bincount(users, minlength=num_users).astype(np.int32), items, parts << 1, num_items
    )
    assert found == len(set(users[parts == 0].tolist()))
    assert np.flatnonzero(with_row).tolist() == sorted(set(items[parts == 0].tolist()))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("holdouts", [1, 2])
@pytest.mark.parametrize("at_random", [False, True])
def test_held_out_rows_go_to_their_splits(seed: int, holdouts: int, at_random: bool) -> None:
    random, users, items, num_users, num_items = shard(seed)
    counts = np.bincount(users, minlength=num_users).astype(np.int32)
    positions = np.cumsum(random.integers(1, 5, num_users)).astype(np.int32)
    split = split_loops.hold_out(counts, positions, holdouts, at_random, np.uint64(seed))
    some = random.random(num_users) < 0.5  # nobody's rows depend on who else is there
    alone = split_loops.hold_out(counts[some], positions[some], holdouts, at_random, np.uint64(seed))
    assert alone.tolist() == split[np.repeat(some, counts)].tolist()
    for user, count in enumerate(counts.tolist()):
        own = split[users == user]
        assert sorted(own[own > 0]) == list(range(1, min(holdouts, count) + 1))
        if not at_random:
            assert own[::-1][: min(holdouts, count)].tolist() == list(range(1, min(holdouts, count) + 1))
    check_divided(random, split, users, items, counts, num_items)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("at_random", [False, True])
def test_one_row_of_each_part_is_judged_and_the_others_set_aside(seed: int, at_random: bool) -> None:
    random, users, items, num_users, num_items = shard(seed)
    counts = np.bincount(users, minlength=num_users).astype(np.int32)
    parts = random.integers(0, 3, len(users)).astype(np.uint8)
    split = split_loops.choose_one(counts, np.arange(num_users, dtype=np.int32), parts << 1, at_random, np.uint64(seed))
    assert (split[parts == 0] == 0).all()
    for user in range(num_users):
        for part in (1, 2):
            own = split[(users == user) & (parts == part)].tolist()
            assert Counter(own) == Counter([part] * bool(own) + [3] * max(len(own) - 1, 0))
            assert at_random or own[:1] in ([part], [])
    check_divided(random, split, users, items, counts, num_items)


def check_divided(
    random: np.random.Generator,
    split: npt.NDArray[np.uint8],
    users: npt.NDArray[np.int32],
    items: npt.NDArray[np.int32],
    counts: npt.NDArray[np.int32],
    num_items: int,
) -> None:
    index = random.permutation(num_items).astype(np.int32)
    divided = split_loops.divide(split, counts, 3, items, index)
    for number in range(4):
        part = slice(divided.ends[number], divided.ends[number + 1])
        assert divided.users[part].tolist() == (users[split == number] + 3).tolist()
        assert divided.items[part].tolist() == index[items[split == number]].tolist()
    assert divided.train_counts.tolist() == np.bincount(users[split == 0], minlength=len(counts)).tolist()


def test_a_drawn_row_is_any_of_its_part_with_the_same_chance() -> None:
    users = np.arange(3_000, dtype=np.int32)
    marks = np.tile(np.array([2, 0, 2, 2], np.uint8), len(users))
    split = split_loops.choose_one(np.full(len(users), 4, np.int32), users, marks, True, np.uint64(7)).reshape(-1, 4)
    chosen = (split == 1).mean(axis=0)
    assert chosen[[0, 2, 3]] == pytest.approx([1 / 3] * 3, abs=4 * np.sqrt(2 / 9 / len(users)))


@pytest.mark.parametrize("validation", [False, True])
def test_parts_are_drawn_with_their_share_for_each_user_alike(validation: bool) -> None:
    counts = np.full(2_000, 30, np.int32)
    users = np.arange(2_000, dtype=np.int32)
    parts = split_loops.draw_parts(counts, users, 0.2, validation, np.uint64(5)) >> 1
    noise = 4 * np.sqrt(0.2 * 0.8 / len(parts))
    assert (parts == 1).mean() == pytest.approx(0.2, abs=noise)
    assert (parts == 2).mean() == pytest.approx(0.2 * validation, abs=noise)
    # What is drawn is the user's own, whoever else is in the shard.
    alone = split_loops.draw_parts(counts[7:9], users[7:9], 0.2, validation, np.uint64(5)) >> 1
    assert alone.tolist() == parts[7 * 30 : 9 * 30].tolist()
    # The rows of one user, and the same row of all users, are drawn independently: no two columns go together.
    table = (parts == 1).reshape(-1, 30)
    correlations = np.corrcoef(table.T)[np.triu_indices(30, 1)]
    assert np.abs(correlations).max() < 5 / np.sqrt(len(table))


@pytest.mark.parametrize("seed", SEEDS)
def test_users_are_tied_where_rows_of_one_time_are_in_different_splits(seed: int) -> None:
    random, users, _, num_users, _ = shard(seed)
    times = times_of(random, users)
    counts = np.bincount(users, minlength=num_users).astype(np.int32)
    split = random.integers(0, 3, len(users)).astype(np.uint8)
    tied = {
        int(user)
        for user in range(num_users)
        for time in range(4)
        if len(set(split[(users == user) & (times == time)].tolist())) > 1
    }
    assert split_loops.tied_users(counts, ties(users, times), split) == len(tied)
