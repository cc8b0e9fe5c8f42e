"""What an earlier whole model was made of, beside a trained model of now: nothing is decomposed or chosen again."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt

from components.artifacts.model_run import Blend
from components.trainer.history import chosen_metric
from components.trainer.linear.full_ranking import PAIRS_OF_SOME, Sample, Scores
from components.trainer.linear.histories import Histories
from components.trainer.linear.towers import NEUMF, Tower
from components.trainer.linear.updating import updated
from components.trainer.linear.weighing import Weighing, deviation
from components.trainer.linear.whole import Parts, Restart, Whole, put_together, score_all
from components.trainer.model import NeuMF
from components.trainer.settings import Settings


@dataclass(frozen=True)
class Continued:
    """The parts of an earlier whole, in place of an `Ensemble`.

    Attributes:
      histories: what users did; what is held out for validation but was learnt by the earlier one is for training.
      sample: the users who are left to judge; None where there are none.
      metric: the metric that chooses.
      parts: as they were found, with vectors of all items of now; see `updated`.
    """

    histories: Histories
    sample: Sample | None
    metric: str
    parts: Parts

    @classmethod
    def prepare(
        cls, histories: Histories, parts: Parts, learnt: npt.NDArray[np.int32], settings: Settings, seed: int
    ) -> Self:
        """Finds out who may judge.

        Args:
          histories: what users did, to which rows came since.
          parts: of the earlier whole, as they were found, with vectors of all items of now.
          learnt: how many interactions of each user it learnt, the first ones, int32 [users].
          settings: the metric that chooses.
          seed: of the run; draws the users of validation.
        """
        trained = np.bincount(histories.train.users, minlength=histories.users)
        later = histories.with_validation_of(trained < learnt)
        sample = None
        if len(later.validation.users):
            sample = Sample.draw(later, seed, PAIRS_OF_SOME)
        return cls(later, sample, chosen_metric(settings), parts)

    def metrics(self, model: NeuMF) -> dict[str, float]:
        """The metrics on validation of a model with the towers beside it, by name ("HR@10")."""
        return self._weighing(model).metrics(self.parts.weights)

    def join(self, model: NeuMF, restart: Restart | None = None) -> Whole:
        """Puts a trained model and the towers together.

        Args:
          model: the trained model.
          restart: of no use here: the model did not start from what could be fitted to more.
        """
        return put_together(model, self.histories, self._parts_by(self.histories.with_validation()), self._blend(model))

    def _parts_by(self, histories: Histories) -> Parts:
        """The parts by some training interactions."""
        return replace(
            self.parts, towers={name: updated(tower, histories) for name, tower in self.parts.towers.items()}
        )

    def _blend(self, model: NeuMF) -> Blend | None:
        if self.sample is None or not self.parts.towers:
            return None
        weighing = self._weighing(model)
        weights = {name: weight * deviation(weighing.parts[name]) for name, weight in self.parts.weights.items()}
        largest = max(weights.values())
        return Blend(
            users=len(self.sample.users),
            widths={name: tower.factors.width for name, tower in self.parts.towers.items()},
            weights={name: weight / largest for name, weight in weights.items()},
            alone={name: weighing.metrics({name: 1.0}) for name in weights},
            together=weighing.metrics(self.parts.weights),
            learnt_validation=True,
        )

    def _weighing(self, model: NeuMF) -> Weighing:
        assert self.sample is not None
        own = self.sample.without_seen(score_all(model, self.sample.users))
        return Weighing(self.sample, {NEUMF: own, **self._scores_of_towers}, self.metric)

    @cached_property
    def _scores_of_towers(self) -> Mapping[str, Scores]:
        return {name: self._scores_of(tower) for name, tower in self._parts_by(self.histories).towers.items()}

    def _scores_of(self, tower: Tower) -> Scores:
        sample = self.sample
        assert sample is not None
        users, items = tower.users(self.histories, sample.users), tower.factors.scored.T
        return sample.without_seen(np.concatenate(sample.each_block(lambda block: users[block] @ items)))
