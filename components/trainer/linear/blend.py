"""Adds towers in closed form to a trained NeuMF, each with the weight that ranks best on validation."""

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse
import tensorflow as tf

from components.artifacts.interactions import Pairs
from components.artifacts.model_run import PARTS, Blend, K
from components.shared import progress, random_streams
from components.trainer.config import TrainerConfig
from components.trainer.history import chosen_metric
from components.trainer.linear.factors import Factors, history_factors, recent_factors
from components.trainer.linear.full_ranking import Sample, Scores
from components.trainer.linear.histories import Histories
from components.trainer.model import NeuMF

NEUMF, HISTORY, RECENT = PARTS

_DECAYS = (0.6, 0.8)  # weights of an item that came just before another one, beside that other one's

_BESIDE = (0.5, 1.0, 2.0)
_WEIGHTS = (0.0, 0.125, 0.25, 0.5, 1.0, 2.0, 4.0)
_ROUNDS = 2

Read = Callable[[Pairs], scipy.sparse.csr_matrix]
"""What a tower reads of some interactions: how much each item counts for each user, float32 [users, items]."""


@dataclass(frozen=True)
class Tower:
    """A tower in closed form: its factors, and what it reads."""

    factors: Factors
    read: Read

    def scores(self, pairs: Pairs, users: npt.NDArray[np.int32]) -> Scores:
        """Scores of all items, float32 [users, items], by what was done up to then."""
        scores: Scores = self.factors.users(self.read(pairs)[users]) @ self.factors.scored.T
        return scores


def add_linear_towers(
    model: NeuMF, histories: Histories, config: TrainerConfig, seed: int
) -> tuple[NeuMF, Blend | None]:
    """Joins a trained model and towers in closed form, whose weights are chosen on validation.

    A tower that helps nobody gets no weight, nor does the NeuMF where training it gained nothing: on validation, the
    whole is at least as good as the best of its parts.

    Args:
      model: the trained model.
      histories: what users did.
      config: which towers, and the metric that chooses.
      seed: of the run; draws the users of validation, and starts the decompositions.

    Returns:
      A NeuMF whose GMF tower has the vectors of the others beside its own: a user's are of all that the user did but
      for the test, and stay as they are. None, and the model as it was, where there is no tower to add, or no
      validation split to choose by.
    """
    widths = _widths(histories, config)
    if not any(widths.values()) or not len(histories.validation.users):
        return model, None
    sample = Sample.draw(histories, random_streams.generator(seed, "users of validation"))
    metric = chosen_metric(config)
    with progress.bar("towers in closed form", len(widths) + 1) as bar:
        towers = dict(_fit(histories, widths, config, sample, metric, seed, bar))
        parts = {NEUMF: _scores(model, sample.users)}
        parts |= {name: tower.scores(histories.train, sample.users) for name, tower in towers.items()}
        scales = {name: _to_unit_deviation(scores) for name, scores in parts.items()}
        for scores in parts.values():
            sample.without_seen(scores)
        found = _Weighing(sample, {name: scores * np.float32(scales[name]) for name, scores in parts.items()}, metric)
        weights = found.best()
        bar.advance()
    blend = Blend(
        users=len(sample.users),
        widths={name: tower.factors.read.shape[1] for name, tower in towers.items()},
        weights=weights,
        alone={name: found.metrics({name: 1.0}) for name in parts},
        together=found.metrics(weights),
    )
    scaled = {name: weight * scales[name] for name, weight in weights.items()}
    return _join(model, histories, towers, scaled), blend


def _widths(histories: Histories, config: TrainerConfig) -> dict[str, int]:
    """The largest width of each tower; none of those that are left out."""
    recent = config.recent_items if config.recent_items != "auto" else 10 * histories.in_order
    widths = {
        HISTORY: history_width(config, len(histories.train.users)),
        RECENT: config.recent_factors if recent else 0,
    }
    return {name: width for name, width in widths.items() if width}


def history_width(config: TrainerConfig, interactions: int) -> int:
    """The width of the tower that reads all that a user has seen: as wide as can be had in about a minute.

    Example:
      >>> [history_width(TrainerConfig(), interactions) for interactions in (100_000, 1_000_000, 20_000_000)]
      [1024, 512, 128]
    """
    if config.history_factors != "auto":
        return config.history_factors
    return next((width for width in (1024, 512, 256) if width * interactions <= 1 << 29), 128)


