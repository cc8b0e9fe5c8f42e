"""Matrix products in compiled code: SciPy's BLAS, called on parts of larger arrays without copying them.

Numba's own `np.dot` cannot add to its result, and copies a part of an array first.
"""

# The compiler infers the types.
# mypy: disable-error-code="no-untyped-def"

from typing import Any

import llvmlite.binding
import llvmlite.ir
import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import get_cython_function_address, intrinsic

from components.trainer.cpu.compiling import compiled

# By name, not by address, so that compiled code can be kept on disk.
_SGEMM = "scipy_sgemm"
llvmlite.binding.add_symbol(_SGEMM, get_cython_function_address("scipy.linalg.cython_blas", "sgemm"))

_PLAIN, _TRANSPOSED = np.int8(ord("N")), np.int8(ord("T"))
_ONE = np.float32(1)
_BYTES = np.int32(4)


@intrinsic
def _sgemm(_typing: Any, transa, transb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc) -> Any:
    """BLAS's `sgemm` by its reference documentation; arrays are given by their addresses."""
    char, integer, real, address = types.int8, types.int32, types.float32, types.uintp
    kinds = (char, char, integer, integer, integer, real, address, integer, address, integer, real, address, integer)

    def generate(context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        pointer = cgutils.voidptr_t
        # Fortran takes every argument by reference.
        arguments = [
            builder.inttoptr(value, pointer)
            if kind == address
            else builder.bitcast(cgutils.alloca_once_value(builder, value), pointer)
            for kind, value in zip(kinds, values, strict=True)
        ]
        signature = llvmlite.ir.FunctionType(llvmlite.ir.VoidType(), [pointer] * len(arguments))
        builder.call(cgutils.get_or_insert_function(builder.module, signature, _SGEMM), arguments)
        return context.get_dummy_value()

    return types.void(*kinds), generate


# A row-major matrix is its transpose to Fortran: out^T = b^T a^T.


@compiled
def product(a, b, out, keep):
    """Out = keep * out + a b, for float32 [m, k], [k, n] and [m, n] whose rows are contiguous."""
    _sgemm(
        _PLAIN, _PLAIN, out.shape[1], out.shape[0], a.shape[1], _ONE, b.ctypes.data, b.strides[0] // _BYTES,
        a.ctypes.data, a.strides[0] // _BYTES, keep, out.ctypes.data, out.strides[0] // _BYTES,
    )  # fmt: skip


@compiled
def product_of_columns(a, b, out, keep):
    """Out = keep * out + a^T b, for float32 [k, m], [k, n] and [m, n] whose rows are contiguous."""
    _sgemm(
        _PLAIN, _TRANSPOSED, out.shape[1], out.shape[0], a.shape[0], _ONE, b.ctypes.data, b.strides[0] // _BYTES,
        a.ctypes.data, a.strides[0] // _BYTES, keep, out.ctypes.data, out.strides[0] // _BYTES,
    )  # fmt: skip


@compiled
def product_of_rows(a, b, out, keep):
    """Out = keep * out + a b^T, for float32 [m, k], [n, k] and [m, n] whose rows are contiguous."""
    _sgemm(
        _TRANSPOSED, _PLAIN, out.shape[1], out.shape[0], a.shape[1], _ONE, b.ctypes.data, b.strides[0] // _BYTES,
        a.ctypes.data, a.strides[0] // _BYTES, keep, out.ctypes.data, out.strides[0] // _BYTES,
    )  # fmt: skip
