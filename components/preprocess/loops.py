"""The compiled loops of Preprocess; they release the interpreter lock."""

# The compiler infers the types.
# mypy: disable-error-code="no-untyped-def"

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from components.kernels.compiling import entry_point
from components.kernels.random import GAMMA, mix


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
def pack(users, items, times, first_user, first_time, time_bits, item_bits):
    """Packs (user, time, item), each from 0, into integers of 64 bits that sort the same way.

    Args:
      users: int32 [n].
      items: int32 [n].
      times: integers [n], or empty where there is none.
      first_user: the number of the first user.
      first_time: the earliest time.
      time_bits: bits of the time.
      item_bits: bits of the item.

    Returns:
      uint64 [n].
    """
    keys = np.empty(len(users), np.uint64)
    timed = len(times) > 0
    for row in range(len(users)):
        key = np.uint64(users[row] - first_user) << np.uint64(time_bits)
        if timed:
            key |= np.uint64(np.int64(times[row]) - first_time)
        keys[row] = (key << np.uint64(item_bits)) | np.uint64(items[row])
    return keys


@entry_point
def keep_latest(users, items, num_users, num_items, minimum):
    """Drops all but the last of equal (user, item) pairs, then the users with few items.

    Args:
      users: [n], ascending, from 0 to num_users - 1.
      items: [n], each user's in the order of time.
      num_users: how many users there may be.
      num_items: how many items there may be.
      minimum: users with fewer distinct items are dropped.

    Returns:
      counts, int32 [num_users], 0 for those dropped; the items kept, int32, users and times in order; which items
      were kept, bool [num_items]; how many duplicates were dropped; how many rows of users below the minimum.
    """
    seen_by = np.full(num_items, -1, np.int32)
    kept_items = np.zeros(num_items, np.bool_)
    counts = np.zeros(num_users, np.int32)
    kept = np.empty(len(users), np.int32)
    end = len(users)
    begin = end
    duplicates = 0
    below = 0
    row = len(users) - 1
    while row >= 0:
        user = users[row]
        begin = end
        while row >= 0 and users[row] == user:
            item = items[row]
            if seen_by[item] == user:
                duplicates += 1
            else:
                seen_by[item] = user
                begin -= 1
                kept[begin] = item
            row -= 1
        if end - begin < minimum:
            below += end - begin
        else:
            counts[user] = end - begin
            for position in range(begin, end):
                kept_items[kept[position]] = True
            end = begin
    return counts, kept[end:], kept_items, duplicates, below


@entry_point
def hold_out(counts, first_user, holdouts, at_random, key):
    """Chooses the rows that are held out.

    Args:
      counts: int32 [m], rows of each user, in the order of the rows.
      first_user: index of the first of these users.
      holdouts: rows held out of each user: 1, or 2 where there is a validation split.
      at_random: draw them, instead of taking each user's last rows.
      key: of the random stream.

    Returns:
      uint8 [n]: 0 for training rows, 1 for the test row, 2 for the validation row of each user.
    """
    split = np.zeros(counts.sum(), np.uint8)
    begin = 0
    for user in range(len(counts)):
        count = counts[user]
        # The free rows are those from 0 to count - 1 that are not held out yet.
        taken = -1
        for turn in range(min(holdouts, count)):
            row = count - 1 - turn
            if at_random:
                draw = mix(key + np.uint64(2 * (first_user + user) + turn + 1) * GAMMA)
                row = np.int64((draw >> np.uint64(11)) % np.uint64(count - turn))
                if turn == 1 and row >= taken:
                    row += 1
            taken = row
            split[begin + row] = turn + 1
        begin += count
    return split


class Divided(NamedTuple):
    """The rows of a shard by their split: users and items, int32 [rows] each.

    Attributes:
      train_users: by user, then time.
      train_items: those of `train_users`.
      test_users: at most one row of each user, by user.
      test_items: those of `test_users`.
      validation_users: at most one row of each user, by user.
      validation_items: those of `validation_users`.
      train_counts: training rows of each user of the shard, int32 [users].
    """

    train_users: npt.NDArray[np.int32]
    train_items: npt.NDArray[np.int32]
    test_users: npt.NDArray[np.int32]
    test_items: npt.NDArray[np.int32]
    validation_users: npt.NDArray[np.int32]
    validation_items: npt.NDArray[np.int32]
    train_counts: npt.NDArray[np.int32]


@entry_point
def divide(split, counts, first_user, items, item_index):
    """Writes each row to its split.

    Args:
      split: uint8 [n], see `hold_out`.
      counts: int32 [m], rows of each user.
      first_user: index of the first of these users.
      items: int32 [n], positions of items.
      item_index: int32, the index of each position.

    Returns:
      The rows by their split, see `Divided`.
    """
    tests = np.int64(0)
    validations = np.int64(0)
    for row in range(len(split)):
        tests += split[row] == 1
        validations += split[row] == 2
    train_users = np.empty(len(split) - tests - validations, np.int32)
    train_items = np.empty(len(train_users), np.int32)
    test_users, test_items = np.empty(tests, np.int32), np.empty(tests, np.int32)
    validation_users, validation_items = np.empty(validations, np.int32), np.empty(validations, np.int32)
    train_counts = np.zeros(len(counts), np.int32)
    row = 0
    to_train = to_test = to_validation = 0
    for user in range(len(counts)):
        before = to_train
        for _ in range(counts[user]):
            item = item_index[items[row]]
            if split[row] == 0:
                train_users[to_train] = first_user + user
                train_items[to_train] = item
                to_train += 1
            elif split[row] == 1:
                test_users[to_test] = first_user + user
                test_items[to_test] = item
                to_test += 1
            else:
                validation_users[to_validation] = first_user + user
                validation_items[to_validation] = item
                to_validation += 1
            row += 1
        train_counts[user] = to_train - before
    return Divided(train_users, train_items, test_users, test_items, validation_users, validation_items, train_counts)
