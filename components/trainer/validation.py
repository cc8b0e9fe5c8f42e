"""What chooses the epoch: the metrics of a model on the validation split."""

from typing import Protocol

import numpy as np

from components.artifacts.model_run import K
from components.metrics.by_user import summarise
from components.trainer.config import TrainerConfig
from components.trainer.data import Examples
from components.trainer.engines.validation import Ranking, make_ranking
from components.trainer.linear import Beside
from components.trainer.model import NeuMF


class Validation(Protocol):
    """A way to judge a model."""

    def metrics(self, model: NeuMF) -> dict[str, float]:
        """The metrics of the model as it is, by name ("HR@10")."""


class OnRecords:
    """Ranks each held-out item among sampled ones, those of the evaluation records."""

    def __init__(self, examples: Examples):
        """Takes examples that have a validation split."""
        self._examples = examples
        self._compiled: tuple[NeuMF, Ranking] | None = None

    def metrics(self, model: NeuMF) -> dict[str, float]:
        """See `Validation`."""
        if self._compiled is None or self._compiled[0] is not model:
            self._compiled = model, make_ranking(model)
        rank = self._compiled[1]
        return summarise(np.concatenate([rank(*batch) for batch in self._examples.validation_batches()]), (K,))


def make_validation(examples: Examples, config: TrainerConfig, beside: Beside) -> Validation | None:
    """The way that the configuration wants; None where there is no validation split."""
    if config.validate_on == "full":
        return beside if beside.sample is not None else None
    return OnRecords(examples) if examples.validation is not None else None
