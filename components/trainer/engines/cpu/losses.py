"""The loss as a constant of the compiled step: Numba compiles a step for each loss, as if its formula stood there.

To Numba, a `Loss` is a type of its own without a value. The type is named for the loss's compiled form and for what its
file holds, so that code which is kept on disk is used for no other formula.
"""

# Numba wants the arguments of an overload to be as those of its lambda, which have no annotations.
# mypy: disable-error-code="no-untyped-def"

import hashlib
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba import types
from numba.extending import NativeValue, models, overload, register_model, typeof_impl, unbox

from components.kernels.compiling import compiled
from components.trainer.losses.base import Loss, Scalar


class _LossType(types.Opaque):
    """The type of a loss, all of which is its name."""


# By the name of the type: kept code knows a type by its name, and needs the form no more.
_forms: dict[str, Callable[..., Any]] = {}


def _type_of(loss: Loss, _context: Any) -> _LossType:
    form = loss.compiled_form
    assert form is not None
    state = hashlib.sha256(Path(inspect.getfile(form)).read_bytes()).hexdigest()[:12]
    name = f"{form.__module__}.{form.__qualname__}-{state}"
    _forms.setdefault(name, compiled(form, hot=True))
    return _LossType(name)


def _no_value(_type: _LossType, _loss: Any, context: Any) -> Any:
    return NativeValue(context.context.get_dummy_value())


typeof_impl.register(Loss)(_type_of)
register_model(_LossType)(models.OpaqueModel)
unbox(_LossType)(_no_value)


def loss_and_derivative(loss: Loss, logit: Scalar, label: Scalar) -> tuple[Scalar, Scalar]:
    """The compiled form of a loss, applied; for compiled code alone."""
    raise NotImplementedError


def _applied(loss, logit, label):
    form = _forms[loss.name]
    return lambda loss, logit, label: form(logit, label)


overload(loss_and_derivative)(_applied)
