"""The small world that the evaluator is tested on."""

from tests.components.evaluator.conftest import make_world, save_model

__all__ = ["make_world", "save_model"]
