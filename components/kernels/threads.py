"""How several threads work through a compiled loop together."""

# The compiler infers the types.
# mypy: disable-error-code="no-untyped-def"

from typing import Any

import llvmlite.ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from components.kernels.compiling import compiled

_SPINS = 1000  # some ten microseconds: longer than most waits on an idle machine


@intrinsic
def _fetch_and_add(_typing: Any, address, amount) -> Any:
    """Adds to the int64 at an address, atomically, and returns what was there before."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        pointer = builder.inttoptr(values[0], context.get_value_type(types.int64).as_pointer())
        return builder.atomic_rmw("add", pointer, values[1], "seq_cst")

    return types.int64(types.uintp, types.int64), generate


@intrinsic
def _yield(_typing: Any) -> Any:
    """Lets another thread run on this core, if one is waiting for it."""

    def generate(context: Any, builder: Any, _signature: Any, _values: Any) -> Any:
        function = llvmlite.ir.FunctionType(llvmlite.ir.IntType(32), [])
        builder.call(cgutils.get_or_insert_function(builder.module, function, "sched_yield"), [])
        return context.get_dummy_value()

    return types.void(), generate


@compiled(hot=True)
def next_task(counter):
    """Claims a task, from 0 on, for the calling thread; counter: int64 [1], zero at first and shared by the threads."""
    return _fetch_and_add(counter.ctypes.data, 1)


@compiled(hot=True)
def wait_for_all(arrived, target):
    """Waits until `arrived`, int64 [1], shared by the threads, has counted `target` arrivals, this one included.

    A thread that waits long offers its core to others: where cores are scarce, spinning would keep from it the very
    thread that is waited for.
    """
    number = _fetch_and_add(arrived.ctypes.data, 1) + 1
    spins = 0
    while number < target:
        spins += 1
        if spins > _SPINS:
            _yield()
        number = _fetch_and_add(arrived.ctypes.data, 0)
