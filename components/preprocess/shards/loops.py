"""The compiled loops over the rows of a shard; they release the interpreter lock.

Each row carries a mark, uint8: its lowest bit says that the row has the time of the row before it, of the same user
(`TIED`); the bits above that are its part (`TRAIN`, `TEST` or `VALIDATION`), where the split is one of rows.
"""

# The compiler infers the types.
# mypy: disable-error-code="no-untyped-def"

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from components.kernels.compiling import compiled, entry_point
from components.kernels.random import GAMMA, mix

TIED = np.uint8(1)
PART_BITS = np.uint8(1)
TRAIN, TEST, VALIDATION, ASIDE = np.uint8(0), np.uint8(1), np.uint8(2), np.uint8(3)


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
def ties(users, times):
    """Marks the rows that have the time of the row before them, of the same user: uint8 [n]."""
    marks = np.zeros(len(users), np.uint8)
    for row in range(1, len(users)):
        if times[row] == times[row - 1] and users[row] == users[row - 1]:
            marks[row] = TIED
    return marks


@entry_point
def keep_latest(users, items, marks, num_users, num_items, minimum):
    """Drops all but the last of equal (user, item) pairs, then the users with few items.

    Args:
      users: [n], ascending, from 0 to num_users - 1.
      items: [n], each user's in the order of time.
      marks: uint8 [n].
      num_users: how many users there may be.
      num_items: how many items there may be.
      minimum: users with fewer distinct items are dropped.

    Returns:
      counts, int32 [num_users], 0 for those dropped; the items kept, int32, users and times in order; their marks, of
      which `TIED` stands for the time of the row kept before; how many duplicates were dropped; how many rows of users
      below the minimum.
    """
    seen_by = np.full(num_items, -1, np.int32)
    counts = np.zeros(num_users, np.int32)
    kept = np.empty(len(users), np.int32)
    kept_marks = np.empty(len(users), np.uint8)
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
                # The row kept after this one is tied with one kept before it if all between them are.
                kept_marks[begin] &= marks[row] | ~TIED
            else:
                seen_by[item] = user
                begin -= 1
                kept[begin] = item
                kept_marks[begin] = marks[row]
            row -= 1
        if end - begin < minimum:
            below += end - begin
        else:
            counts[user] = end - begin
            end = begin
    return counts, kept[end:], kept_marks[end:], duplicates, below


@entry_point
def drop_users(counts, items, alive, item_counts, minimum, item_minimum):
    """Drops users with few items that count, and takes their rows off the counts of all their items.

    Args:
      counts: int32 [m], rows of each user, in the order of the rows.
      items: int32 [n].
      alive: bool [m], changed in place: those not dropped.
      item_counts: int64, rows of each item of all users not dropped, changed in place.
      minimum: users with fewer items that count are dropped.
      item_minimum: items with fewer rows do not count.

    Returns:
      How many users were dropped.
    """
    dropped = 0
    begin = 0
    for user in range(len(counts)):
        end = begin + counts[user]
        if alive[user]:
            left = 0
            for row in range(begin, end):
                left += item_counts[items[row]] >= item_minimum
            if left < minimum:
                alive[user] = False
                dropped += 1
                for row in range(begin, end):
                    item_counts[items[row]] -= 1
        begin = end
    return dropped


@entry_point
def keep_rows(counts, items, marks, wanted, minimum, trained):
    """Keeps the rows of wanted items, then the users who have enough of them.

    Args:
      counts: int32 [m], rows of each user, in the order of the rows.
      items: int32 [n].
      marks: uint8 [n].
      wanted: bool, of each item.
      minimum: users with fewer rows left are dropped.
      trained: whether users without a row of the part `TRAIN` are dropped, too.

    Returns:
      counts, int32 [m], 0 for those dropped; the items kept; their marks; how many rows were of items not wanted; how
      many others of users dropped.
    """
    kept_counts = np.zeros(len(counts), np.int32)
    kept = np.empty(len(items), np.int32)
    kept_marks = np.empty(len(items), np.uint8)
    unwanted = 0
    of_users = 0
    end = 0
    row = 0
    for user in range(len(counts)):
        begin = end
        train = 0
        tied = TIED
        for _ in range(counts[user]):
            tied &= marks[row]
            if wanted[items[row]]:
                kept[end] = items[row]
                kept_marks[end] = (marks[row] & ~TIED) | tied
                train += (marks[row] >> PART_BITS) == TRAIN
                tied = TIED
                end += 1
            else:
                unwanted += 1
            row += 1
        if end - begin < minimum or (trained and train == 0):
            of_users += end - begin
            end = begin
        else:
            kept_counts[user] = end - begin
    return kept_counts, kept[:end].copy(), kept_marks[:end].copy(), unwanted, of_users


@entry_point
def trained(counts, items, marks, num_items):
    """Finds who and what has a row of the part `TRAIN`.

    Args:
      counts: int32 [m], rows of each user, in the order of the rows.
      items: int32 [n].
      marks: uint8 [n].
      num_items: how many items there may be.

    Returns:
      How many of the users; which items, bool [num_items].
    """
    users = 0
    with_row = np.zeros(num_items, np.bool_)
    row = 0
    for user in range(len(counts)):
        found = False
        for _ in range(counts[user]):
            if (marks[row] >> PART_BITS) == TRAIN:
                found = True
                with_row[items[row]] = True
            row += 1
        users += found
    return users, with_row


