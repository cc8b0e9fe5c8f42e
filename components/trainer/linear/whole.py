"""What is exported: a trained NeuMF and towers in closed form as one model."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from components.artifacts.interactions import Pairs
from components.artifacts.model_run import Blend
from components.serving.saved.probabilities import Probabilities
from components.trainer.linear.decomposition import Matrix
from components.trainer.linear.folding import Folding, Reading, fold_trained, moved_rows
from components.trainer.linear.full_ranking import Sample, Scores
from components.trainer.linear.histories import Histories
from components.trainer.linear.towers import NEUMF, Tower
from components.trainer.linear.weighing import scaled
from components.trainer.model import NeuMF

Restart = Callable[[NeuMF, Pairs], None]
"""Fits a model anew to training interactions, of which users ascend."""

_USERS_AT_ONCE = 256


class Beside(Protocol):
    """What a trained model is put together with, and how good the two are."""

    @property
    def sample(self) -> Sample | None:
        """The users of validation; None where there are none."""

    def metrics(self, model: NeuMF) -> dict[str, float]:
        """The metrics on validation of a model with what stands beside it, by name ("HR@10")."""

    def join(self, model: NeuMF, restart: Restart | None = None) -> "Whole":
        """Puts a trained model and what stands beside it together.

        Args:
          model: the trained model.
          restart: fits the model to other training interactions, where it is what training started from.
        """


@dataclass(frozen=True)
class Parts:
    """What a whole model is made of beside its trained part: what a later one can be made of, too.

    Attributes:
      towers: by name.
      weights: of the logits of each part, the trained one's among them.
      probabilities: what the logits of the whole stand for.
    """

    towers: Mapping[str, Tower]
    weights: Mapping[str, float]
    probabilities: Probabilities

    @classmethod
    def none(cls, probabilities: Probabilities) -> Self:
        """Those of a trained model that stays alone."""
        return cls({}, {NEUMF: 1.0}, probabilities)


@dataclass(frozen=True)
class Whole:
    """What is exported.

    Attributes:
      model: the trained model with the towers as further factors of its GMF tower; without the trained part, where that
        has no weight. Users' rows are of all that they did but for the test, the trained ones moved accordingly.
      served_users: the user table that is served, float32 [users, width], of all that they did; None: the model's own.
      folding: how users whom it never saw get a row.
      learnt: what users did, with the interactions that the trained part was trained on.
      parts: what it is made of beside that.
      blend: how good these are; None where that was not measured, or the trained model is alone.
    """

    model: NeuMF
    served_users: Matrix | None
    folding: Folding
    learnt: Histories
    parts: Parts
    blend: Blend | None


def put_together(model: NeuMF, histories: Histories, parts: Parts, blend: Blend | None = None) -> Whole:
    """The model whose logits are the weighted sum, in the scale of the trained one's where that has a weight.

    Args:
      model: the trained model.
      histories: with the interactions that it was trained on.
      parts: the others.
      blend: goes with it.
    """
    if not parts.towers:
        return Whole(model, None, Folding(fold_trained(model, histories)), histories, parts, blend)
    own, towers = parts.weights[NEUMF], parts.towers
    scale = 1 / own if own else 1.0
    sizes = {name: np.float32(parts.weights[name] * scale) for name in towers}
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
        return Whole(whole, table_served, Folding(readings), histories, parts, blend)
    folded = fold_trained(model, histories)

    def table(pairs: Pairs) -> Matrix:
        rows = moved_rows(model, folded, histories, pairs)
        gmf, mlp = np.split(rows, [model.num_factors], axis=1)
        return np.concatenate([gmf, *users(pairs), mlp], axis=1)

    whole = model.widened(users(measured), items)
    whole.user_table.assign(table(measured))
    gmf, *mlp = folded
    return Whole(whole, table(served), Folding([gmf, *readings, *mlp]), histories, parts, blend)


def scores_of(model: NeuMF, sample: Sample) -> tuple[Scores, float]:
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

    compiled: Callable[[tf.Tensor, tf.Tensor], tf.Tensor] = tf.function(score, reduce_retracing=True, autograph=False)
    return compiled
