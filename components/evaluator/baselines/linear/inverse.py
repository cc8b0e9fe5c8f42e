"""The inverse of a large matrix, in its own place, on all cores."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from components.shared.parallel import cores

_ROWS_AT_ONCE = 512  # of which a thread's share of the work is made, and of the matrix that are swept at a time


def invert(matrix: npt.NDArray[np.float64]) -> None:
    """Replaces a symmetric positive definite matrix, float64 [n, n], by its inverse.

    Some rows are swept at a time (Goodnight, A Tutorial on the SWEEP Operator, The American Statistician 1979): with A
    their own part of the matrix and C their columns, A becomes its inverse, negative, C becomes C A^-1, and C A^-1 C^T
    is taken from the rest. Each value is worked out by one thread in an order of its own, so that the bytes do not
    depend on the number of threads, as they do where BLAS divides a product. Only the lower triangle is swept.

    It takes n^3 multiplications and as many additions, and little memory besides the matrix.
    """
    parts = [slice(begin, min(begin + _ROWS_AT_ONCE, len(matrix))) for begin in range(0, len(matrix), _ROWS_AT_ONCE)]
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(cores()) as pool:
        for part in parts:
            _sweep(matrix, part, parts, pool)
        list(pool.map(lambda part: _finish(matrix, part), reversed(parts)))


def _sweep(matrix: npt.NDArray[np.float64], swept: slice, parts: list[slice], pool: ThreadPoolExecutor) -> None:
    inverse = np.linalg.inv(matrix[swept, swept])
    columns = np.concatenate([matrix[swept, : swept.start].T, matrix[swept.start :, swept]])
    products = np.empty_like(columns)

    def multiply(rows: slice) -> None:
        np.matmul(columns[rows], inverse, out=products[rows])

    def subtract(rows: slice) -> None:
        matrix[rows, : rows.stop] -= products[rows] @ columns[: rows.stop].T

    list(pool.map(multiply, parts))
    list(pool.map(subtract, reversed(parts)))  # the longest first
    matrix[swept, : swept.start] = products[: swept.start].T
    matrix[swept.stop :, swept] = products[swept.stop :]
    matrix[swept, swept] = -inverse


def _finish(matrix: npt.NDArray[np.float64], rows: slice) -> None:
    """Changes the sign and mirrors these rows' part of the lower triangle."""
    np.negative(matrix[rows, : rows.stop], out=matrix[rows, : rows.stop])
    matrix[: rows.start, rows] = matrix[rows, : rows.start].T