@entry_point
def draw_parts(counts, users, share, validation, key):
    """Draws the part of each row.

    Args:
      counts: int32 [m], rows of each user, in the order of the rows.
      users: int32 [m], their positions; what is drawn depends on a user's, not on the shard.
      share: of the rows, for the part `TEST`, and as much for `VALIDATION`.
      validation: whether there is that part.
      key: of the random stream.

    Returns:
      Marks to be added, uint8 [n].
    """
    marks = np.zeros(counts.sum(), np.uint8)
    begin = 0
    for user in range(len(counts)):
        for row in range(counts[user]):
            draw = _uniform(key, (np.uint64(users[user]) << np.uint64(32)) | np.uint64(row))
            if draw < share:
                marks[begin + row] = TEST << PART_BITS
            elif validation and draw < 2 * share:
                marks[begin + row] = VALIDATION << PART_BITS
        begin += counts[user]
    return marks


@entry_point
def hold_out(counts, first_user, holdouts, at_random, key):
    """Chooses the rows that are held out, where each user has one in each split.

    Args:
      counts: int32 [m], rows of each user, in the order of the rows.
      first_user: index of the first of these users.
      holdouts: rows held out of each user: 1, or 2 where there is a validation split.
      at_random: draw them, instead of taking each user's last rows.
      key: of the random stream.

    Returns:
      The split of each row, uint8 [n]: `TRAIN`, `TEST` or `VALIDATION`.
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


@entry_point
def choose_one(counts, users, marks, at_random, key):
    """Chooses the row of each user that is judged, in each part that is held out.

    Args:
      counts: int32 [m], rows of each user, in the order of the rows.
      users: int32 [m], their positions.
      marks: uint8 [n], with the part of each row.
      at_random: draw the row, instead of taking the first of the part.
      key: of the random stream.

    Returns:
      The split of each row, uint8 [n]: `TRAIN`, `TEST`, `VALIDATION`, or `ASIDE` for what is held out but not judged.
    """
    split = marks >> PART_BITS
    end = 0
    for user in range(len(counts)):
        begin = end
        end += counts[user]
        for part in (TEST, VALIDATION):
            rows = 0
            for row in range(begin, end):
                rows += split[row] == part
            chosen = np.int64(0)
            if at_random and rows:
                chosen = np.int64(_uniform(key, np.uint64(2) * np.uint64(users[user]) + np.uint64(part - 1)) * rows)
            for row in range(begin, end):
                if split[row] == part:
                    if chosen != 0:
                        split[row] = ASIDE
                    chosen -= np.int64(1)
    return split


@entry_point
def tied_users(counts, marks, split):
    """Counts the users of whom two rows of one time, one after the other, are in different splits."""
    users = 0
    end = 0
    for user in range(len(counts)):
        begin = end
        end += counts[user]
        found = False
        for row in range(begin + 1, end):
            found |= (marks[row] & TIED) != 0 and split[row] != split[row - 1]
        users += found
    return users


class Divided(NamedTuple):
    """The rows of a shard by their split.

    Attributes:
      users: int32 [rows], first of the split `TRAIN`, then `TEST`, `VALIDATION`, `ASIDE`; in each by user, then time.
      items: those of `users`.
      ends: int64 [5]: where each split begins and ends.
      train_counts: training rows of each user of the shard, int32 [users].
    """

    users: npt.NDArray[np.int32]
    items: npt.NDArray[np.int32]
    ends: npt.NDArray[np.int64]
    train_counts: npt.NDArray[np.int32]


@entry_point
def divide(split, counts, first_user, items, item_index):
    """Writes each row to its split.

    Args:
      split: uint8 [n], see `hold_out` and `choose_one`.
      counts: int32 [m], rows of each user.
      first_user: index of the first of these users.
      items: int32 [n], positions of items.
      item_index: int32, the index of each position.

    Returns:
      The rows by their split, see `Divided`.
    """
    ends = np.zeros(5, np.int64)
    for row in range(len(split)):
        ends[split[row] + 1] += 1
    ends = np.cumsum(ends)
    to = ends[:4].copy()
    users = np.empty(len(split), np.int32)
    indexes = np.empty(len(split), np.int32)
    train_counts = np.zeros(len(counts), np.int32)
    row = 0
    for user in range(len(counts)):
        before = to[TRAIN]
        for _ in range(counts[user]):
            place = to[split[row]]
            users[place] = first_user + user
            indexes[place] = item_index[items[row]]
            to[split[row]] += 1
            row += 1
        train_counts[user] = to[TRAIN] - before
    return Divided(users, indexes, ends, train_counts)


@compiled
def _uniform(key, counter):
    """A number from 0 to below 1, of 53 bits."""
    return np.float64(mix(key + (counter + np.uint64(1)) * GAMMA) >> np.uint64(11)) * 2.0**-53
