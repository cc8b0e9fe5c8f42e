"""Towers in closed form, which read what a user has done: beside the NeuMF, and added to its logits."""

from components.trainer.linear.blend import add_linear_towers
from components.trainer.linear.histories import Histories

__all__ = ["Histories", "add_linear_towers"]
