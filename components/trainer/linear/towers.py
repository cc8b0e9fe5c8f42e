"""The towers in closed form of a data set: of the candidates for each, the one that ranks best on validation."""

import functools
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse
from threadpoolctl import threadpool_limits

from components.artifacts.interactions import Pairs
from components.artifacts.model_run import PARTS
from components.shared import progress, random_streams
from components.trainer.linear.factors import Factors, history_factors, recent_factors
from components.trainer.linear.full_ranking import Sample, Scores
from components.trainer.linear.histories import Histories
from components.trainer.linear.weighing import Weighing, scaled
from components.trainer.settings import Settings

NEUMF, HISTORY, RECENT = PARTS

_DECAYS = (0.6, 0.8)  # weights of an item that came just before another one, beside that other one's

_BESIDE = (0.5, 1.0, 2.0)


@dataclass(frozen=True)
class Fitted:
    """A tower that was chosen, and how it scores the users of validation.

    Attributes:
      tower: the tower.
      scores: of all items for the sample, float32 [users, items], of standard deviation 1, -inf for what was seen.
      scale: what the tower's own scores were multiplied by for that.
    """

    tower: "Tower"
    scores: Scores
    scale: float


@dataclass(frozen=True)
class Tower:
    """A tower in closed form: its factors, and what it reads.

    Attributes:
      factors: of items.
      number: how many of a user's latest items it reads; None: all, whatever their order.
      decay: the weight of an item read, beside that of the one after it.
    """

    factors: Factors
    number: int | None = None
    decay: float = 1.0

    def read(self, histories: Histories, pairs: Pairs) -> scipy.sparse.csr_matrix:
        """What it reads of some interactions: how much each item counts for each user, float32 [users, items]."""
        if self.number is None:
            return histories.all_of(pairs)
        return histories.latest_of(pairs, self.number, self.decay)

    def scores(self, histories: Histories, users: npt.NDArray[np.int32]) -> Scores:
        """Scores of all items, float32 [users, items], by the training interactions."""
        read = self.read(histories, histories.train)
        scores: Scores = self.factors.users(read[users]) @ self.factors.scored.T
        return scores


def find_towers(histories: Histories, settings: Settings, sample: Sample, metric: str, seed: int) -> dict[str, Fitted]:
    """The towers that the settings ask for; of its candidates, each is the one that helps those before it most.

    Args:
      histories: what users did.
      settings: how wide they may be, and how many items the second one reads.
      sample: the users of validation.
      metric: what is compared.
      seed: of the run; starts the decompositions.

    Returns:
      The towers by the names of `PARTS`, in their order.
    """
    wanted = _candidates(histories, settings, random_streams.stream_key(seed, "decomposition"))
    towers: dict[str, Fitted] = {}
    with progress.bar("towers in closed form", len(wanted)) as bar:
        # Each decomposition has one thread of BLAS (see `decompose`): so side by side.
        with threadpool_limits(1, "blas"), ThreadPoolExecutor() as pool:
            found = dict(zip(wanted, pool.map(lambda decomposed: decomposed(), wanted.values()), strict=True))
        for name, candidates in found.items():
            before = next((fitted.scores for fitted in towers.values()), None)
            fitted = (_fit(tower, histories, sample) for tower in candidates)
            towers[name] = max(fitted, key=functools.partial(_value, before=before, sample=sample, metric=metric))
            bar.advance()
    return towers


def _candidates(histories: Histories, settings: Settings, seed: int) -> Mapping[str, Callable[[], Iterator[Tower]]]:
    towers: dict[str, Callable[[], Iterator[Tower]]] = {}
    if settings.history_factors:
        towers[HISTORY] = functools.partial(_history_towers, histories, settings.history_factors, seed)
    if settings.recent_items:
        towers[RECENT] = functools.partial(_recent_towers, histories, settings, seed)
    return towers


def _history_towers(histories: Histories, width: int, seed: int) -> Iterator[Tower]:
    return map(Tower, history_factors(histories.seen, width, seed))


def _recent_towers(histories: Histories, settings: Settings, seed: int) -> Iterator[Tower]:
    found = recent_factors(histories.train, histories.items, settings.recent_factors, seed)
    return (Tower(factors, settings.recent_items, decay) for factors in found for decay in _DECAYS)


def _fit(tower: Tower, histories: Histories, sample: Sample) -> Fitted:
    scores, scale = scaled(tower.scores(histories, sample.users))
    return Fitted(tower, sample.without_seen(scores), scale)


def _value(fitted: Fitted, before: Scores | None, sample: Sample, metric: str) -> float:
    """The metric on validation of a tower by itself, or together with the one before it, at its best weight."""
    if before is None:
        return Weighing(sample, {RECENT: fitted.scores}, metric).value({RECENT: 1.0})
    both = Weighing(sample, {HISTORY: before, RECENT: fitted.scores}, metric)
    return max(both.value({HISTORY: 1.0, RECENT: weight}) for weight in _BESIDE)
