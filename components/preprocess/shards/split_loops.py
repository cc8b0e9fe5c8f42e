"""The compiled loops that choose what is held out and put each row into its split; as the others, on marked rows.

They release the interpreter lock. See `loops` for the marks.
"""

# The compiler infers the types.
# mypy: disable-error-code="no-untyped-def"

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from components.kernels.compiling import compiled, entry_point
from components.kernels.random import GAMMA, mix
from components.preprocess.shards.loops import ASIDE, PART_BITS, TEST, TIED, TRAIN, VALIDATION


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
def draw_users(users, share, key):
    """Draws users, each for itself.

    Args:
      users: int32 [m], their positions; whether one is drawn depends on it, not on the shard.
      share: how many are drawn, about.
      key: of the random stream.

    Returns:
      Who is drawn, bool [m].
    """
    drawn = np.empty(len(users), np.bool_)
    for user in range(len(users)):
        drawn[user] = _uniform(key, np.uint64(users[user])) < share
    return drawn


@entry_point
def hold_out(counts, users, holdouts, at_random, key):
    """Chooses the rows that are held out, where each user has one in each split.

    Args:
      counts: int32 [m], rows of each user, in the order of the rows.
      users: int32 [m], their positions; what is drawn of one depends on nobody else.
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
                draw = mix(key + np.uint64(2 * np.int64(users[user]) + turn + 1) * GAMMA)
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
