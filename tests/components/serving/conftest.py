"""A serving model is made of what a training gets and gives."""

from tests.components.trainer.conftest import inputs

__all__ = ["inputs"]
