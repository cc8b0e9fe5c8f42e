"""The compiled loops over the rows of a shard; they release the interpreter lock.

Each row carries a mark, uint8: its lowest bit says that the row has the time of the row before it, of the same user
(`TIED`); the bits above that are its part (`TRAIN`, `TEST` or `VALIDATION`), where the split is one of rows.
"""

# The compiler infers the types.
# mypy: disable-error-code="no-untyped-def"

import numpy as np

from components.kernels.compiling import entry_point

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
def number(keys, item_bits, place_bits):
    """Takes the items out of packed rows, and puts the number of each row in their place.

    Args:
      keys: uint64 [n], see `pack`; changed in place.
      item_bits: bits of the item.
      place_bits: bits of the number.

    Returns:
      The items, int32 [n].
    """
    items = np.empty(len(keys), np.int32)
    lowest = (np.uint64(1) << np.uint64(item_bits)) - np.uint64(1)
    for row in range(len(keys)):
        key = keys[row]
        items[row] = np.int32(key & lowest)
        keys[row] = ((key >> np.uint64(item_bits)) << np.uint64(place_bits)) | np.uint64(row)
    return items


@entry_point
def unpack(keys, low_bits, time_bits, items):
    """Splits packed rows.

    Args:
      keys: uint64 [n]: user, time and, in the lowest bits, the item or what `number` has put there.
      low_bits: how many bits those are.
      time_bits: bits of the time.
      items: what `number` has returned; empty where the items are in the lowest bits.

    Returns:
      Users, int32 [n], times, int64 [n], and items, int32 [n].
    """
    users, times = np.empty(len(keys), np.int32), np.empty(len(keys), np.int64)
    taken = np.empty(len(keys), np.int32)
    lowest = (np.uint64(1) << np.uint64(low_bits)) - np.uint64(1)
    of_time = (np.uint64(1) << np.uint64(time_bits)) - np.uint64(1)
    numbered = len(items) > 0
    for row in range(len(keys)):
        key = keys[row]
        low = key & lowest
        taken[row] = items[low] if numbered else np.int32(low)
        key >>= np.uint64(low_bits)
        times[row] = np.int64(key & of_time)
        users[row] = np.int32(key >> np.uint64(time_bits))
    return users, times, taken


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
