"""Matrix products in compiled code, on parts of larger arrays, with one operand packed ahead.

OpenBLAS packs both operands in each call. Here the weights are packed once a step for all pairs of the batch, and the
pairs' values are read where they are. The result is worked out in tiles that stay in registers (Goto and van de Geijn,
Anatomy of High-Performance Matrix Multiplication, ACM TOMS 2008).

A matrix [depth, width] is packed in *panels* of `COLUMNS` columns, one after the other, each [depth, COLUMNS] and the
last one filled up with zeros.
"""

# The compiler infers the types.
# mypy: disable-error-code="no-untyped-def"

from collections.abc import Callable
from typing import Any

import llvmlite.ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from components.kernels.compiling import compiled

COLUMNS = 16
_ROWS, _FEW_ROWS = 6, 2  # of a tile: with 6, its 12 sums and what they need fill the 16 registers of AVX2
_ROWS_AT_ONCE = 96  # of the unpacked operand: they stay in the cache from one panel to the next
DEPTH_AT_ONCE = 128  # of a product that is summed over pairs: its panels stay in the cache likewise
_BYTES = 4

_REAL, _INDEX, _LANE = llvmlite.ir.FloatType(), llvmlite.ir.IntType(64), llvmlite.ir.IntType(32)
_VECTOR = llvmlite.ir.VectorType(_REAL, COLUMNS)
_ANY = llvmlite.ir.Constant(_VECTOR, llvmlite.ir.Undefined)
_SPREAD = llvmlite.ir.Constant(llvmlite.ir.VectorType(_LANE, COLUMNS), [0] * COLUMNS)


def panels_size(depth: int, width: int) -> int:
    """How many values a matrix has when it is packed."""
    return depth * -(-width // COLUMNS) * COLUMNS


def _tile_function(rows: int, adds: bool) -> Callable[..., Any]:
    """Makes the compiled function for tiles of some rows, which sets or adds to the result."""

    @intrinsic
    def tile(_typing: Any, a, row_step, depth_step, panel, depth, out, out_step, columns) -> Any:
        """The product of some rows with a panel.

        Args:
          a: address of the rows' first value.
          row_step: values from one row to the next.
          depth_step: values from one of a row's values to the next.
          panel: address of the panel.
          depth: values of a row.
          out: address of the result.
          out_step: values from one of its rows to the next.
          columns: how many of the panel's columns are wanted.
        """

        def generate(context: Any, builder: Any, _signature: Any, values: Any) -> Any:
            a, row_step, depth_step, panel, depth, out, out_step, columns = values
            a, panel, out = (builder.inttoptr(address, _REAL.as_pointer()) for address in (a, panel, out))
            sums = [cgutils.alloca_once_value(builder, llvmlite.ir.Constant(_VECTOR, None)) for _ in range(rows)]
            firsts = [builder.gep(a, [builder.mul(row_step, _INDEX(row))]) for row in range(rows)]
            with cgutils.for_range(builder, depth) as loop:
                line = _load(builder, builder.gep(panel, [builder.mul(loop.index, _INDEX(COLUMNS))]))
                step = builder.mul(loop.index, depth_step)
                for first, total in zip(firsts, sums, strict=True):
                    value = builder.insert_element(_ANY, builder.load(builder.gep(first, [step])), _LANE(0))
                    product = builder.fmul(builder.shuffle_vector(value, _ANY, _SPREAD), line, flags=("contract",))
                    builder.store(builder.fadd(builder.load(total), product, flags=("contract",)), total)
            for row, total in enumerate(sums):
                _put(builder, builder.load(total), builder.gep(out, [builder.mul(out_step, _INDEX(row))]), columns)
            return context.get_dummy_value()

        address, number = types.uintp, types.int64
        return types.void(address, number, number, address, number, address, number, number), generate

    def _put(builder: Any, line: Any, out: Any, columns: Any) -> None:
        with builder.if_else(builder.icmp_signed("==", columns, _INDEX(COLUMNS))) as (whole, part):
            with whole:
                line_out = builder.fadd(_load(builder, out), line) if adds else line
                builder.store(line_out, builder.bitcast(out, _VECTOR.as_pointer()), align=_BYTES)
            with part:
                spare = cgutils.alloca_once(builder, _VECTOR)
                builder.store(line, spare)
                first = builder.bitcast(spare, _REAL.as_pointer())
                with cgutils.for_range(builder, columns) as loop:
                    value, place = builder.load(builder.gep(first, [loop.index])), builder.gep(out, [loop.index])
                    builder.store(builder.fadd(builder.load(place), value) if adds else value, place)

    return tile


def _load(builder: Any, address: Any) -> Any:
    return builder.load(builder.bitcast(address, _VECTOR.as_pointer()), align=_BYTES)


def _multiplication(adds: bool) -> Callable[..., Any]:
    """Makes the compiled function that sets a matrix to a product, or adds the product to it."""
    tile, small_tile, row_alone = (_tile_function(rows, adds) for rows in (_ROWS, _FEW_ROWS, 1))

    @compiled(hot=True)
    def multiply(a, row_step, depth_step, panels, depth, out):
        """`out`, float32 [rows, width], from `a`, an address with its steps as for a tile, and a packed matrix."""
        rows, width = out.shape
        out_step = out.strides[0] // _BYTES
        for first in range(0, width, COLUMNS):
            panel, columns = panels[first * depth :].ctypes.data, min(COLUMNS, width - first)
            row = 0
            while row < rows:
                begin, place = a + row * row_step * _BYTES, out[row:, first:].ctypes.data
                if row + _ROWS <= rows:
                    tile(begin, row_step, depth_step, panel, depth, place, out_step, columns)
                    row += _ROWS
                elif row + _FEW_ROWS <= rows:
                    small_tile(begin, row_step, depth_step, panel, depth, place, out_step, columns)
                    row += _FEW_ROWS
                else:
                    row_alone(begin, row_step, depth_step, panel, depth, place, out_step, columns)
                    row += 1

    return multiply


_set_to_product, _add_product = _multiplication(adds=False), _multiplication(adds=True)


@compiled(hot=True)
def pack(matrix, panels):
    """Packs float32 [depth, width] into `panels`, float32 [panels_size]."""
    depth, width = matrix.shape
    at = 0
    for first in range(0, width, COLUMNS):
        columns = min(COLUMNS, width - first)
        for k in range(depth):
            for column in range(columns):
                panels[at + column] = matrix[k, first + column]
            for column in range(columns, COLUMNS):
                panels[at + column] = 0
            at += COLUMNS


@compiled(hot=True)
def product(a, panels, out):
    """Out = a b, for float32 [m, depth], packed [depth, width] and [m, width]; rows are contiguous."""
    for begin in range(0, len(a), _ROWS_AT_ONCE):
        end = min(len(a), begin + _ROWS_AT_ONCE)
        _set_to_product(a[begin:].ctypes.data, a.strides[0] // _BYTES, 1, panels, a.shape[1], out[begin:end])


@compiled(hot=True)
def add_product_of_columns(a, b, panels, out):
    """Out += a^T b, for float32 [depth, m], [depth, width] and [m, width] whose rows are contiguous.

    Args:
      a: the first operand.
      b: the second one.
      panels: room for `DEPTH_AT_ONCE` rows of `b`, packed.
      out: the result.
    """
    for begin in range(0, len(a), DEPTH_AT_ONCE):
        end = min(len(a), begin + DEPTH_AT_ONCE)
        pack(b[begin:end], panels)
        _add_product(a[begin:].ctypes.data, 1, a.strides[0] // _BYTES, panels, end - begin, out)
