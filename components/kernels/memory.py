"""Memory that is asked for ahead of its use.

A CPU foresees accesses in order by itself. A row from anywhere in a table it waits for, some hundred cycles where the
table does not fit into a core's own cache, unless it is told of the row some rows before.
"""

# The compiler infers the types.
# mypy: disable-error-code="no-untyped-def"

from typing import Any

import llvmlite.ir
from numba import types
from numba.extending import intrinsic

from components.kernels.compiling import compiled

ROWS_AHEAD = 8  # enough to hide the wait, and few enough to be still in the cache when they are needed
_LINE = 64  # bytes of a cache line
_FLAG = llvmlite.ir.IntType(32)


@intrinsic
def _ask_for(_typing: Any, address) -> Any:
    """Has the cache line at an address loaded, and does not wait for it; an address that is none does no harm."""

    def generate(context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        pointer = builder.inttoptr(values[0], llvmlite.ir.IntType(8).as_pointer())
        signature = llvmlite.ir.FunctionType(llvmlite.ir.VoidType(), [pointer.type, _FLAG, _FLAG, _FLAG])
        function = builder.module.declare_intrinsic("llvm.prefetch", [pointer.type], signature)
        to_read, all_caches, data = _FLAG(0), _FLAG(3), _FLAG(1)
        builder.call(function, [pointer, to_read, all_caches, data])
        return context.get_dummy_value()

    return types.void(types.uintp), generate


@compiled(hot=True)
def ask_for(row):
    """Has a contiguous row loaded that will be needed soon; its values stay what they are."""
    first = row.ctypes.data
    for byte in range(0, len(row) * row.itemsize, _LINE):
        _ask_for(first + byte)
