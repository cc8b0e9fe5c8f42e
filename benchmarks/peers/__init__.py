"""The frameworks that training and scoring are measured against, each used the way its own documentation shows."""

import importlib.util

from components.shared.errors import UserError

_NAMES = {"torch": "PyTorch", "jax": "JAX"}


def require(module: str) -> None:
    """Raises UserError where a framework that only the benchmarks use is not installed."""
    if importlib.util.find_spec(module) is None:
        raise UserError(
            f"this benchmark needs {_NAMES[module]}, which the pipeline does not: "
            ".venv/bin/python -m pip install --group frameworks"
        )
