"""Products of all shapes: whole tiles and parts of them, parts of larger arrays, more rows than fit at once.

Those of every register file are held to the same results, whatever the CPU that the tests run on.
"""

import subprocess
import sys

import numpy as np
import pytest

from components.kernels.products import DEPTH_AT_ONCE, Products, products_for
from components.kernels.tiles import Registers, registers_here, registers_of

SHAPES = [(1, 1, 1), (6, 3, 16), (7, 5, 3), (2, 16, 40), (9, 4, 33), (128, 2, 8), (300, 33, 17), (29, 7, 64)]
SSE, AVX2, AVX512 = Registers(16, 4), Registers(16, 8), Registers(32, 16)


@pytest.fixture(scope="module", params=[SSE, AVX2, AVX512], ids=["SSE", "AVX2", "AVX-512"])
def products(request: pytest.FixtureRequest) -> Products:
    return products_for(request.param)


def random(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).normal(size=shape).astype("f4")


def part_of_larger(array: np.ndarray) -> np.ndarray:
    """A matrix between values that must stay as they are, as addresses escape the compiler's checks."""
    larger = np.full((len(array) + 2, array.shape[1] + 5), 7, "f4")
    larger[1:-1, 3:-2] = array
    return larger[1:-1, 3:-2]


def packed(products: Products, matrix: np.ndarray) -> np.ndarray:
    size = products.panels_size(*matrix.shape)
    guarded = np.full(size + 64, 7, "f4")
    products.pack(matrix, guarded[32 : 32 + size])
    assert (np.delete(guarded, np.s_[32 : 32 + size]) == 7).all(), "wrote beside its panels"
    return guarded[32 : 32 + size]


def nothing_is_written_beside(out: np.ndarray) -> bool:
    assert out.base is not None
    return bool((np.delete(out.base, np.s_[3:-2], axis=1) == 7).all() and (out.base[[0, -1]] == 7).all())


@pytest.mark.parametrize(("rows", "depth", "width"), SHAPES)
def test_product(products: Products, rows: int, depth: int, width: int) -> None:
    a, b, out = part_of_larger(random(rows, depth)), random(depth, width), part_of_larger(random(rows, width))
    products.product(a, packed(products, b), out)
    np.testing.assert_allclose(out, a @ b, rtol=1e-4, atol=1e-5)
    assert nothing_is_written_beside(out)


@pytest.mark.parametrize(("rows", "depth", "width"), SHAPES)
def test_product_with_a_transpose(products: Products, rows: int, depth: int, width: int) -> None:
    a, b, out = random(rows, depth), random(width, depth), part_of_larger(random(rows, width))
    products.product(a, packed(products, b.T), out)
    np.testing.assert_allclose(out, a @ b.T, rtol=1e-4, atol=1e-5)
    assert nothing_is_written_beside(out)


@pytest.mark.parametrize(("rows", "depth", "width"), SHAPES)
def test_product_with_bias_and_rectified(products: Products, rows: int, depth: int, width: int) -> None:
    a, b, bias, out = random(rows, depth), random(depth, width), random(width), part_of_larger(random(rows, width))
    products.rectified_product(a, packed(products, b), bias, out)
    np.testing.assert_allclose(out, np.maximum(a @ b + bias, 0), rtol=1e-4, atol=1e-5)
    assert nothing_is_written_beside(out)


@pytest.mark.parametrize(("rows", "depth", "width"), SHAPES)
def test_product_where_values_are_above_zero(products: Products, rows: int, depth: int, width: int) -> None:
    a, b, values = random(rows, depth), random(depth, width), np.maximum(random(rows, width), 0)
    out = part_of_larger(random(rows, width))
    products.masked_product(a, packed(products, b), part_of_larger(values), out)
    np.testing.assert_allclose(out, np.where(values > 0, a @ b, 0), rtol=1e-4, atol=1e-5)
    assert nothing_is_written_beside(out)


@pytest.mark.parametrize(("depth", "rows", "width"), SHAPES)
def test_product_of_columns_is_added(products: Products, depth: int, rows: int, width: int) -> None:
    a, b = part_of_larger(random(depth, rows)), part_of_larger(random(depth, width))
    out = part_of_larger(random(rows, width))
    expected = out + a.T @ b
    room = np.zeros(products.panels_size(DEPTH_AT_ONCE, width), "f4")
    products.add_product_of_columns(a, b, room, out)
    np.testing.assert_allclose(out, expected, rtol=1e-4, atol=1e-4)
    assert nothing_is_written_beside(out)


