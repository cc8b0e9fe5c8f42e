"""Compiled loops of the synthetic generator. Random numbers are a hash of (key, user, counter)."""

# What a compiled function returns is Any to mypy; the compiler infers it.
# mypy: disable-error-code="no-any-return"

import math

import numpy as np
import numpy.typing as npt

from components.kernels.compiling import compiled, entry_point
from components.kernels.random import GAMMA, mix, uniform

_EARLIEST = 820_454_400  # 1996-01-01
_LATEST = 1_420_070_400  # 2015-01-01


@compiled
def _user_key(key: np.uint64, user: int) -> np.uint64:
    return mix(key ^ mix(np.uint64(user) + GAMMA))


@compiled
def _uniform(user_key: np.uint64, counter: int) -> float:
    """Number `counter` of a user's stream, in [0, 1)."""
    return uniform(mix(user_key + np.uint64(counter) * GAMMA))


@compiled
def _exponential(user_key: np.uint64, counter: int) -> float:
    return -math.log(1.0 - _uniform(user_key, counter))


@entry_point
def tastes(key: np.uint64, users: npt.NDArray[np.int64], groups: int, focus: float) -> npt.NDArray[np.float64]:
    """Returns softmax(focus * x_u) with x_u ~ N(0, I), float64 [len(users), groups]."""
    theta = np.empty((len(users), groups))
    for row in range(len(users)):
        user_key = _user_key(key, users[row])
        total = 0.0
        for group in range(groups):
            # Box and Muller's normal from two uniforms.
            radius = math.sqrt(2.0 * _exponential(user_key, 2 * group))
            weight = math.exp(focus * radius * math.cos(2.0 * math.pi * _uniform(user_key, 2 * group + 1)))
            theta[row, group] = weight
            total += weight
        for group in range(groups):
            theta[row, group] /= total
    return theta


@entry_point
def alias_tables(phi: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int32]]:
    """Vose's alias tables of the distributions in the rows of `phi` [groups, items].

    Returns:
      keep: float64 [groups, items], the chance to stay at a place.
      alias: int32 [groups, items], where to go otherwise.
    """
    groups, items = phi.shape
    keep = np.empty((groups, items))
    alias = np.empty((groups, items), np.int32)
    stack = np.empty(items, np.int64)
    for group in range(groups):
        # The small ones fill the stack from below, the large ones from above.
        smalls, larges = 0, items
        for item in range(items):
            alias[group, item] = item
            keep[group, item] = phi[group, item] * items
            if keep[group, item] < 1.0:
                stack[smalls] = item
                smalls += 1
            else:
                larges -= 1
                stack[larges] = item
        while smalls > 0 and larges < items:
            small, large = stack[smalls - 1], stack[larges]
            smalls -= 1
            alias[group, small] = large
            keep[group, large] -= 1.0 - keep[group, small]
            if keep[group, large] < 1.0:
                larges += 1
                stack[smalls] = large
                smalls += 1
        # What rounding left over is whole.
        for place in range(smalls):
            keep[group, stack[place]] = 1.0
        for place in range(larges, items):
            keep[group, stack[place]] = 1.0
    return keep, alias


def draw(
    key: np.uint64,
    users: npt.NDArray[np.int64],
    counts: npt.NDArray[np.int64],
    theta: npt.NDArray[np.float64],
    phi: npt.NDArray[np.float64],
    keep: npt.NDArray[np.float64],
    alias: npt.NDArray[np.int32],
) -> npt.NDArray[np.int32]:
    """Draws each user's items from theta_u @ phi, one after the other without replacement.

    A repeat is rejected, which leaves the distribution over the items that are left. Where nearly all of a user's
    probability is used up, the rest comes from a race of exponential clocks, which has the same distribution.

    Args:
      key: what the random stream is drawn from.
      users: int64 [users].
      counts: how many items each gets, int64 [users].
      theta: float64 [users, groups].
      phi: float64 [groups, items].
      keep: float64 [groups, items], of `alias_tables(phi)`.
      alias: int32 [groups, items], of `alias_tables(phi)`.

    Returns:
      Item indexes, int32 [counts.sum()], user after user in the order of the draws.
    """
    drawn, missing = _draw_by_rejection(key, users, counts, theta, keep, alias)
    ends = np.cumsum(counts)
    for row in np.flatnonzero(missing):
        generator = np.random.Generator(np.random.Philox(key=np.array([key, users[row]], np.uint64)))
        clocks = generator.exponential(size=phi.shape[1]) / (theta[row] @ phi)
        clocks[drawn[ends[row] - counts[row] : ends[row] - missing[row]]] = np.inf
        drawn[ends[row] - missing[row] : ends[row]] = np.argsort(clocks)[: missing[row]]
    return drawn


