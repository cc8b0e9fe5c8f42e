"""The nearest neighbours of items, in compiled code."""

# The compiler infers the types.
# mypy: disable-error-code="no-untyped-def"

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import scipy.sparse

from components.kernels.compiling import compiled, entry_point
from components.shared.parallel import cores
from components.shared.progress import Bar

_ITEMS_AT_ONCE = 256


def nearest(seen: scipy.sparse.csr_matrix, number: int, shrinkage: float, bar: Bar) -> scipy.sparse.csr_matrix:
    """The cosines between items and their nearest neighbours: float64 [items, items], a row for each item.

    Of equally near ones, those with the smallest indexes are taken.

    Args:
      seen: 1 where a user has seen an item, float64 [users, items].
      number: how many neighbours an item has; fewer where there are not so many that share a user with it.
      shrinkage: added to the denominator of the cosine.
      bar: moves on by one for each item.
    """
    by_item = seen.T.tocsr()
    roots = np.sqrt(np.diff(by_item.indptr).astype(np.float64))
    lists = by_item.indptr, by_item.indices, seen.indptr, seen.indices

    def some(begin: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        end = min(begin + _ITEMS_AT_ONCE, len(roots))
        found: tuple[np.ndarray, np.ndarray, np.ndarray] = find_nearest(begin, end, *lists, roots, number, shrinkage)
        return found

    parts = []
    with ThreadPoolExecutor(cores()) as pool:
        for part in pool.map(some, range(0, len(roots), _ITEMS_AT_ONCE)):
            parts.append(part)
            bar.advance(len(part[0]))
    counts, items, cosines = map(np.concatenate, zip(*parts, strict=True))
    return scipy.sparse.csr_matrix((cosines, items, np.concatenate([[0], np.cumsum(counts)])), (len(roots), len(roots)))


def compile_ahead() -> None:
    """Compiles, and keeps the code on disk."""
    ends, nothing = np.zeros(1, np.int32), np.zeros(0, np.int32)
    find_nearest(0, 0, ends, nothing, ends, nothing, np.zeros(0), 1, 0.0)


@entry_point
def find_nearest(begin, end, item_ends, users_of, user_ends, items_of, roots, number, shrinkage):
    """Finds the neighbours of the items from `begin` to before `end`.

    Args:
      begin: the first item.
      end: one after the last.
      item_ends: where each item's users end, after a zero.
      users_of: the users of all items.
      user_ends: where each user's items end, after a zero.
      items_of: the items of all users.
      roots: float64 [items], of the items' numbers of users.
      number: the most neighbours of an item.
      shrinkage: added to the denominator.

    Returns:
      How many neighbours each has, the neighbours of all, int32, and their cosines, float64.
    """
    room = (end - begin) * min(number, len(roots))
    counts, neighbours, cosines = np.zeros(end - begin, np.int64), np.empty(room, np.int32), np.empty(room, np.float64)
    shared, others = np.zeros(len(roots), np.int64), np.empty(len(roots), np.int32)
    values, selected = np.empty(len(roots)), np.empty(len(roots))
    total = 0
    for item in range(begin, end):
        found = _count_shared(item, item_ends, users_of, user_ends, items_of, shared, others)
        for place in range(found):
            other = others[place]
            values[place] = shared[other] / (roots[item] * roots[other] + shrinkage)
            shared[other] = 0
        least, last = _least_taken(values[:found], others, number, selected)
        before = total
        for place in range(found):
            if values[place] > least or (values[place] == least and others[place] <= last):
                neighbours[total], cosines[total] = others[place], values[place]
                total += 1
        counts[item - begin] = total - before
    return counts, neighbours[:total], cosines[:total]


@compiled
def _count_shared(item, item_ends, users_of, user_ends, items_of, shared, others):
    """Counts the users that an item shares with each other one; the others come in no order.

    Returns:
      How many others there are.
    """
    found = 0
    shared[item] = 1  # not to be found
    for position in range(item_ends[item], item_ends[item + 1]):
        user = users_of[position]
        for place in range(user_ends[user], user_ends[user + 1]):
            other = items_of[place]
            if shared[other] == 0:
                others[found] = other
                found += 1
            shared[other] += 1
    shared[item] = 0
    return found


@compiled
def _least_taken(values, others, number, selected):
    """The least of the largest values, and the last other item that is taken of those that have it.

    Args:
      values: float64 [n].
      others: int32, whose they are.
      number: how many are taken.
      selected: float64, room for n.
    """
    if len(values) <= number:
        return -1.0, -1
    selected[: len(values)] = values
    least = _smallest(selected[: len(values)], len(values) - number)
    larger, equal = 0, 0
    for place in range(len(values)):
        larger += values[place] > least
        if values[place] == least:
            selected[equal] = others[place]
            equal += 1
    return least, int(_smallest(selected[:equal], number - larger - 1))


@compiled
def _smallest(values, place):
    """What would stand at a place if the values were in order (Hoare, Algorithm 65: FIND, CACM 1961).

    By hand: compiling NumPy's takes twenty seconds.
    """
    low, high = 0, len(values) - 1
    while low < high:
        pivot, left, right = values[(low + high) // 2], low, high
        while left <= right:
            while values[left] < pivot:
                left += 1
            while values[right] > pivot:
                right -= 1
            if left <= right:
                values[left], values[right] = values[right], values[left]
                left += 1
                right -= 1
        if place <= right:
            high = right
        elif place >= left:
            low = left
        else:
            break
    return values[place]
