"""The loss as a constant of the compiled step: Numba compiles a step for each loss, as if its formula stood there.

To Numba a `Loss` is a type of its own without a value. The type is named for the loss's class and for what its file
holds, so that code which is kept on disk is used for no other formula.
"""

# Numba compares the names of arguments with their annotations, and lambdas have none.
# mypy: disable-error-code="no-untyped-def"

import hashlib
import inspect
from pathlib import Path
from typing import Any

from numba import types
from numba.extending import NativeValue, models, overload, register_model, typeof_impl, unbox

from components.kernels.compiling import compiled
from components.trainer.losses import Loss
from components.trainer.losses.base import Scalars

# By the name of the type, which alone is kept on disk.
_formulas: dict[str, Scalars] = {}


class _LossType(types.Opaque):
    """A loss, by the name of `_name`."""


register_model(_LossType)(models.OpaqueModel)


@typeof_impl.register(Loss)
def _type_of(loss: Loss, _context: Any) -> _LossType:
    name = _name(type(loss))
    if name not in _formulas:
        assert loss.loss_and_derivative is not None
        _formulas[name] = loss.loss_and_derivative
    return _LossType(name)


def _name(kind: type[Loss]) -> str:
    state = hashlib.sha256(Path(inspect.getfile(kind)).read_bytes()).hexdigest()[:12]
    return f"{kind.__module__}.{kind.__qualname__}-{state}"


@unbox(_LossType)
def _unbox(_type: _LossType, _value: Any, context: Any) -> NativeValue:
    return NativeValue(context.context.get_dummy_value())


def loss_and_derivative(loss, logit, label):
    """See `Loss.loss_and_derivative`; for compiled code."""
    raise NotImplementedError("only compiled code calls it")


@overload(loss_and_derivative)
def _loss_and_derivative(loss, logit, label):
    formula = compiled(_formulas[loss.name])
    return lambda loss, logit, label: formula(logit, label)
