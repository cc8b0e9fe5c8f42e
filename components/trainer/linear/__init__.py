"""Towers in closed form, which read what a user has done: beside the NeuMF, and added to its logits."""

from components.trainer.linear.ensemble import Ensemble
from components.trainer.linear.histories import Histories

__all__ = ["Ensemble", "Histories"]
