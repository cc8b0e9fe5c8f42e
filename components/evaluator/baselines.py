"""Rankings that a model has to beat."""

from collections.abc import Callable

import numpy as np

from components.evaluator.config import EvaluatorConfig
from components.shared import progress
from components.shared.als import AlsSettings, fit_als
from components.shared.scorer import Scorer


class Popularity:
    """Gives every user the same order: items by their number of training interactions."""

    def __init__(self, counts: np.ndarray):
        """Takes the training interactions of each item, integers [items]."""
        self._counts = counts.astype(np.float64)

    def score_candidates(self, users: np.ndarray, items: np.ndarray) -> np.ndarray:
        """See `Scorer`."""
        return self._counts[items]

    def score_all_items(self, users: np.ndarray) -> np.ndarray:
        """See `Scorer`."""
        return np.broadcast_to(self._counts, (len(users), len(self._counts)))


def make_baselines(
    config: EvaluatorConfig,
    users: int,
    item_counts: np.ndarray,
    read_train: Callable[[], tuple[np.ndarray, np.ndarray]],
    seed: int,
) -> dict[str, Scorer]:
    """The baselines that the configuration asks for: `popularity` always, and `als`.

    Args:
      config: of the evaluator.
      users: how many users there are.
      item_counts: training interactions of each item, integers [items].
      read_train: reads the users and items of the training interactions, int32 each.
      seed: of the run.
    """
    baselines: dict[str, Scorer] = {"popularity": Popularity(item_counts)}
    if config.als:
        settings = AlsSettings(
            config.als_factors, config.als_iterations, config.als_regularization, config.als_unobserved_weight
        )
        with progress.bar("als: fit", settings.iterations) as bar:
            baselines["als"] = fit_als(*read_train(), (users, len(item_counts)), settings, seed, bar)
    return baselines
