"""How many users have interacted with two items both: what the baselines that compare items learn from."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import scipy.sparse

_CELLS_AT_ONCE = 1 << 22  # 32 MiB


def co_occurrences(seen: scipy.sparse.csr_matrix) -> Iterator[tuple[slice, npt.NDArray[np.float64]]]:
    """Counts the users that two items share, for some items at a time and all others.

    Memory is bounded by some tens of megabytes, whatever the number of items.

    Args:
      seen: 1 where a user has interacted with an item, float64 [users, items].

    Yields:
      Which items, ascending, and whole numbers, float64 [those items, items].
    """
    by_item = seen.T.tocsr()
    items = seen.shape[1]
    at_once = max(1, _CELLS_AT_ONCE // items)
    for begin in range(0, items, at_once):
        some = slice(begin, min(begin + at_once, items))
        yield some, (by_item[some] @ seen).toarray()