def test_what_is_not_a_number_stays_so_when_rectified(products: Products) -> None:
    a, b, out = random(40, 5), random(5, 35), np.zeros((40, 35), "f4")
    a[[3, 39], 2] = np.nan
    products.rectified_product(a, packed(products, b), random(35), out)
    assert np.flatnonzero(np.isnan(out).any(axis=1)).tolist() == [3, 39]
    assert np.isnan(out[[3, 39]]).all()


@pytest.mark.parametrize(("rows", "depth", "width"), [(1, 1, 1), (7, 5, 33), (128, 2, 8)])
def test_panels_that_are_too_short_are_refused(products: Products, rows: int, depth: int, width: int) -> None:
    a, panels, values = random(rows, depth), packed(products, random(depth, width)), random(rows, width)
    out = part_of_larger(np.full((rows, width), 7, "f4"))
    for multiply, other in (
        (products.product, ()),
        (products.rectified_product, (random(width),)),
        (products.masked_product, (values,)),
    ):
        with pytest.raises(ValueError, match="panels are too short"):
            multiply(a, panels[:-1], *other, out)
    assert (out == 7).all()


def test_functions_that_differ_have_names_that_differ() -> None:
    """Kept code calls by name: it must find its own parts in a process that has made others by the same lines."""
    made = [part for of in (SSE, AVX2, AVX512) for part in products_for(of)[1:]]
    names = [part.py_func.__qualname__ for part in made]
    assert len(set(names)) == len(names)


def test_tiles_fit_the_registers() -> None:
    assert [(of.rows, of.columns) for of in (SSE, AVX2, AVX512)] == [(6, 8), (6, 16), (12, 32)]
    for of in (SSE, AVX2, AVX512):
        assert of.rows * of.columns // of.lanes + 3 <= of.number


def test_registers_are_told_by_the_features_of_a_cpu() -> None:
    assert registers_of("+sse4.2,-avx,-avx512f") == SSE
    assert registers_of("+avx,+avx2,+fma,-avx512f") == AVX2
    assert registers_of("+avx,+avx2,+fma,+avx512f,+avx512vl") == AVX512
    assert registers_here() in (SSE, AVX2, AVX512)


_LEVEL_4 = "+avx,+avx2,+fma,+bmi,+bmi2,+f16c,+lzcnt,+movbe,+popcnt,+avx512f,+avx512bw,+avx512cd,+avx512dq,+avx512vl"
_ASSEMBLY = """
from numba import types
from components.kernels.compiling import compiled
from components.kernels.products import product

@compiled(hot=True)
def call(a, panels, out):
    product(a, panels, out)

matrix = types.Array(types.float32, 2, "C")
call.compile((matrix, types.Array(types.float32, 1, "C"), matrix))
print("".join(call.inspect_asm().values()))
"""


@pytest.mark.parametrize("cpu", ["skylake-avx512", "icelake-server", "sapphirerapids", "znver4"])
def test_a_cpu_with_avx_512_multiplies_in_whole_registers(cpu: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_CPU_NAME", cpu)
    monkeypatch.setenv("NUMBA_CPU_FEATURES", _LEVEL_4)
    assembly = subprocess.run([sys.executable, "-c", _ASSEMBLY], capture_output=True, text=True, check=True).stdout
    multiplications = [line for line in assembly.splitlines() if "vfmadd" in line and "ps" in line]
    in_whole_registers = [line for line in multiplications if "zmm" in line]
    sums = {line.rpartition("%")[2] for line in in_whole_registers}
    assert len(sums) >= 24
    assert not [line for line in multiplications if "ymm" in line]


_BEHIND = """
import numpy as np
from components.kernels.products import panels_size, product
a, panels, out = np.zeros((7, 5), "f4"), np.zeros(panels_size(5, 9), "f4"), np.zeros((7, 9), "f4")
product(a, panels, out)
for arrays in ((a, panels[:-1], out), (a, panels, out[:6])):
    try:
        product(*arrays)
    except (IndexError, ValueError):
        print("found")
"""


def test_a_tile_that_would_go_beyond_its_arrays_is_found_where_bounds_are_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NUMBA_BOUNDSCHECK", "1")
    done = subprocess.run([sys.executable, "-c", _BEHIND], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["found", "found"], done.stderr
