"""Truncated singular value decompositions of sparse matrices, the same on any number of cores.

In float32, which is twice as quick as float64. Singular values and vectors are read off Gram matrices, so that a value
of less than some thousandth of the largest one is noise, and is to be damped.
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.linalg
import scipy.sparse
from threadpoolctl import threadpool_limits

from components.trainer.settings import MOST_EXACT

Matrix: TypeAlias = npt.NDArray[np.float32]
Values: TypeAlias = npt.NDArray[np.float64]

_EXACT_TIMES_WIDTH = 3  # beyond, random projections are much quicker
_MORE = 10  # directions than are asked for: the last ones are found badly
_ITERATIONS = 4  # more of them find more of the last values, and rank sparse data worse (docs/accuracy.md)
_NOTHING = 1e-3  # of the largest singular value: squared, float32's precision


def decompose(matrix: scipy.sparse.sparray, width: int, seed: int) -> tuple[Values, Matrix]:
    """The largest singular values and their right vectors.

    A good part of all there are is found exactly, from the smaller Gram matrix; a small one by subspace iterations from
    random vectors on the shorter side, whose last values are too small (Halko et al., SIAM Review 2011).

    Args:
      matrix: float [m, n].
      width: how many; fewer where the matrix has not so many.
      seed: of the random start.

    Returns:
      Values float64 [width], and vectors float32 [n, width]; where m < n, these may be zero where a value is nothing
      beside the largest one.
    """
    is_wide = matrix.shape[0] < matrix.shape[1]
    tall = (matrix.T if is_wide else matrix).astype(np.float32).tocsr()
    rank = tall.shape[1]
    width = min(width, rank)
    # BLAS with threads would sum in another order.
    with threadpool_limits(1, "blas"):
        exact = rank <= min(MOST_EXACT, _EXACT_TIMES_WIDTH * width)
        values, short = _exactly(tall, width) if exact else _by_iterations(tall, width, seed)
        return values, across(tall, values, short) if is_wide else short


def across(matrix: scipy.sparse.sparray, values: Values, right: Matrix) -> Matrix:
    """The left vectors that go with right ones, float32 [m, width]; zeros where a value is nothing beside the first."""
    there = values > _NOTHING * values[0]
    inverse = np.divide(1, values, out=np.zeros_like(values), where=there)
    left: Matrix = (matrix.astype(np.float32) @ right) * inverse.astype(np.float32)
    return left


def _exactly(tall: scipy.sparse.csr_matrix, width: int) -> tuple[Values, Matrix]:
    return _largest((tall.T @ tall).toarray(), width)


def _by_iterations(tall: scipy.sparse.csr_matrix, width: int, seed: int) -> tuple[Values, Matrix]:
    """An orthonormal basis of what `tall.T @ tall` enlarges most, and the decomposition within it."""
    shape = tall.shape[1], min(width + _MORE, tall.shape[1])
    basis, back = np.random.default_rng(seed).standard_normal(shape, np.float32), tall.T.tocsr()
    for _ in range(_ITERATIONS - 1):
        # Triangular factors keep the directions apart as well as orthogonal ones, and are cheaper.
        basis = scipy.linalg.lu(back @ (tall @ basis), permute_l=True, overwrite_a=True, check_finite=False)[0]
    basis = scipy.linalg.qr(back @ (tall @ basis), mode="economic", overwrite_a=True, check_finite=False)[0]
    image = tall @ basis
    values, inside = _largest(image.T @ image, width)
    return values, basis @ inside


def _largest(gram: Matrix, width: int) -> tuple[Values, Matrix]:
    """The singular values of a matrix and its right vectors, by its Gram matrix, which is overwritten."""
    squares, vectors = scipy.linalg.eigh(gram, overwrite_a=True, check_finite=False, driver="evd")
    values = np.sqrt(np.maximum(squares[::-1][:width], 0), dtype=np.float64)
    return values, np.ascontiguousarray(vectors[:, ::-1][:, :width])
