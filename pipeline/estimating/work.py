"""What a run has to do: what the configuration leaves to the data, and amounts that time, memory and disk grow with.

Amounts are counted in millions, operations in thousands of millions (GFLOP); each part of a run has one that is 1,
`fixed`, for what it takes however little there is to do.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self, TypeAlias

import numpy as np

from components.evaluator.baselines import Baseline, Training
from components.evaluator.baselines.als import AlternatingLeastSquares
from components.evaluator.baselines.base import AUTO
from components.evaluator.baselines.rehearsal import MOST_INTERACTIONS, MOST_SCORES
from components.negative_gen.config import BatchesConfig
from components.trainer.settings import Counts as TrainerCounts
from components.trainer.settings import Settings, settle, starts
from pipeline.config import Config
from pipeline.estimating.counts import Counts
from pipeline.estimating.towers import Towers

Amounts: TypeAlias = Mapping[str, float]
"""How much there is of what, by the name of a term."""

_PAIRS_AFTER_EPOCH = 1 << 24
_ROWS_AT_ONCE = 3 << 25  # of training, drawn ahead of the step (see docs/scale.md)
_MORE_ITEMS = 32  # as in components/ranking/compiled_scorer.py, which needs TensorFlow
_MILLION, _BILLION = 1e6, 1e9


@dataclass(frozen=True)
class Work:
    """What a run has to do.

    Attributes:
      config: of the run.
      counts: of the data.
    """

    config: Config
    counts: Counts

    @cached_property
    def batch_size(self) -> int:
        """Rows of a training batch."""
        trainer = self.config.trainer
        return BatchesConfig(batch_size=trainer.batch_size, epochs=trainer.epochs).batch_size_of(self.rows_per_epoch)

    @property
    def rows_per_epoch(self) -> int:
        """Positives and negatives."""
        return self.counts.train * (1 + self.config.negatives.num_negatives)

    @cached_property
    def settings(self) -> Settings:
        """Of the training, with a value in place of each `auto`."""
        return settle(self.config.trainer, self._trainer_counts)

    @property
    def _trainer_counts(self) -> TrainerCounts:
        counts = self.counts
        return TrainerCounts(
            counts.users, counts.items, counts.train, counts.in_order, self.batch_size, counts.validation
        )

    @property
    def towers(self) -> Towers:
        """Those in closed form."""
        return Towers(self.counts, self.settings)

    @property
    def fits_of_als(self) -> int:
        """How often training fits ALS: to try settings, beside the first tower, to start, and with validation items."""
        if not self.settings.starts_from_als:
            return 0
        if not self.counts.validation:
            return 1
        tried = len(starts(self.config.trainer, self._trainer_counts))
        return 2 + (tried if tried > 1 else 0) + self.towers.beside_als

    @property
    def files_gb(self) -> float:
        """What the training rows of all epochs take as files."""
        return self.config.negatives.gigabytes(
            self.counts.train, self.batch_size, self.config.trainer.epochs_of_examples
        )

    @property
    def ahead_gb(self) -> float:
        """What files that are written while training goes on take at once."""
        epochs, ahead = self.config.trainer.epochs_of_examples, self.config.negatives.epochs_ahead
        return self.files_gb / epochs * min(1 + ahead, epochs) if ahead else 0.0

    @property
    def streamed(self) -> bool:
        """Whether training draws its rows itself, or has them written by a process beside it."""
        return self.config.negatives.streams(self.files_gb)

    @property
    def width(self) -> int:
        """Rows of a user's evaluation record."""
        negatives = self.config.negatives
        given = self.counts.negatives if negatives.protocol == "ncf" else None
        return 1 + (given or negatives.num_eval_negatives)

    def records_of(self, users: int) -> int:
        """Rows of the evaluation records of a split where so many users have a held-out item."""
        return min(users, self.config.negatives.eval_users or users) * self.width

    @property
    def records(self) -> int:
        """Rows of all evaluation records."""
        return self.records_of(self.counts.validation) + self.records_of(self.counts.test)

    @property
    def scored_for_records(self) -> int:
        """Pairs that are scored for the test's evaluation records: all items, unless these are many more."""
        records = self.records_of(self.counts.test)
        return records // self.width * self.counts.items if self.counts.items <= _MORE_ITEMS * self.width else records

    @property
    def epochs(self) -> range:
        """How often training goes through all rows: at least, and at most."""
        trainer = self.config.trainer
        patience = trainer.early_stopping_patience if self.counts.validation else None
        least = min(trainer.epochs, patience or trainer.epochs)
        of_towers = 2 * trainer.epochs_of_towers
        return range(least + min(of_towers, 2 * (patience or of_towers)), trainer.epochs + of_towers + 1)

    @property
    def ranked_users(self) -> int:
        """Test users for whom all items are ranked."""
        return min(self.counts.test, self.config.evaluator.full_ranking_users or self.counts.test)

    @cached_property
    def baselines(self) -> dict[str, Baseline]:
        """Those that are measured beside the model."""
        asked = self.config.evaluator.baselines()
        return {name: baseline for name, baseline in asked.items() if name not in self.left_out}

    @cached_property
    def left_out(self) -> dict[str, str]:
        """Those that the data is too large for, or has no times for, and why."""
        reasons = {name: kind.obstacle(self._training) for name, kind in self.config.evaluator.baselines().items()}
        return {name: reason for name, reason in reasons.items() if reason}

    @property
    def _training(self) -> Training:
        nothing = np.zeros(0, np.int32), np.zeros(0, np.int32)
        items = np.broadcast_to(np.int64(0), (self.counts.items,))
        return Training(self.counts.users, items, lambda: nothing, lambda: nothing, self.counts.in_order, seed=0)

    def parameters(self, factors: int) -> int:
        """Floats of the embeddings of all users and items, where the GMF tower has so many factors."""
        layers = self.settings.layers
        return (self.counts.users + self.counts.items) * (factors + (layers[0] // 2 if layers else 0))


def amounts(work: Work) -> dict[str, Amounts]:
    """The amounts of each part of a run."""
    counts = work.counts
    own = work.settings.num_factors
    whole = own + sum(work.towers.widths.values())
    systems = 1 + len(work.baselines)
    scored = work.ranked_users * counts.items + work.scored_for_records
    return {
        "Preprocess": {
            "fixed": 1,
            "rows": counts.rows / _MILLION,
            "generated": counts.rows / _MILLION if counts.generated else 0,
            "ids": (counts.users + counts.items) / _MILLION,
        },
        "NegativeGen": {
            "fixed": 1,
            "records": work.records / _MILLION,
            "written": 0 if work.streamed else work.files_gb * 1000 / 9,
            "train": counts.train / _MILLION,
        },
        "drawing": {
            "fixed": 1,
            "drawn": work.rows_per_epoch / _MILLION,
            "at_once": min(work.rows_per_epoch, _ROWS_AT_ONCE) / _MILLION,
            "train": counts.train / _MILLION,
        },
        "Trainer": {
            "fixed": 1,
            "decomposed_gflop": work.towers.decomposed / _BILLION,
            "scored_gflop": work.towers.scored / _BILLION,
            "ranked": work.towers.ranked / _MILLION,
            "als_gflop": _als_of_trainer(work),
            "pairs": work.towers.pairs / _MILLION if counts.validation else 0,
            "parameters": work.parameters(whole) / _MILLION,
            "train": counts.train / _MILLION,
        },
        "epoch": {
            "fixed": 1,
            "drawn": work.rows_per_epoch / _MILLION,
            "gflop": (3 * work.rows_per_epoch + min(counts.pairs, _PAIRS_AFTER_EPOCH)) * pair_gflop(work, own),
        },
        "Evaluator": {
            "fixed": 1,
            "gflop": scored * pair_gflop(work, whole),
            "scores": scored * systems / _MILLION,
            "train": counts.train / _MILLION,
            "parameters": work.parameters(whole) / _MILLION,
            "ease_cells": min(counts.users, counts.items) ** 2 / _MILLION if "ease" in work.baselines else 0,
        },
        **{name: _OF_BASELINES.get(name, _of_rows)(work) for name in work.baselines},
        "Pusher": {"fixed": 1, "parameters": work.parameters(whole) / _MILLION, "train": counts.train / _MILLION},
    }


def pair_gflop(work: Work, factors: int) -> float:
    """What a pair takes; see `flops_of_pair`."""
    return flops_of_pair(factors, work.settings.layers) / _BILLION


def flops_of_pair(factors: int, layers: Sequence[int]) -> int:
    """Floating-point operations to score a pair, once its user and its item have been through the first layer.

    A multiply-add counts as two. Counted are the layers after the first, the element-wise product and the head.

    Args:
      factors: width of the GMF tower.
      layers: widths of the MLP tower.

    Example:
      >>> flops_of_pair(8, (64, 32, 16, 8))
      1312
    """
    products = sum(a * b for a, b in itertools.pairwise(layers[1:]))
    return 2 * (products + (layers[-1] if layers else 0) + factors)


@dataclass(frozen=True)
class _Part:
    """The training interactions of some users."""

    users: float
    train: float

    @classmethod
    def rehearsed(cls, counts: Counts) -> Self:
        """What baselines try their settings on."""
        share = min(1.0, MOST_INTERACTIONS / counts.train)
        return cls(counts.users * share, counts.train * share)


def _als(part: _Part, items: int, factors: int, iterations: int) -> float:
    """GFLOP of ALS by conjugate gradients: each iteration looks at all interactions from both sides."""
    rows = part.users + items
    return 8 * iterations * (2 * part.train * factors + rows * factors**2) / _BILLION


def _als_of_trainer(work: Work) -> float:
    settings, counts = work.settings, work.counts
    whole = _Part(counts.users, counts.train)
    return work.fits_of_als * _als(whole, counts.items, settings.num_factors, settings.als_iterations)


def _of_rows(work: Work) -> Amounts:
    return {"fixed": 1, "train": work.counts.train / _MILLION}


def _of_als(work: Work) -> Amounts:
    baseline = work.baselines["als"]
    assert isinstance(baseline, AlternatingLeastSquares)
    factors, iterations = baseline.als_factors, baseline.als_iterations
    width = int(max(baseline.grid["als_factors"]) if factors == AUTO else factors)
    tries, counts = baseline.tries(), work.counts
    tried = tries * _als(_Part.rehearsed(counts), counts.items, width, baseline.rehearsing().als_iterations)
    fitted = _als(_Part(counts.users, counts.train), counts.items, width, iterations)
    return {"fixed": 1, "als_gflop": tried + fitted, "scores": _rehearsed_scores(work, tries)}


def _of_ease(work: Work) -> Amounts:
    tries, part = work.baselines["ease"].tries(), _Part.rehearsed(work.counts)
    order, tried = (min(users, work.counts.items) for users in (work.counts.users, min(part.users, 3000)))
    gflop = 2 * (order**3 + tries * tried**3) / _BILLION
    return {"fixed": 1, "gflop": gflop, "scores": _rehearsed_scores(work, tries)}


def _of_neighbours(work: Work) -> Amounts:
    tries, part = work.baselines["item_knn"].tries(), _Part.rehearsed(work.counts)
    of_each = work.counts.train / work.counts.users
    shared = (tries * part.train + work.counts.train) * of_each
    return {"fixed": 1, "shared": shared / _MILLION, "scores": _rehearsed_scores(work, tries)}


def _of_recent(work: Work) -> Amounts:
    return {**_of_rows(work), "scores": _rehearsed_scores(work, work.baselines["recent_items"].tries())}


def _rehearsed_scores(work: Work, tries: int) -> float:
    users = _Part.rehearsed(work.counts).users
    return tries * min(users * work.counts.items, MOST_SCORES) / _MILLION


_OF_BASELINES: dict[str, Callable[[Work], Amounts]] = {
    "als": _of_als,
    "ease": _of_ease,
    "item_knn": _of_neighbours,
    "recent_items": _of_recent,
}
