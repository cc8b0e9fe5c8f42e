"""A trained NeuMF with towers in closed form beside it: judged over all items, and exported, as one model."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from components.artifacts.interactions import Pairs
from components.artifacts.model_run import Blend
from components.serving.saved.probabilities import Probabilities
from components.shared import random_streams
from components.trainer.history import chosen_metric
from components.trainer.linear.factors import Matrix
from components.trainer.linear.folding import Folding, Reading, fold_trained, moved_rows
from components.trainer.linear.full_ranking import Sample, Scores
from components.trainer.linear.histories import Histories
from components.trainer.linear.probabilities import fit_probabilities
from components.trainer.linear.towers import NEUMF, Fitted, Tower, find_again, find_towers
from components.trainer.linear.weighing import Weighing, scaled
from components.trainer.model import NeuMF
from components.trainer.settings import Settings

Restart = Callable[[NeuMF, Pairs], None]
"""Fits a model anew to training interactions, of which users ascend."""

_TOWERS = "towers"
_USERS_AT_ONCE = 256
_PAIRS_OF_SOME = 1 << 24


@dataclass(frozen=True)
class Whole:
    """What is exported.

    Attributes:
      model: the trained model with the towers as further factors of its GMF tower; without the trained part, where that
        has no weight. Users' rows are of all that they did but for the test, the trained ones moved accordingly.
      served_users: the user table that is served, float32 [users, width], of all that they did; None: the model's own.
      folding: how users whom it never saw get a row.
      blend: what it is put together of; None where it is the trained model alone.
      probabilities: what its logits stand for.
    """

    model: NeuMF
    served_users: Matrix | None
    folding: Folding
    blend: Blend | None
    probabilities: Probabilities


@dataclass(frozen=True)
class Ensemble:
    """The towers that a trained model is put together with, and the users of validation who judge the whole.

    Attributes:
      histories: what users did.
      sample: users with an item for validation; None where there are none.
      metric: the metric that chooses.
      towers: by name; empty where the model stays alone.
    """

    histories: Histories
    sample: Sample | None
    metric: str
    towers: Mapping[str, Fitted]

    @classmethod
    def prepare(cls, histories: Histories, settings: Settings, seed: int) -> Self:
        """Finds the towers.

        Args:
          histories: what users did.
          settings: which towers, and the metric that chooses.
          seed: of the run; draws the users of validation, and starts the decompositions.
        """
        metric = chosen_metric(settings)
        if not len(histories.validation.users):
            return cls(histories, None, metric, {})
        sample = Sample.draw(histories, random_streams.generator(seed, "users of validation"))
        return cls(histories, sample, metric, find_towers(histories, settings, sample, metric, seed))

    def metrics(self, model: NeuMF) -> dict[str, float]:
        """The metrics on validation of a model with the towers beside it, the model having its best weight there.

        Where that weight is 0, they are those of the towers alone, which training cannot fall below. As this is asked
        after each epoch, some of the users answer for all.
        """
        assert self.sample is not None
        sample = self.sample.every(self._step)
        parts = {NEUMF: _scores(model, sample)[0]}
        if not self.towers:
            return Weighing(sample, parts, self.metric).metrics({NEUMF: 1.0})
        weighing = Weighing(sample, parts | {_TOWERS: self._together[0][:: self._step]}, self.metric)
        return weighing.metrics(_beside_towers(weighing))

    def join(self, model: NeuMF, negatives: int, seed: int, restart: Restart | None = None) -> Whole:
        """Puts a trained model and the towers together, with weights at least as good as either's alone.

        Once these are chosen, the towers are found again with the validation items among the training interactions.
        What is exported is then as far from the test items as what was chosen was from those for validation.

        Args:
          model: the trained model.
          negatives: rows of training for each positive, besides its own.
          seed: of the run; starts the decompositions.
          restart: fits the model to other training interactions, where it is what training started from.
        """
        sampled = Probabilities.of_sampled(negatives, self.histories.items)
        if self.sample is None:
            return _alone(model, self.histories, sampled)
        own, own_scale = _scores(model, self.sample)
        some = self.sample.every(self._step)
        if not self.towers:
            fitted = fit_probabilities(some, own[:: self._step] / np.float32(own_scale))
            return _alone(model, self.histories, fitted or sampled)
        scales = {NEUMF: own_scale} | {name: fitted.scale for name, fitted in self.towers.items()}
        parts = {NEUMF: own} | self._scores_of_towers
        together, scale = self._together
        found = _beside_towers(Weighing(self.sample, {NEUMF: own, _TOWERS: together}, self.metric))
        of_towers = {name: weight * scale * found[_TOWERS] for name, weight in self._weights.items()}
        weighing = Weighing(self.sample, parts, self.metric)
        weights = weighing.climb({NEUMF: found[NEUMF]} | of_towers)
        used = [name for name in self.towers if weights[name]]
        again = restart if weights[NEUMF] else None
        blend = Blend(
            users=len(self.sample.users),
            widths={name: fitted.tower.factors.width for name, fitted in self.towers.items()},
            weights=weights,
            alone={name: weighing.metrics({name: 1.0}) for name in parts},
            together=weighing.metrics(weights),
            learnt_validation=again is not None or bool(used),
        )
        unscaled = weights[NEUMF] * own_scale or 1.0  # the whole is in the trained model's scale; see `_widen`
        probabilities = (
            fit_probabilities(some, weighing.total(weights)[:: self._step] / np.float32(unscaled)) or sampled
        )
        later = self.histories.with_validation()
        if again is not None:
            again(model, later.train)
        learnt = self.histories if again is None else later
        if not used:
            return _alone(model, learnt, probabilities, blend)
        towers = find_again({name: self.towers[name].tower for name in used}, later, seed)
        unscaled_weights = {name: weight * scales[name] for name, weight in weights.items()}
        return _widen(model, learnt, towers, unscaled_weights, blend, probabilities)

    @property
    def _step(self) -> int:
        """One of so many users of the sample answers where all would take long."""
        assert self.sample is not None
        return max(1, len(self.sample.users) * self.histories.items // _PAIRS_OF_SOME)

    @property
    def _scores_of_towers(self) -> dict[str, Scores]:
        return {name: fitted.scores for name, fitted in self.towers.items()}

    @cached_property
    def _weights(self) -> dict[str, float]:
        """The weights of the towers without a trained model."""
        assert self.sample is not None
        weighing = Weighing(self.sample, self._scores_of_towers, self.metric)
        return weighing.climb(weighing.best_alone())

    @cached_property
    def _together(self) -> tuple[Scores, float]:
        """The scores of the towers together, of standard deviation 1, and what they were multiplied by for it."""
        assert self.sample is not None
        return scaled(Weighing(self.sample, self._scores_of_towers, self.metric).total(self._weights))


def _alone(model: NeuMF, histories: Histories, probabilities: Probabilities, blend: Blend | None = None) -> Whole:
    return Whole(model, None, Folding(fold_trained(model, histories)), blend, probabilities)


def _widen(
    model: NeuMF,
    histories: Histories,
    towers: Mapping[str, Tower],
    weights: Mapping[str, float],
    blend: Blend,
    probabilities: Probabilities,
) -> Whole:
    """The model whose logits are the weighted sum, in the scale of the trained one's where that has a weight.

    Args:
      model: the trained model.
      histories: with the interactions that it was trained on.
      towers: those with a weight, by name.
      weights: of the logits of each part.
      blend: goes with it.
      probabilities: likewise.
    """
    own = weights[NEUMF]
    scale = 1 / own if own else 1.0
    sizes = {name: np.float32(weights[name] * scale) for name in towers}
    readings = [
        Reading(tower.factors.read * sizes[name], tower.number, tower.decay, others=tower.factors.of_others())
        for name, tower in towers.items()
    ]
    items = [tower.factors.scored for tower in towers.values()]

    def users(pairs: Pairs) -> list[Matrix]:
        return [tower.read(histories, pairs) @ (tower.factors.read * sizes[name]) for name, tower in towers.items()]

    measured, served = histories.complete, histories.everything
    if not own:
        whole = NeuMF.of_vectors(users(measured), items)
        table_served = np.concatenate(users(served), axis=1)
        return Whole(whole, table_served, Folding(readings), blend, probabilities)
    folded = fold_trained(model, histories)

    def table(pairs: Pairs) -> Matrix:
        rows = moved_rows(model, folded, histories, pairs)
        gmf, mlp = np.split(rows, [model.num_factors], axis=1)
        return np.concatenate([gmf, *users(pairs), mlp], axis=1)

    whole = model.widened(users(measured), items)
    whole.user_table.assign(table(measured))
    gmf, *mlp = folded
    return Whole(whole, table(served), Folding([gmf, *readings, *mlp]), blend, probabilities)


def _beside_towers(weighing: Weighing) -> dict[str, float]:
    """The best weights of a trained model and of the towers together, of which one is 1."""
    beside = weighing.best_of(NEUMF, {NEUMF: 0.0, _TOWERS: 1.0})
    return max(beside, {NEUMF: 1.0, _TOWERS: 0.0}, key=weighing.value)


def _scores(model: NeuMF, sample: Sample) -> tuple[Scores, float]:
    """A model's scores of a sample, as a part's in `Weighing`, and what they were multiplied by for it."""
    return scaled(sample.without_seen(score_all(model, sample.users)))


def score_all(model: NeuMF, users: npt.NDArray[np.int32]) -> Scores:
    """Logits of users with all items, float32 [users, items]."""
    item_rows, score = model.project_items(model.item_table.value), _compiled(model)
    scores = np.empty((len(users), item_rows.shape[0]), np.float32)
    for begin in range(0, len(users), _USERS_AT_ONCE):
        block = slice(begin, begin + _USERS_AT_ONCE)
        scores[block] = score(tf.constant(users[block]), item_rows).numpy()
    return scores


@functools.lru_cache(maxsize=1)  # a model is asked after each of its epochs
def _compiled(model: NeuMF) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    def score(users: tf.Tensor, item_rows: tf.Tensor) -> tf.Tensor:
        return model.score_all(model.user_rows(users), item_rows)

    compiled: Callable[[tf.Tensor, tf.Tensor], tf.Tensor] = tf.function(score, reduce_retracing=True)
    return compiled
