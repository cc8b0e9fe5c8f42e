"""The weights of parts whose scores are added up: those that rank best on validation."""

from collections.abc import Mapping

import numpy as np

from components.artifacts.model_run import K
from components.trainer.linear.full_ranking import Sample, Scores

_WEIGHTS = (0.0, 0.125, 0.25, 0.5, 1.0, 2.0, 4.0)
_ROUNDS = 2


def scaled(scores: Scores) -> tuple[Scores, float]:
    """Scores of standard deviation 1, and what they were multiplied by."""
    deviation = float(np.std(scores))
    scale = 1 / deviation if deviation else 1.0
    return scores * np.float32(scale), scale


class Weighing:
    """Looks for the weights of parts, one part after the other."""

    def __init__(self, sample: Sample, parts: Mapping[str, Scores], metric: str):
        """Takes the parts' scores of the sample, float32 [users, items], and the metric that chooses."""
        self._sample, self._parts, self._metric = sample, parts, metric

    def metrics(self, weights: Mapping[str, float]) -> dict[str, float]:
        """The metrics on validation of parts together."""
        return self._sample.metrics(lambda block: self.total(weights, block), K)

    def total(self, weights: Mapping[str, float], block: slice = slice(None)) -> Scores:
        """The scores of parts together, float32 [users of the block, items]."""
        used = [(self._parts[name], np.float32(weight)) for name, weight in weights.items() if weight]
        summed: Scores = np.sum([scores[block] * weight for scores, weight in used], axis=0)
        return summed

    def value(self, weights: Mapping[str, float]) -> float:
        """The one metric that chooses, of parts together."""
        return self.metrics(weights)[self._metric]

    def best_alone(self) -> dict[str, float]:
        """All weights 0 but that of the best part, 1."""
        best = max(self._parts, key=lambda name: self.value({name: 1.0}))
        return dict.fromkeys(self._parts, 0.0) | {best: 1.0}

    def best_of(self, name: str, others: Mapping[str, float]) -> dict[str, float]:
        """The best weight of one part beside those of the others; of equally good ones, the smallest."""
        tried = [{**others, name: weight} for weight in _WEIGHTS]
        return max((weights for weights in tried if any(weights.values())), key=self.value)

    def climb(self, start: Mapping[str, float]) -> dict[str, float]:
        """Weights that are at least as good as those of the start, the largest being 1."""
        weights = dict(start)
        for name in list(self._parts) * _ROUNDS:
            weights = max(self.best_of(name, weights), weights, key=self.value)
        largest = max(weights.values())
        return {name: weight / largest for name, weight in weights.items()}
