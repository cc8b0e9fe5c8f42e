"""The weights of parts whose scores are added up: those that rank best on validation."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from components.artifacts.model_run import K
from components.metrics.by_user import by_user, names, summarise
from components.trainer.linear.full_ranking import Ranks, Sample, Scores

_WEIGHTS = (0.0, 0.125, 0.25, 0.5, 1.0, 2.0, 4.0)
_ROUNDS = 2
_USERS_FOR_DEVIATION = 512
_LEAST_STANDARD_ERRORS = 0.5


def scaled(scores: Scores) -> tuple[Scores, float]:
    """Scores of standard deviation 1, in place of the given ones, and what those were multiplied by."""
    scale = 1 / deviation(scores)
    scores *= np.float32(scale)
    return scores, scale


def deviation(scores: Scores) -> float:
    """The standard deviation of the finite scores of some users, evenly among all, which is enough for a unit."""
    some = scores[:: max(1, len(scores) // _USERS_FOR_DEVIATION)]
    found = float(np.std(some, where=np.isfinite(some)))
    return found if found > 0 else 1.0


class Weighing:
    """Looks for the weights of parts, one part after the other."""

    def __init__(self, sample: Sample, parts: Mapping[str, Scores], metric: str):
        """Takes the parts' scores of the sample, float32 [users, items], and the metric that chooses."""
        self._sample, self.parts, self._metric = sample, parts, metric

    def metrics(self, weights: Mapping[str, float]) -> dict[str, float]:
        """The metrics on validation of parts together."""
        return self._sample.metrics(lambda block: self.total(weights, block), K)

    def total(self, weights: Mapping[str, float], block: slice = slice(None)) -> Scores:
        """The weighted sum of parts, float32 [rows, items]; zeros of none."""
        used = [(self.parts[name][block], np.float32(weight)) for name, weight in weights.items() if weight]
        if not used:
            return np.zeros_like(next(iter(self.parts.values()))[block])
        total: Scores = used[0][0] * used[0][1]
        for scores, weight in used[1:]:
            total += scores * weight
        return total

    def value(self, weights: Mapping[str, float]) -> float:
        """The one metric that chooses, of parts together."""
        return self.metrics(weights)[self._metric]

    def best_alone(self) -> dict[str, float]:
        """All weights 0 but that of the best part, 1."""
        best = max(self.parts, key=lambda name: self.value({name: 1.0}))
        return dict.fromkeys(self.parts, 0.0) | {best: 1.0}

    def best_of(self, name: str, others: Mapping[str, float]) -> dict[str, float]:
        """The best weight of one part beside those of the others; of equally good ones, the smallest."""
        besides = {other: weight for other, weight in others.items() if other != name}
        tried = [weight for weight in _WEIGHTS if weight or any(besides.values())]
        values = self.values(name, tried, besides)
        return {**others, name: max(zip(values, tried, strict=True), key=lambda one: (one[0], -one[1]))[1]}

    def values(self, name: str, weights: Sequence[float], others: Mapping[str, float]) -> list[float]:
        """The metric that chooses, under each of several weights of one part beside those of the others."""

        def ranks(block: slice) -> Ranks:
            return self._sample.ranks(block, self.total(others, block), self.parts[name][block], weights)

        found = np.concatenate(self._sample.each_block(ranks), axis=1)
        return [summarise(of_weight, (K,))[self._metric] for of_weight in found]

    def climb(self, start: Mapping[str, float]) -> dict[str, float]:
        """Weights that are at least as good as those of the start, the largest being 1."""
        weights = dict(start)
        for name in list(self.parts) * _ROUNDS:
            weights = max(self.best_of(name, weights), weights, key=self.value)
        return _largest_one(weights)

    def without_idle(self, weights: Mapping[str, float]) -> dict[str, float]:
        """Weights without the parts that only seem to help, one after the other, the largest being 1.

        Such a part is better than nothing by less than half a standard error of the users' differences.
        """
        kept = dict(weights)
        while len(used := [name for name, weight in kept.items() if weight]) > 1:
            together = self._by_user(kept)
            gains = {name: _in_standard_errors(together - self._by_user({**kept, name: 0.0})) for name in used}
            least = min(used, key=lambda name: gains[name])
            if gains[least] >= _LEAST_STANDARD_ERRORS:
                break
            kept[least] = 0.0
        return _largest_one(kept)

    def _by_user(self, weights: Mapping[str, float]) -> npt.NDArray[np.float64]:
        """The metric that chooses, of each user of the sample, of parts together."""
        found = by_user(self._sample.ranks_by(lambda block: self.total(weights, block)), (K,))
        of_metric: npt.NDArray[np.float64] = found[:, names((K,)).index(self._metric)]
        return of_metric


def _in_standard_errors(values: npt.NDArray[np.float64]) -> float:
    """The mean, in standard errors of it; 0 where all values are 0."""
    error = values.std() / len(values) ** 0.5
    return float(values.mean() / error) if error else 0.0


def _largest_one(weights: Mapping[str, float]) -> dict[str, float]:
    largest = max(weights.values())
    return {name: weight / largest for name, weight in weights.items()}
