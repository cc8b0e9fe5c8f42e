"""The tiles of matrix products: some rows times a panel, whose sums stay in the CPU's vector registers.

A tile is generated for a register file, as one size cannot fit all: AVX2 has 16 registers of 8 values, AVX-512 has 32
of 16. In a step of a tile's loop, each row's value is spread over a register and multiplied with the panel's line.
"""

# The compiler infers the types.
# mypy: disable-error-code="no-untyped-def,no-untyped-call"

from collections.abc import Callable
from typing import Any, NamedTuple

import llvmlite.ir
from numba import config, types
from numba.core import cgutils
from numba.core.codegen import get_host_cpu_features
from numba.extending import intrinsic

BYTES = 4
_REAL, _INDEX, _PLACE = llvmlite.ir.FloatType(), llvmlite.ir.IntType(64), llvmlite.ir.IntType(32)
_CLOSE_ROWS = 4  # are addressed from one pointer, or a tile's rows would take all registers for addresses


class Registers(NamedTuple):
    """The vector registers of a CPU.

    Attributes:
      number: how many there are.
      lanes: how many float32 values each holds.
    """

    number: int
    lanes: int

    @property
    def columns(self) -> int:
        """Of a tile: two registers, so that a row's value, spread once, serves twice."""
        return 2 * self.lanes

    @property
    def rows(self) -> int:
        """Of a tile: its sums take three quarters of the registers; the line, and what is spread, need some too."""
        return 3 * self.number // 8


def registers_of(features: str) -> Registers:
    """Those of a CPU.

    Example:
      `registers_of("+avx,+avx2,-avx512f,+fma")` is `Registers(number=16, lanes=8)`.

    Args:
      features: as LLVM lists them.
    """
    present = set(features.split(","))
    if "+avx512f" in present:
        return Registers(32, 16)
    return Registers(16, 8 if "+avx" in present else 4)


def registers_here() -> Registers:
    """Those of the CPU that loops are compiled for."""
    return registers_of(get_host_cpu_features() if config.CPU_FEATURES is None else config.CPU_FEATURES)


def setting(_builder: Any, total: Any, _present: Any, _other: Any) -> Any:
    """The result is the product."""
    return total


def adding(builder: Any, total: Any, present: Any, _other: Any) -> Any:
    """The product is added to the result."""
    return builder.fadd(present, total)


def rectifying(builder: Any, total: Any, _present: Any, other: Any) -> Any:
    """The result is the product plus the other values, or 0 where that is below; NaN stays NaN."""
    value, zero = builder.fadd(total, other), llvmlite.ir.Constant(total.type, None)
    return builder.select(builder.fcmp_ordered("<", value, zero), zero, value)


def masking(builder: Any, total: Any, _present: Any, other: Any) -> Any:
    """The result is the product where the other values are above 0, else 0."""
    zero = llvmlite.ir.Constant(total.type, None)
    return builder.select(builder.fcmp_ordered(">", other, zero), total, zero)


def tile(rows: int, vectors: int, lanes: int, finish: Callable[..., Any]) -> Any:
    """Makes the compiled function that works out a tile.

    Args:
      rows: of the tile.
      vectors: registers that a line of the panel takes.
      lanes: values in a register.
      finish: makes of sums what is written: `setting`, `adding`, `rectifying` or `masking`.
    """

    @intrinsic
    def work_out(_typing: Any, a, row_step, depth_step, panel, depth, other, other_step, out, out_step, columns) -> Any:
        """The product of some rows with a panel.

        Args:
          a: address of the rows' first value.
          row_step: values from one row to the next.
          depth_step: values from one of a row's values to the next.
          panel: address of the panel.
          depth: values of a row.
          other: address of the other values that `finish` needs.
          other_step: values from one of their rows to the next.
          out: address of the result.
          out_step: values from one of its rows to the next.
          columns: how many of the panel's columns are wanted.
        """

        def generate(context: Any, builder: Any, _signature: Any, values: Any) -> Any:
            name = f"tile_of_{rows}_{vectors}_{lanes}_{finish.__name__}"
            function = builder.module.globals.get(name) or _function(builder.module, name, rows, vectors, lanes, finish)
            builder.call(function, values)
            return context.get_dummy_value()

        address, number = types.uintp, types.int64
        arguments = address, number, number, address, number, address, number, address, number, number
        return types.void(*arguments), generate

    return work_out


def line_copy(vectors: int, lanes: int) -> Any:
    """Makes the compiled function that copies a whole line of a panel, from one address to another."""
    vector = llvmlite.ir.VectorType(_REAL, vectors * lanes)

    @intrinsic
    def copy(_typing: Any, source, target) -> Any:
        def generate(context: Any, builder: Any, _signature: Any, values: Any) -> Any:
            source, target = (builder.inttoptr(place, _REAL.as_pointer()) for place in values)
            _store(builder, _load(builder, source, vector), target)
            return context.get_dummy_value()

        return types.void(types.uintp, types.uintp), generate

    return copy


