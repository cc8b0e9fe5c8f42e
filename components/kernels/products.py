"""Matrix products in compiled code, on parts of larger arrays, with one operand packed ahead.

OpenBLAS packs both operands in each call. Here the weights are packed once a step for all pairs of the batch, and the
pairs' values are read where they are; a layer's bias and activation are applied while the results are in registers. The
result is worked out in tiles (Goto and van de Geijn, Anatomy of High-Performance Matrix Multiplication, ACM TOMS 2008).

A matrix [depth, width] is packed in *panels* of a tile's columns, one after the other, each [depth, columns]; the last
one has half the columns where that is enough, and is filled up with zeros.
"""

# The compiler infers the types.
# mypy: disable-error-code="no-untyped-def"

from collections.abc import Callable
from typing import Any, NamedTuple

from components.kernels import tiles
from components.kernels.compiling import compiled
from components.kernels.tiles import BYTES, Registers

_ROWS_AT_ONCE = 96  # of the unpacked operand, about: they stay in the cache from one panel to the next
DEPTH_AT_ONCE = 128  # of a product that is summed over pairs: its panels stay in the cache likewise


class Products(NamedTuple):
    """The products for a register file; all values are float32.

    Attributes:
      panels_size: (depth, width): how many values a matrix has when it is packed.
      pack: (matrix, panels): packs [depth, width] into `panels`, [panels_size].
      product: (a, panels, out): out = a b for [rows, depth], packed [depth, width] and [rows, width].
      rectified_product: (a, panels, bias, out): out = max(a b + bias, 0), with a bias [width]; NaN stays NaN.
      masked_product: (a, panels, values, out): out = a b where `values`, [rows, width], are above 0, else 0.
      add_product_of_columns: (a, b, panels, out): out += a^T b for [depth, rows], [depth, width] and [rows, width];
        `panels` is room for `DEPTH_AT_ONCE` rows of `b`, packed.

    The rows of all of them are contiguous, but for those of the matrix that is packed.
    """

    panels_size: Callable[[int, int], int]
    pack: Any
    product: Any
    rectified_product: Any
    masked_product: Any
    add_product_of_columns: Any


