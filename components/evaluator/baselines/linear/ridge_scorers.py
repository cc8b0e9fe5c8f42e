"""Scores by a linear model from all items to each one, kept by items or by users."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import scipy.sparse

from components.shared.parallel import cores

_CELLS_AT_ONCE = 1 << 22  # 32 MiB
# The last digits depend on the CPU; rounded, items with the same users tie everywhere.
_DECIMALS = 10


class ByItems:
    """The scores of EASE from a matrix of items by items; a `Scorer`.

    With X what users have seen and P the inverse of X^T X + l2 I, the weight of item i for item j is -P_ij / P_jj, and
    none for itself.
    """

    def __init__(self, seen: scipy.sparse.csr_matrix, inverse: npt.NDArray[np.float64]):
        """Takes X, float64 [users, items], and P, float64 [items, items], which is spent."""
        inverse /= -inverse.diagonal()
        np.fill_diagonal(inverse, 0)
        self._seen, self._weights = seen, np.round(inverse, _DECIMALS, out=inverse)

    def score_candidates(self, users: npt.NDArray[np.int32], items: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
        """See `Scorer`."""
        scores = np.zeros(items.shape)
        for row, user in enumerate(users):
            scores[row] = self._weights[_own(self._seen, user)[:, None], items[row]].sum(axis=0)
        return scores

    def score_all_items(self, users: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
        """See `Scorer`."""
        scores: npt.NDArray[np.float64] = self._seen[users] @ self._weights
        return scores


class ByUsers:
    """The same scores from a matrix of users by users, which is less where users are fewer; a `Scorer`.

    With K the inverse of X X^T + l2 I, P is (I - X^T K X) / l2 (Woodbury's identity), and X P is K X. So the score of
    item i for user u, X_ui - (X P)_ui / P_ii, is found without P.
    """

    def __init__(self, seen: scipy.sparse.csr_matrix, inverse: npt.NDArray[np.float64], l2: float):
        """Takes X, float64 [users, items], K, float64 [users, users], and the strength of L2."""
        self._seen, self._by_item, self._inverse = seen, seen.T.tocsr(), inverse
        self._diagonal = (1 - self._diagonal_of_projection()) / l2

    def score_candidates(self, users: npt.NDArray[np.int32], items: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
        """See `Scorer`."""
        scores, seen = np.zeros(items.shape), np.zeros(self._seen.shape[1])
        for row, (user, chosen) in enumerate(zip(users, items, strict=True)):
            own = _own(self._seen, user)
            seen[own] = 1
            scores[row] = seen[chosen] - self._by_item[chosen] @ self._inverse[user] / self._diagonal[chosen]
            seen[own] = 0
        return np.round(scores, _DECIMALS, out=scores)

    def score_all_items(self, users: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
        """See `Scorer`."""
        scores: npt.NDArray[np.float64] = self._seen[users].toarray()
        scores -= self._projected(users) / self._diagonal
        return np.round(scores, _DECIMALS, out=scores)

    def _projected(self, users: slice | npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
        """Rows of K X, float64 [those users, items]."""
        rows: npt.NDArray[np.float64] = (self._by_item @ self._inverse[users].T).T
        return rows

    def _diagonal_of_projection(self) -> npt.NDArray[np.float64]:
        """The diagonal of X^T K X, float64 [items]."""

        def part(begin: int) -> npt.NDArray[np.float64]:
            rows = slice(begin, begin + at_once)
            products: npt.NDArray[np.float64] = self._seen[rows].multiply(self._projected(rows)).sum(axis=0).A1
            return products

        users, items = self._seen.shape
        at_once = max(1, _CELLS_AT_ONCE // items)
        with ThreadPoolExecutor(cores()) as pool:
            return sum(pool.map(part, range(0, users, at_once)), start=np.zeros(items))


def _own(seen: scipy.sparse.csr_matrix, user: np.int32) -> npt.NDArray[np.int32]:
    own: npt.NDArray[np.int32] = seen.indices[seen.indptr[user] : seen.indptr[user + 1]]
    return own