def _function(module, name, rows, vectors, lanes, finish):
    """The tile's code: one function for all that call it, which otherwise took most of the time of compiling them."""
    function = llvmlite.ir.Function(module, llvmlite.ir.FunctionType(llvmlite.ir.VoidType(), [_INDEX] * 10), name)
    function.linkage = "linkonce_odr"
    function.attributes.add("noinline")
    builder = llvmlite.ir.IRBuilder(function.append_basic_block("entry"))
    a, row_step, depth_step, panel, depth, other, other_step, out, out_step, columns = function.args
    a, panel, other, out = (builder.inttoptr(place, _REAL.as_pointer()) for place in (a, panel, other, out))
    vector = llvmlite.ir.VectorType(_REAL, lanes)
    sums = _sums(builder, rows, vectors, vector, a, row_step, depth_step, panel, depth)
    outs = [builder.gep(out, [builder.mul(out_step, _INDEX(row))]) for row in range(rows)]
    others = [builder.gep(other, [builder.mul(other_step, _INDEX(row))]) for row in range(rows)]
    with builder.if_else(builder.icmp_signed("==", columns, _INDEX(vectors * lanes))) as (whole, part):
        with whole:
            for line, out, other in zip(sums, outs, others, strict=True):
                _put(builder, finish, line, out, other)
        with part:
            for line, out, other in zip(sums, outs, others, strict=True):
                _put_part(builder, finish, line, out, other, columns)
    builder.ret_void()
    return function


def _sums(builder, rows, vectors, vector, a, row_step, depth_step, panel, depth):
    """The tile's sums, in registers: [rows][vectors]."""
    sums = [
        [cgutils.alloca_once_value(builder, llvmlite.ir.Constant(vector, None)) for _ in range(vectors)]
        for _ in range(rows)
    ]
    firsts = [
        cgutils.alloca_once_value(builder, builder.gep(a, [builder.mul(row_step, _INDEX(row))]))
        for row in range(0, rows, _CLOSE_ROWS)
    ]
    line_at = cgutils.alloca_once_value(builder, panel)
    with cgutils.for_range(builder, depth):
        at = builder.load(line_at)
        line = [_load(builder, builder.gep(at, [_INDEX(n * vector.count)]), vector) for n in range(vectors)]
        for row, totals in enumerate(sums):
            first = builder.load(firsts[row // _CLOSE_ROWS])
            place = builder.gep(first, [builder.mul(row_step, _INDEX(row % _CLOSE_ROWS))])
            value = _spread(builder, builder.load(place), vector)
            for part, total in zip(line, totals, strict=True):
                product = builder.fmul(value, part, flags=("contract",))
                builder.store(builder.fadd(builder.load(total), product, flags=("contract",)), total)
        for first in firsts:
            builder.store(builder.gep(builder.load(first), [depth_step]), first)
        builder.store(builder.gep(at, [_INDEX(vectors * vector.count)]), line_at)
    return [[builder.load(total) for total in totals] for totals in sums]


def _put(builder, finish, line, out, other):
    """Writes a row of the tile."""
    for number, total in enumerate(line):
        ahead = [_INDEX(number * total.type.count)]
        place = builder.gep(out, ahead)
        present = _load(builder, place, total.type) if finish is adding else None
        beside = _load(builder, builder.gep(other, ahead), total.type) if finish in (rectifying, masking) else None
        _store(builder, finish(builder, total, present, beside), place)


def _put_part(builder, finish, line, out, other, columns):
    """Writes the first values of a row of the tile, one by one."""
    vector = line[0].type
    spare = cgutils.alloca_once(builder, llvmlite.ir.ArrayType(vector, len(line)))
    first = builder.bitcast(spare, _REAL.as_pointer())
    for number, total in enumerate(line):
        _store(builder, total, builder.gep(first, [_INDEX(number * vector.count)]))
    with cgutils.for_range(builder, columns) as loop:
        place = builder.gep(out, [loop.index])
        total, present = (
            builder.load(builder.gep(first, [loop.index])),
            builder.load(place) if finish is adding else None,
        )
        beside = builder.load(builder.gep(other, [loop.index])) if finish in (rectifying, masking) else None
        builder.store(finish(builder, total, present, beside), place)


def _spread(builder, value, vector):
    nothing = llvmlite.ir.Constant(vector, llvmlite.ir.Undefined)
    first_everywhere = llvmlite.ir.Constant(llvmlite.ir.VectorType(_PLACE, vector.count), [0] * vector.count)
    return builder.shuffle_vector(builder.insert_element(nothing, value, _PLACE(0)), nothing, first_everywhere)


def _load(builder, address, vector):
    return builder.load(builder.bitcast(address, vector.as_pointer()), align=BYTES)


def _store(builder, value, address):
    builder.store(value, builder.bitcast(address, value.type.as_pointer()), align=BYTES)
