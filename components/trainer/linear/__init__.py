"""Towers in closed form, which read what a user has done: beside the NeuMF, and added to its logits."""

from components.trainer.linear.continued import Continued
from components.trainer.linear.ensemble import Ensemble
from components.trainer.linear.histories import Histories
from components.trainer.linear.start import choose_start
from components.trainer.linear.whole import Beside, Parts, Whole

__all__ = ["Beside", "Continued", "Ensemble", "Histories", "Parts", "Whole", "choose_start"]
