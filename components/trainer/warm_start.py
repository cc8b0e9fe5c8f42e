"""Training that goes on from the champion, by raw id: what it found is taken over, and what is new is fitted to it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

import keras
import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ValidationError

from components.artifacts.vocabulary import Vocabulary
from components.serving.saved.probabilities import Probabilities
from components.serving.trained import Ids, Trained, as_written, read_newest_trained
from components.shared import progress
from components.shared.errors import UserError
from components.shared.json_types import JsonObject
from components.trainer.config import TrainerConfig
from components.trainer.linear import Continued, Histories, Parts, Whole
from components.trainer.linear.factors import Factors, Form
from components.trainer.linear.folding import fold_trained, grown_rows, moved_rows
from components.trainer.linear.towers import Tower
from components.trainer.model import NeuMF
from components.trainer.settings import Settings

_MOST_NEW = 0.1
"""Where more rows than this share of those that towers were found in came since, all is found anew."""

_USER_TABLE, _ITEM_TABLE, _LAYER, _LEARNT = "user_table", "item_table", "layer_", "learnt"
# What is trained does not depend on these, or little enough.
_FREE = {"device", "precision", "steps_per_call", "warm_start"}

Arrays: TypeAlias = Mapping[str, npt.NDArray[Any]]
Counts: TypeAlias = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Known:
    """Users or items that are known from before.

    Attributes:
      here: their indexes now, int64 [n].
      before: those that they had, int64 [n].
    """

    here: npt.NDArray[np.int64]
    before: npt.NDArray[np.int64]

    def among(self, number: int) -> npt.NDArray[np.bool_]:
        """Which of all of now they are, bool [number]."""
        among = np.zeros(number, np.bool_)
        among[self.here] = True
        return among

    def moved(self, vectors: npt.NDArray[Any], number: int) -> npt.NDArray[np.float32]:
        """Vectors by the indexes of now, float32 [number, width], of those by the ones before; zeros for new ones."""
        moved = np.zeros((number, vectors.shape[1]), np.float32)
        moved[self.here] = vectors[self.before]
        return moved


class _Tower(BaseModel):
    form: Form
    number: int | None
    decay: float
    rank: int


class _About(BaseModel):
    """What goes with the arrays.

    Attributes:
      config: of the training.
      found_in: the number of interactions in which the towers were found.
      towers: by name.
      weights: of the logits of each part.
      probabilities: what those of the whole stand for.
    """

    config: JsonObject
    found_in: int
    towers: dict[str, _Tower]
    weights: dict[str, float]
    probabilities: Probabilities


@dataclass(frozen=True)
class Champion:
    """A pushed model that the training goes on from.

    Attributes:
      version: its name.
      weights: of its trained part, by name, the tables with rows for users and items of now.
      parts: the others, as they were found, with vectors for the items of now.
      learnt: how many interactions of each user it learnt, int32 [users].
      found_in: the number of interactions in which its towers were found.
      interactions: how many there are now, but for the test's.
    """

    version: str
    weights: Arrays
    parts: Parts
    learnt: Counts
    found_in: int
    interactions: int

    @classmethod
    def find(
        cls, destination: str, vocabulary: Vocabulary, histories: Histories, config: TrainerConfig, settings: Settings
    ) -> Self | None:
        """The newest pushed model that carries what it was trained to, if this training can go on from that.

        Args:
          destination: where models are pushed to; empty: nowhere.
          vocabulary: the ids of now.
          histories: what users did.
          config: of this training.
          settings: the same, with a value in place of each `auto`.

        Raises:
          UserError: the push destination cannot be read; the data has no order, so that the champion may know what
            tests this model.
        """
        if not histories.in_order:
            raise UserError(
                "trainer.warm_start: champion needs data whose latest rows are held out; these have no times, or rows "
                "are held out at random, so that the champion may know what tests this model: set "
                "trainer.warm_start=none"
            )
        found = read_newest_trained(destination) if destination else None
        if found is None:
            return None
        version, trained = found
        try:
            about = _About.model_validate(trained.about)
            _check_suited(trained, about, config, settings)
            return cls._of(version.name, trained, about, vocabulary, histories)
        except _Unsuited as unsuited:
            reason = str(unsuited)
        except (ValidationError, KeyError):
            reason = "is of another release of this pipeline"
        progress.warn(f"version {version.name} {reason}: training starts anew")
        return None

    @property
    def new_share(self) -> float:
        """How much of the interactions of now it has not learnt."""
        return 1 - float(self.learnt.sum()) / self.interactions

    @property
    def outcome(self) -> str:
        """What a training goes on from, in a few words."""
        return (
            f"from version {self.version}, {self.new_share:.1%} of the interactions being new, and "
            f"{self.interactions / self.found_in - 1:.1%} since all was found anew"
        )

    @classmethod
    def _of(cls, version: str, trained: Trained, about: _About, vocabulary: Vocabulary, histories: Histories) -> Self:
        users, items = _shared(vocabulary.user_ids, trained.user_ids), _shared(vocabulary.item_ids, trained.item_ids)
        if not (len(users.here) and len(items.here)):
            raise _Unsuited("knows none of these users, or none of these items")
        learnt = np.zeros(histories.users, np.int32)
        learnt[users.here] = trained.arrays[_LEARNT][users.before]
        total = len(histories.complete.users)
        if (_of_users(histories) < learnt).any() or len(trained.user_ids) > len(users.here):
            raise _Unsuited("learnt rows that are not in the data")
        if total > (1 + _MOST_NEW) * about.found_in:
            raise _Unsuited(f"found what it is made of in {about.found_in:,} of {total:,} interactions")
        return cls(
            version,
            _weights_of_now(trained.arrays, users, items, histories, learnt),
            _parts(trained.arrays, about, items, histories.items),
            learnt,
            about.found_in,
            total,
        )

    def settings(self, settings: Settings) -> Settings:
        """Those of a training that goes on: nothing comes before it, and it is as short as little is new."""
        epochs = max(1, math.ceil(self.new_share * settings.epochs))
        return settings.model_copy(update={"pretraining": "none", "epochs": epochs})

    def continued(self, histories: Histories, settings: Settings, seed: int) -> Continued:
        """Its other parts, up to date; see `Continued.prepare`."""
        return Continued.prepare(histories, self.parts, self.learnt, settings, seed)

    def start(self, model: NeuMF) -> None:
        """Gives a model the weights."""
        for name, variable in _named(model).items():
            variable.assign(self.weights[name])


class _Unsuited(Exception):  # noqa: N818 (it is no error)
    """Why a training cannot go on from a champion."""


def _check_suited(trained: Trained, about: _About, config: TrainerConfig, settings: Settings) -> None:
    changed = _changed(about.config, config)
    if changed:
        raise _Unsuited(f"was trained with another {', '.join(f'trainer.{key}' for key in changed)}")
    width = settings.num_factors + (settings.layers[0] // 2 if settings.layers else 0)
    if trained.arrays[_USER_TABLE].shape[1] != width:
        raise _Unsuited("has another number of factors")


def to_hand_on(
    model: NeuMF, whole: Whole, vocabulary: Vocabulary, config: TrainerConfig, champion: Champion | None
) -> Trained:
    """What the next training needs of this one.

    Args:
      model: the trained one.
      whole: what is exported of it.
      vocabulary: the ids.
      config: of the training.
      champion: what it went on from; None: from nothing.
    """
    histories = whole.learnt
    parts = champion.parts if champion else whole.parts
    found_in = champion.found_in if champion else len(histories.complete.users)
    towers = {
        name: _Tower(form=tower.factors.form, number=tower.number, decay=tower.decay, rank=tower.factors.rank)
        for name, tower in parts.towers.items()
    }
    about = _About(
        config=_compared(config),
        found_in=found_in,
        towers=towers,
        weights=dict(parts.weights),
        probabilities=parts.probabilities,
    )
    arrays: dict[str, npt.NDArray[Any]] = {name: np.array(variable) for name, variable in _named(model).items()}
    arrays[_USER_TABLE] = moved_rows(model, fold_trained(model, histories), histories, histories.complete)
    arrays[_LEARNT] = _of_users(histories)
    for name, tower in parts.towers.items():
        vectors = {"read": tower.factors.read, "scored": tower.factors.scored, "values": tower.factors.values}
        arrays |= {f"{name}.{key}": array for key, array in vectors.items() if array is not None}
    return Trained(vocabulary.user_ids, vocabulary.item_ids, arrays, about.model_dump(mode="json"))


def _parts(arrays: Arrays, about: _About, known: Known, items: int) -> Parts:
    """The parts with vectors for so many items of now, those of new ones being zeros."""
    towers = {}
    for name, tower in about.towers.items():
        read, scored = (known.moved(arrays[f"{name}.{key}"], items) for key in ("read", "scored"))
        factors = Factors(read, scored, tower.form, arrays.get(f"{name}.values"), tower.rank)
        towers[name] = Tower(factors, tower.number, tower.decay)
    return Parts(towers, about.weights, about.probabilities)


def _weights_of_now(arrays: Arrays, users: Known, items: Known, histories: Histories, learnt: Counts) -> Arrays:
    """The weights with rows for the users and items of now, those of users being of what they did in training."""
    before, now = histories.all_of(histories.first(learnt)), histories.seen
    user_rows = users.moved(arrays[_USER_TABLE], histories.users)
    item_rows = items.moved(arrays[_ITEM_TABLE], histories.items)
    known = items.among(histories.items)
    new_rows = grown_rows(item_rows, known, before.T.tocsr(), now.T.tocsr(), user_rows)
    item_rows = np.where(known[:, np.newaxis], item_rows, new_rows)
    user_rows = grown_rows(user_rows, users.among(histories.users), before, now.maximum(before), item_rows)
    layers = {name: array for name, array in arrays.items() if name.startswith(_LAYER)}
    return layers | {_USER_TABLE: user_rows, _ITEM_TABLE: item_rows}


def _of_users(histories: Histories) -> Counts:
    """How many interactions each user has, but for the test's."""
    return np.bincount(histories.complete.users, minlength=histories.users).astype(np.int32)


def _compared(config: TrainerConfig) -> JsonObject:
    return config.model_dump(mode="json", exclude=_FREE)


def _changed(before: JsonObject, config: TrainerConfig) -> list[str]:
    """The keys in which a configuration differs from an earlier one."""
    now = _compared(config)
    return [key for key in (before | now) if before.get(key) != now.get(key)]


def _named(model: NeuMF) -> dict[str, keras.Variable]:
    """The model's variables: the tables by their names, the others by their places."""
    tables = (_USER_TABLE, _ITEM_TABLE)
    return {
        variable.name if variable.name in tables else f"{_LAYER}{place}": variable
        for place, variable in enumerate(model.variables)
    }


def _shared(own: Ids, others: Ids) -> Known:
    """Where the ids that both have, as they are written, stand in each."""
    own, others = as_written(own), as_written(others)
    if own.dtype.kind != others.dtype.kind:
        own, others = own.astype(np.str_), others.astype(np.str_)
    _, here, before = np.intersect1d(own, others, assume_unique=True, return_indices=True)
    return Known(here, before)
