"""Products of all shapes: whole tiles and parts of them, parts of larger arrays, more rows than fit at once."""

import numpy as np
import pytest

from components.kernels.products import DEPTH_AT_ONCE, add_product_of_columns, pack, panels_size, product

SHAPES = [(1, 1, 1), (6, 3, 16), (7, 5, 3), (2, 16, 40), (9, 4, 33), (128, 2, 8), (300, 33, 17)]


def random(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).normal(size=shape).astype("f4")


def part_of_larger(array: np.ndarray) -> np.ndarray:
    """A matrix between values that must stay as they are, as addresses escape the compiler's checks."""
    larger = np.full((len(array) + 2, array.shape[1] + 5), 7, "f4")
    larger[1:-1, 3:-2] = array
    return larger[1:-1, 3:-2]


def is_alone_written(part: np.ndarray) -> bool:
    around = np.ones(part.base.shape, bool)
    around[1:-1, 3:-2] = False
    return bool((part.base[around] == 7).all())


def packed(matrix: np.ndarray) -> np.ndarray:
    size = panels_size(*matrix.shape)
    guarded = np.full(size + 32, 7, "f4")
    pack(matrix, guarded[16 : 16 + size])
    assert (np.delete(guarded, np.s_[16 : 16 + size]) == 7).all(), "wrote beside its panels"
    return guarded[16 : 16 + size]


@pytest.mark.parametrize(("rows", "depth", "width"), SHAPES)
def test_product(rows: int, depth: int, width: int) -> None:
    a, b, out = part_of_larger(random(rows, depth)), random(depth, width), part_of_larger(random(rows, width))
    product(a, packed(b), out)
    np.testing.assert_allclose(out, a @ b, rtol=1e-4, atol=1e-5)
    assert is_alone_written(out)


@pytest.mark.parametrize(("rows", "depth", "width"), SHAPES)
def test_product_with_a_transpose(rows: int, depth: int, width: int) -> None:
    a, b, out = random(rows, depth), random(width, depth), part_of_larger(np.zeros((rows, width), "f4"))
    product(a, packed(b.T), out)
    np.testing.assert_allclose(out, a @ b.T, rtol=1e-4, atol=1e-5)
    assert is_alone_written(out)


@pytest.mark.parametrize(("depth", "rows", "width"), SHAPES)
def test_product_of_columns_is_added(depth: int, rows: int, width: int) -> None:
    a, b, out = (
        part_of_larger(random(depth, rows)),
        part_of_larger(random(depth, width)),
        part_of_larger(random(rows, width)),
    )
    expected = out + a.T @ b
    add_product_of_columns(a, b, np.zeros(panels_size(DEPTH_AT_ONCE, width), "f4"), out)
    np.testing.assert_allclose(out, expected, rtol=1e-4, atol=1e-4)
    assert is_alone_written(out)
