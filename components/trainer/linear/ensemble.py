"""A trained NeuMF with towers in closed form beside it: judged over all items, and exported, as one model."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from components.artifacts.model_run import Blend
from components.serving.saved.probabilities import Probabilities
from components.trainer.history import chosen_metric
from components.trainer.linear.full_ranking import PAIRS_OF_SOME, Sample, Scores
from components.trainer.linear.histories import Histories
from components.trainer.linear.probabilities import fit_probabilities
from components.trainer.linear.towers import NEUMF, Fitted, find_again, find_towers
from components.trainer.linear.weighing import Weighing, scaled
from components.trainer.linear.whole import Parts, Restart, Whole, put_together, scores_of
from components.trainer.model import NeuMF
from components.trainer.settings import Settings

_TOWERS = "towers"


@dataclass(frozen=True)
class Ensemble:
    """The towers that a trained model is put together with, and the users of validation who judge the whole.

    Attributes:
      histories: what users did.
      sample: users with an item for validation; None where there are none.
      metric: the metric that chooses.
      towers: by name; empty where the model stays alone.
      seed: of the run; starts the decompositions.
      negatives: rows of training for each positive, besides its own.
    """

    histories: Histories
    sample: Sample | None
    metric: str
    towers: Mapping[str, Fitted]
    seed: int
    negatives: int

    @classmethod
    def prepare(cls, histories: Histories, settings: Settings, seed: int, negatives: int) -> Self:
        """Finds the towers.

        Args:
          histories: what users did.
          settings: which towers, and the metric that chooses.
          seed: of the run; draws the users of validation, and starts the decompositions.
          negatives: rows of training for each positive, besides its own.
        """
        metric = chosen_metric(settings)
        if not len(histories.validation.users):
            return cls(histories, None, metric, {}, seed, negatives)
        sample = Sample.draw(histories, seed)
        towers = find_towers(histories, settings, sample, metric, seed)
        return cls(histories, sample, metric, towers, seed, negatives)

    def metrics(self, model: NeuMF) -> dict[str, float]:
        """The metrics on validation of a model with the towers beside it, the model having its best weight there.

        Where that weight is 0, they are those of the towers alone, which training cannot fall below. As this is asked
        after each epoch, some of the users answer for all.
        """
        assert self.sample is not None
        sample = self.sample.every(self._step)
        parts = {NEUMF: scores_of(model, sample)[0]}
        if not self.towers:
            return Weighing(sample, parts, self.metric).metrics({NEUMF: 1.0})
        weighing = Weighing(sample, parts | {_TOWERS: self._together[0][:: self._step]}, self.metric)
        return weighing.metrics(_beside_towers(weighing))

    def join(self, model: NeuMF, restart: Restart | None = None) -> Whole:
        """Puts a trained model and the towers together, with the weights that rank best.

        They rank as well as either alone at least, but for what may be chance: a part that helps no more is left out.
        Once these are chosen, the towers are found again with the validation items among the training interactions.
        What is exported is then as far from the test items as what was chosen was from those for validation.

        Args:
          model: the trained model.
          restart: fits the model to other training interactions, where it is what training started from.
        """
        sampled = Probabilities.of_sampled(self.negatives, self.histories.items)
        if self.sample is None:
            return put_together(model, self.histories, Parts.none(sampled))
        own, own_scale = scores_of(model, self.sample)
        some = self.sample.every(self._step)
        if not self.towers:
            fitted = fit_probabilities(some, own[:: self._step] / np.float32(own_scale))
            return put_together(model, self.histories, Parts.none(fitted or sampled))
        scales = {NEUMF: own_scale} | {name: fitted.scale for name, fitted in self.towers.items()}
        parts = {NEUMF: own} | self._scores_of_towers
        together, scale = self._together
        found = _beside_towers(Weighing(self.sample, {NEUMF: own, _TOWERS: together}, self.metric))
        of_towers = {name: weight * scale * found[_TOWERS] for name, weight in self._weights.items()}
        weighing = Weighing(self.sample, parts, self.metric)
        weights = weighing.without_idle(weighing.climb({NEUMF: found[NEUMF]} | of_towers))
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
        unscaled = weights[NEUMF] * own_scale or 1.0  # the whole is in the trained model's scale; see `put_together`
        probabilities = (
            fit_probabilities(some, weighing.total(weights)[:: self._step] / np.float32(unscaled)) or sampled
        )
        later = self.histories.with_validation()
        if again is not None:
            again(model, later.train)
        learnt = self.histories if again is None else later
        if not used:
            return put_together(model, learnt, Parts.none(probabilities), blend)
        towers = find_again({name: self.towers[name].tower for name in used}, later, self.seed)
        unscaled_weights = {name: weights[name] * scales[name] for name in (NEUMF, *used)}
        return put_together(model, learnt, Parts(towers, unscaled_weights, probabilities), blend)

    @property
    def _step(self) -> int:
        """One of so many users of the sample answers where all would take long."""
        assert self.sample is not None
        return max(1, len(self.sample.users) * self.histories.items // PAIRS_OF_SOME)

    @property
    def _scores_of_towers(self) -> dict[str, Scores]:
        return {name: fitted.scores for name, fitted in self.towers.items()}

    @cached_property
    def _weights(self) -> dict[str, float]:
        """The weights of the towers without a trained model."""
        assert self.sample is not None
        weighing = Weighing(self.sample, self._scores_of_towers, self.metric)
        return weighing.without_idle(weighing.climb(weighing.best_alone()))

    @cached_property
    def _together(self) -> tuple[Scores, float]:
        """The scores of the towers together, of standard deviation 1, and what they were multiplied by for it."""
        assert self.sample is not None
        return scaled(Weighing(self.sample, self._scores_of_towers, self.metric).total(self._weights))


def _beside_towers(weighing: Weighing) -> dict[str, float]:
    """The best weights of a trained model and of the towers together, of which one is 1."""
    beside = weighing.best_of(NEUMF, {NEUMF: 0.0, _TOWERS: 1.0})
    return max(beside, {NEUMF: 1.0, _TOWERS: 0.0}, key=weighing.value)
