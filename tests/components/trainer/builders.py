"""Settings of trainings, with what the rules say in place of what a test leaves out."""

from typing import Any

from components.trainer.config import TrainerConfig
from components.trainer.settings import Counts, Settings, settle

PLAIN: dict[str, Any] = {"pretraining": "none", "validate_on": "sampled", "history_factors": 0, "recent_items": 0}
"""The paper's NeuMF alone, validated on its records."""


def settings(**fields: Any) -> Settings:
    """The settings of a training, of the paper's NeuMF unless `fields` say otherwise."""
    return settle(TrainerConfig(**{**PLAIN, **fields}), Counts(60, 40, 1000, in_order=False, batch_size=64))
