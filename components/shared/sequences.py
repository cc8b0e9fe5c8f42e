"""The order of what users did: what follows what, and what came last."""

import numpy as np
import numpy.typing as npt
import scipy.sparse

Indexes = npt.NDArray[np.int32]


def count_following(users: Indexes, items: Indexes, number: int, places: int) -> scipy.sparse.csr_matrix:
    """How closely items followed others: the sum, over all times that one did, of 1 over the places between them.

    Args:
      users: int32 [interactions], ascending.
      items: int32 [interactions], a user's oldest first.
      number: how many items there are.
      places: by how many at most an item follows another one.

    Returns:
      float64 [items, items]; rows are what was followed.

    Example:
      >>> count_following(np.array([0, 0, 0, 1]), np.array([2, 0, 1, 0]), 3, places=2).toarray()
      array([[0. , 1. , 0. ],
             [0. , 0. , 0. ],
             [1. , 0.5, 0. ]])
    """
    following = scipy.sparse.csr_matrix((number, number))
    for distance in range(1, places + 1):
        same = users[distance:] == users[:-distance]
        before, after = items[:-distance][same], items[distance:][same]
        following += scipy.sparse.csr_matrix((np.ones(len(before)), (before, after)), (number, number)) / distance
    return following


def latest_items(
    users: Indexes, items: Indexes, shape: tuple[int, int], length: int, decay: float
) -> scipy.sparse.csr_matrix:
    """The weight of each user's latest items.

    Args:
      users: int32 [interactions], ascending.
      items: int32 [interactions], a user's oldest first.
      shape: the number of users and of items.
      length: how many of each user's items count, at least 1.
      decay: the latest one's weight is 1, that of the one before is this, then its square, ...

    Returns:
      float64 [users, items].

    Example:
      >>> latest_items(np.array([0, 0, 0]), np.array([2, 0, 1]), (1, 3), length=2, decay=0.5).toarray()
      array([[0.5, 1. , 0. ]])
    """
    ends = np.cumsum(np.bincount(users, minlength=shape[0]))
    ages = ends[users] - 1 - np.arange(len(users))
    latest = ages < length
    # By multiplication: the last digit of a power depends on the CPU.
    weights = np.multiply.accumulate([1.0, *[decay] * (length - 1)])[ages[latest]]
    return scipy.sparse.csr_matrix((weights, (users[latest], items[latest])), shape)