def products_for(registers: Registers) -> Products:
    """Makes the products."""
    lanes, at_once = registers.lanes, _ROWS_AT_ONCE // registers.rows * registers.rows
    part = compiled(hot=True, variant=_variant(registers))
    pack = _packing(registers)
    set_to, rectify, mask, add = (
        _multiplication(registers, finish) for finish in (tiles.setting, tiles.rectifying, tiles.masking, tiles.adding)
    )

    def panels_size(depth: int, width: int) -> int:
        return depth * -(-width // lanes) * lanes

    @part
    def product(a, panels, out):
        for begin in range(0, len(a), at_once):
            end = min(len(a), begin + at_once)
            set_to(a[begin:end], panels, out, out[begin:end])

    @part
    def rectified_product(a, panels, bias, out):
        biases = bias.reshape(1, len(bias))
        for begin in range(0, len(a), at_once):
            end = min(len(a), begin + at_once)
            rectify(a[begin:end], panels, biases, out[begin:end])

    @part
    def masked_product(a, panels, values, out):
        for begin in range(0, len(a), at_once):
            end = min(len(a), begin + at_once)
            mask(a[begin:end], panels, values[begin:end], out[begin:end])

    @part
    def add_product_of_columns(a, b, panels, out):
        for begin in range(0, len(a), DEPTH_AT_ONCE):
            end = min(len(a), begin + DEPTH_AT_ONCE)
            pack(b[begin:end], panels)
            add(a[begin:end].T, panels, out, out)

    return Products(panels_size, pack, product, rectified_product, masked_product, add_product_of_columns)


def _variant(registers: Registers, *what: str | int) -> str:
    return "_".join(map(str, (*registers, *what)))


def _packing(registers: Registers) -> Any:
    lanes, most = registers.lanes, registers.columns
    copy_wide, copy_slim = tiles.line_copy(2, lanes), tiles.line_copy(1, lanes)

    @compiled(hot=True, variant=_variant(registers))
    def pack(matrix, panels):
        depth, width = matrix.shape
        at = 0
        for first in range(0, width, most):
            wanted = min(most, width - first)
            columns = most if wanted > lanes else lanes
            panel = panels[at : at + depth * columns].reshape(depth, columns)
            if wanted < columns or matrix.strides[1] != BYTES:
                copy_values(matrix[:, first : first + wanted], panel)
            elif columns == most:
                for k in range(depth):
                    copy_wide(matrix[k:, first:].ctypes.data, panel[k:].ctypes.data)
            else:
                for k in range(depth):
                    copy_slim(matrix[k:, first:].ctypes.data, panel[k:].ctypes.data)
            at += depth * columns

    @compiled(hot=True)
    def copy_values(part, panel):
        wanted = part.shape[1]
        for k in range(len(panel)):
            for column in range(wanted):
                panel[k, column] = part[k, column]
            for column in range(wanted, panel.shape[1]):
                panel[k, column] = 0

    return pack


def _multiplication(registers: Registers, finish: Callable[..., Any]) -> Any:
    """Makes the compiled function that works out a product panel by panel."""
    lanes, most = registers.lanes, registers.columns
    wide, slim = (_strip(registers, vectors, finish) for vectors in (2, 1))

    @compiled(hot=True, variant=_variant(registers, finish.__name__))
    def multiply(a, panels, other, out):
        """`out`, [rows, width], from `a`, [rows, depth] with any steps, packed panels, and what `finish` needs."""
        depth, width = a.shape[1], out.shape[1]
        if len(panels) < depth * (-(-width // lanes) * lanes):
            raise ValueError("the panels are too short for the product's depth and width")
        for first in range(0, width, most):
            end = min(width, first + most)
            if end - first > lanes:
                wide(a, panels[first * depth :], other[:, first:end], out[:, first:end])
            else:
                slim(a, panels[first * depth :], other[:, first:end], out[:, first:end])

    return multiply


def _strip(registers: Registers, vectors: int, finish: Callable[..., Any]) -> Any:
    """Makes the compiled function that works out all rows of a product with one panel."""
    many, few = registers.rows, registers.rows // 3
    width = vectors * registers.lanes
    many_rows, few_rows, row_alone = (tiles.tile(rows, vectors, registers.lanes, finish) for rows in (many, few, 1))

    @compiled(hot=True, variant=_variant(registers, finish.__name__, vectors))
    def strip(a, panel, other, out):
        rows, depth = a.shape
        columns = out.shape[1]
        if rows and depth:
            # Tiles go by addresses. These read nothing, but where indexes are checked, they check the tiles' last ones.
            a[rows - 1, depth - 1], panel[depth * width - 1], other[len(other) - 1, columns - 1]
            out[rows - 1, columns - 1]
        row_step, depth_step, out_step = a.strides[0] // BYTES, a.strides[1] // BYTES, out.strides[0] // BYTES
        other_step = other.strides[0] // BYTES if len(other) == rows else 0
        lines, beside = panel.ctypes.data, other.ctypes.data
        row = 0
        while row < rows:
            begin, place = a[row:].ctypes.data, out[row:].ctypes.data
            if rows - row >= many:
                many_rows(begin, row_step, depth_step, lines, depth, beside, other_step, place, out_step, columns)
                done = many
            elif rows - row >= few:
                few_rows(begin, row_step, depth_step, lines, depth, beside, other_step, place, out_step, columns)
                done = few
            else:
                row_alone(begin, row_step, depth_step, lines, depth, beside, other_step, place, out_step, columns)
                done = 1
            row, beside = row + done, beside + done * other_step * BYTES

    return strip


panels_size, pack, product, rectified_product, masked_product, add_product_of_columns = products_for(
    tiles.registers_here()
)