def _fit(
    histories: Histories,
    widths: Mapping[str, int],
    config: TrainerConfig,
    sample: Sample,
    metric: str,
    seed: int,
    bar: progress.Bar,
) -> Iterator[tuple[str, Tower]]:
    """The towers, one after the other; of its candidates, each is the one that helps those before it most."""
    key = random_streams.stream_key(seed, "decomposition")
    candidates = {
        HISTORY: functools.partial(_history_towers, histories, seed=key),
        RECENT: functools.partial(_recent_towers, histories, config, seed=key),
    }
    before: Scores | None = None
    for name, width in widths.items():
        value = functools.partial(_value, before=before, histories=histories, sample=sample, metric=metric)
        best = max(candidates[name](width=width), key=value)
        yield name, best
        before = _scaled(best.scores(histories.train, sample.users))
        bar.advance()


def _history_towers(histories: Histories, width: int, seed: int) -> Iterator[Tower]:
    for factors in history_factors(histories.seen, width, seed):
        yield Tower(factors, histories.all_of)


def _recent_towers(histories: Histories, config: TrainerConfig, width: int, seed: int) -> Iterator[Tower]:
    number = 10 if config.recent_items == "auto" else config.recent_items
    for factors in recent_factors(histories.train, histories.items, width, seed):
        for decay in _DECAYS:
            yield Tower(factors, functools.partial(histories.latest_of, number=number, decay=decay))


def _value(tower: Tower, before: Scores | None, histories: Histories, sample: Sample, metric: str) -> float:
    """The metric on validation of a tower by itself, or together with what was there before, at its best weight."""
    scores = sample.without_seen(_scaled(tower.scores(histories.train, sample.users)))
    if before is None:
        return _Weighing(sample, {RECENT: scores}, metric).value({RECENT: 1.0})
    both = _Weighing(sample, {HISTORY: before, RECENT: scores}, metric)
    return max(both.value({HISTORY: 1.0, RECENT: weight}) for weight in _BESIDE)


def _scaled(scores: Scores) -> Scores:
    """Scores of standard deviation 1."""
    return scores * np.float32(_to_unit_deviation(scores))


def _to_unit_deviation(scores: Scores) -> float:
    deviation = float(np.std(scores))
    return 1 / deviation if deviation else 1.0


def _scores(model: NeuMF, users: npt.NDArray[np.int32]) -> Scores:
    """Logits of users with all items, float32 [users, items]."""
    item_rows = model.project_items(model.item_table.value)
    score = tf.function(lambda some: model.score_all(model.user_rows(some), item_rows), reduce_retracing=True)
    return np.concatenate(
        [score(tf.constant(users[begin : begin + 256])).numpy() for begin in range(0, len(users), 256)]
    )


class _Weighing:
    """Looks for the weights of parts, one part after the other, from the best one alone."""

    def __init__(self, sample: Sample, parts: Mapping[str, Scores], metric: str):
        self._sample, self._parts, self._metric = sample, parts, metric

    def metrics(self, weights: Mapping[str, float]) -> dict[str, float]:
        """The metrics on validation of parts together."""
        used = [(self._parts[name], np.float32(weight)) for name, weight in weights.items() if weight]

        def total(block: slice) -> Scores:
            summed: Scores = np.sum([scores[block] * weight for scores, weight in used], axis=0)
            return summed

        return self._sample.metrics(total, K)

    def best(self) -> dict[str, float]:
        """The weights, by part, the largest being 1; of equally good ones, the smallest."""
        alone = {name: self.value({name: 1.0}) for name in self._parts}
        weights = dict.fromkeys(self._parts, 0.0) | {max(alone, key=alone.__getitem__): 1.0}
        for name in list(self._parts) * _ROUNDS:
            tried = [{**weights, name: weight} for weight in _WEIGHTS]
            weights = max((found for found in tried if any(found.values())), key=self.value)
        largest = max(weights.values())
        return {name: weight / largest for name, weight in weights.items()}

    def value(self, weights: Mapping[str, float]) -> float:
        """The one metric that chooses, of parts together."""
        return self.metrics(weights)[self._metric]


def _join(model: NeuMF, histories: Histories, towers: Mapping[str, Tower], weights: Mapping[str, float]) -> NeuMF:
    """The NeuMF whose logits are the weighted sum, in the scale of the trained model's where that has a weight."""
    own = weights[NEUMF]
    used = {name: tower for name, tower in towers.items() if weights[name]}
    scale = 1 / own if own else 1.0
    vectors = [
        tower.factors.users(tower.read(histories.complete)) * np.float32(weights[name] * scale)
        for name, tower in used.items()
    ]
    return model.widened(vectors, [tower.factors.scored for tower in used.values()], 1.0 if own else 0.0)
