"""How hot loops are compiled, and how several threads work through them together."""

# The compiler infers the types.
# mypy: disable-error-code="no-untyped-def"

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import llvmlite.ir
from numba import config, njit, types
from numba.core import cgutils
from numba.extending import intrinsic

# What vectorising a sum or a selection needs; infinities and NaNs keep their meaning.
_FASTMATH = {"reassoc", "contract", "arcp", "nsz"}
# The callers hold all arrays: code that counts references to them takes twice as long. What is so compiled can neither
# make an array nor return one.
_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": _FASTMATH, "_nrt": False}


def compiled(function: Callable[..., Any]) -> Any:
    """Compiles a function at its first call, or as a part of the function that calls it."""
    return njit(**_OPTIONS)(function)


def entry_point(function: Callable[..., Any]) -> Any:
    """Compiles a function at its first call, and keeps the code on disk wherever there is a place for it.

    Numba takes code from disk as long as the function's own file is the same, whatever became of the functions that it
    calls, and whether or not it checks its indexes (NUMBA_BOUNDSCHECK). So there is a folder for each state of the
    checks, of all the files beside the function's, and of those here.
    """
    folder = Path(function.__code__.co_filename).parent
    sources = sorted({*folder.glob("*.py"), *Path(__file__).parent.glob("*.py")})
    checks = f"bounds checks: {config.BOUNDSCHECK}".encode()
    state = hashlib.sha256(checks + b"".join(source.read_bytes() for source in sources)).hexdigest()[:12]
    configured, config.CACHE_DIR = config.CACHE_DIR, str(folder / "__pycache__" / state)
    try:
        return njit(cache=True, **_OPTIONS)(function)
    except RuntimeError:  # a read-only installation and a read-only home
        return compiled(function)
    finally:
        config.CACHE_DIR = configured


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


_SPINS = 1000  # some ten microseconds: longer than most waits on an idle machine


@compiled
def next_task(counter):
    """Claims a task, from 0 on, for the calling thread; counter: int64 [1], zero at first and shared by the threads."""
    return _fetch_and_add(counter.ctypes.data, 1)


@compiled
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