@entry_point
def _draw_by_rejection(
    key: np.uint64,
    users: npt.NDArray[np.int64],
    counts: npt.NDArray[np.int64],
    theta: npt.NDArray[np.float64],
    keep: npt.NDArray[np.float64],
    alias: npt.NDArray[np.int32],
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """The items drawn, and how many each user lacks, because as many draws in a row as there are items were repeats."""
    groups, items = keep.shape
    drawn = np.empty(counts.sum(), np.int32)
    missing = np.zeros(len(users), np.int64)
    holder = np.full(items, -1, np.int64)
    end = 0
    for row in range(len(users)):
        user_key = _user_key(key, users[row])
        position, end = end, end + counts[row]
        counter = 0
        rejected = 0
        while position < end and rejected < items:
            choice = _uniform(user_key, counter)
            group = 0
            while group < groups - 1 and choice >= theta[row, group]:
                choice -= theta[row, group]
                group += 1
            place = _uniform(user_key, counter + 1) * items
            item = int(place)
            if place - item >= keep[group, item]:
                item = int(alias[group, item])
            counter += 2
            if holder[item] == row:
                rejected += 1
            else:
                holder[item] = row
                drawn[position] = item
                position += 1
                rejected = 0
        missing[row] = end - position
    return drawn, missing


@entry_point
def timestamps_and_ratings(
    key: np.uint64, users: npt.NDArray[np.int64], counts: npt.NDArray[np.int64], quality: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Dates the draws and rates them around `quality` [rows]: int64 and float32 [rows].

    A user starts at some time, and the gaps between the draws are log-uniform, from a second to some days.
    """
    timestamps = np.empty(len(quality), np.int64)
    ratings = np.empty(len(quality), np.float32)
    position = 0
    for row in range(len(users)):
        user_key = _user_key(key, users[row])
        now = _EARLIEST + np.int64(_uniform(user_key, 0) * (_LATEST - _EARLIEST))
        mood = _uniform(user_key, 1) - 0.5
        for number in range(1, counts[row] + 1):
            now += np.int64(math.exp(12.0 * _uniform(user_key, 3 * number)))
            timestamps[position] = now
            noise = 1.5 * (_uniform(user_key, 3 * number + 1) + _uniform(user_key, 3 * number + 2) - 1.0)
            halves = round(2.0 * (quality[position] + mood + noise))
            ratings[position] = min(max(halves, 1), 10) / 2.0
            position += 1
    return timestamps, ratings


@entry_point
def last_item_hits(
    drawn: npt.NDArray[np.int32],
    counts: npt.NDArray[np.int64],
    probability: npt.NDArray[np.float64],
    k: int,
    num_negatives: int,
) -> npt.NDArray[np.float64]:
    """The chance of each user's last item to be among the first k of itself and uniform unseen negatives.

    Args:
      drawn: item indexes, int32, user after user, as `draw` returns them.
      counts: the number of each user's items, int64 [users].
      probability: by which items are ranked, float64 [users, items]; a tie counts against the last item.
      k: places that count.
      num_negatives: drawn without replacement; at most as many as there are unseen items.
    """
    items = probability.shape[1]
    hits = np.zeros(len(counts))
    holder = np.full(items, -1, np.int64)
    end = 0
    for row in range(len(counts)):
        start, end = end, end + counts[row]
        for position in range(start, end):
            holder[drawn[position]] = row
        better, unseen = 0, 0
        for item in range(items):
            if holder[item] != row:
                unseen += 1
                better += probability[row, item] >= probability[row, drawn[end - 1]]
        negatives = min(num_negatives, unseen)
        for above in range(max(0, negatives - (unseen - better)), min(k - 1, negatives, better) + 1):
            hits[row] += math.exp(
                _log_choose(better, above)
                + _log_choose(unseen - better, negatives - above)
                - _log_choose(unseen, negatives)
            )
    return hits


@compiled
def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1.0) - math.lgamma(k + 1.0) - math.lgamma(n - k + 1.0)
