"""Truncated decompositions, against dense algebra in float64."""

import numpy as np
import pytest
import scipy.sparse

from components.trainer.linear.decomposition import Matrix, Values, across, decompose


def interactions(users: int = 30, items: int = 12, share: float = 0.3) -> scipy.sparse.csr_matrix:
    random = np.random.default_rng(3)
    return scipy.sparse.csr_matrix((random.random((users, items)) < share).astype(np.float32))


def put_together(left: Matrix, values: Values, right: Matrix) -> Values:
    return (left * values) @ right.T


def best(matrix: scipy.sparse.csr_matrix, width: int) -> tuple[Values, Values]:
    left, values, right = np.linalg.svd(matrix.toarray().astype(np.float64), full_matrices=False)
    return values[:width], put_together(left[:, :width], values[:width], right[:width].T)


@pytest.mark.parametrize(("users", "items"), [(30, 12), (12, 30)])
def test_a_good_part_of_the_rank_is_found_exactly(users: int, items: int) -> None:
    matrix = interactions(users, items)
    values, right = decompose(matrix, 5, seed=1)
    left = across(matrix, values, right)
    expected, product = best(matrix, 5)
    np.testing.assert_allclose(values, expected, rtol=1e-5)
    np.testing.assert_allclose(left.T @ left, np.eye(5), atol=1e-5)
    np.testing.assert_allclose(right.T @ right, np.eye(5), atol=1e-5)
    np.testing.assert_allclose(put_together(left, values, right), product, atol=1e-5)


@pytest.mark.parametrize(("users", "items"), [(900, 400), (400, 900)])
def test_a_small_part_of_the_rank_is_found_by_iterations_but_for_the_last_values(users: int, items: int) -> None:
    matrix = interactions(users, items, 0.02)
    values, right = decompose(matrix, 50, seed=1)
    expected, _ = best(matrix, 50)
    assert right.shape == (items, 50)
    np.testing.assert_allclose(right.T @ right, np.eye(50), atol=1e-5)
    np.testing.assert_allclose(values[0], expected[0], rtol=1e-4)
    np.testing.assert_allclose(values[:10], expected[:10], rtol=0.02)
    np.testing.assert_allclose(values, expected, rtol=0.1)
    assert 0.95 < (values**2).sum() / (expected**2).sum() <= 1.0001


@pytest.mark.parametrize("width", [40, 100])
def test_it_repeats_itself_and_is_never_wider_than_the_matrix(width: int) -> None:
    matrix = interactions(300, 99)
    one, other = (decompose(matrix, width, seed=1) for _ in range(2))
    assert len(one[0]) == min(width, 99)
    for mine, others in zip(one, other, strict=True):
        np.testing.assert_array_equal(mine, others)


@pytest.mark.parametrize("width", [20, 90])
def test_vectors_of_what_is_not_there_are_finite(width: int) -> None:
    few = scipy.sparse.csr_matrix(np.outer(np.arange(1, 301), np.ones(100)).astype(np.float32))
    values, right = decompose(few, width, seed=0)
    left = across(few, values, right)
    assert np.isfinite(values).all()
    assert (values[1:] < 1e-3 * values[0]).all()
    assert not left[:, 1:].any()
    np.testing.assert_allclose(put_together(left, values, right), few.toarray(), rtol=1e-3)
