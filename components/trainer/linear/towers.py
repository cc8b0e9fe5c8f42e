"""The towers in closed form of a data set: of the candidates for each, the one that ranks best on validation."""

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt
import scipy.sparse
from threadpoolctl import threadpool_limits

from components.artifacts.interactions import Pairs
from components.artifacts.model_run import PARTS, K
from components.metrics.by_user import by_user, names
from components.shared import progress, random_streams
from components.trainer.linear.decomposition import Matrix
from components.trainer.linear.factors import HISTORY_FORMS, Factors, history_factors, recent_factors
from components.trainer.linear.full_ranking import Ranks, Sample, Scores
from components.trainer.linear.histories import Histories
from components.trainer.linear.start import scores_of_start
from components.trainer.linear.weighing import deviation, scaled
from components.trainer.settings import MOST_WITH_TRIED_STARTS, Settings

NEUMF, HISTORY, RECENT = PARTS

_Found = TypeVar("_Found")
_Values = npt.NDArray[np.float64]

_DECAYS = (0.6, 0.8)  # weights of an item that came just before another one, beside that other one's

_BESIDE = (0.5, 1.0, 2.0)
_USERS_FOR_DEVIATION = 256


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

    def cut(self, rank: int) -> "Tower":
        """The same of fewer factors, those of the largest singular values."""
        return replace(self, factors=self.factors.cut(rank))

    def again(self, histories: Histories, seed: int) -> "Tower":
        """The same, of the same form and width, found in other training interactions.

        Args:
          histories: with these.
          seed: of the run; starts the decomposition.
        """
        known, key = self.factors, _decomposition(seed)
        if self.number is None:
            (make,) = history_factors(histories.seen, known.width, key, [known.form])
            return replace(self, factors=make())
        (factors,) = recent_factors(histories.train, histories.items, known.width, key, [known.form])
        return replace(self, factors=factors)

    def users(self, histories: Histories, users: npt.NDArray[np.int32]) -> Matrix:
        """The vectors of some users by the training interactions, float32 [users, width]."""
        return self.factors.users(self.read(histories, histories.train)[users])


_Series: TypeAlias = Sequence[Callable[[], Tower]]
"""Candidates in the order of their damping, made when they are asked for."""


@dataclass(frozen=True)
class _Judged:
    """A candidate, and the metric of each user of validation by each of its ranks."""

    tower: Tower
    of_ranks: Mapping[int, _Values]

    @property
    def worth(self) -> float:
        """The metric at the best rank."""
        return max(float(values.mean()) for values in self.of_ranks.values())


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
    wanted = _candidates(histories, settings, _decomposition(seed))
    towers: dict[str, Fitted] = {}
    with progress.bar("towers in closed form", len(wanted)) as bar:
        found = _side_by_side(wanted)
        for name, candidates in found.items():
            befores = [fitted.scores for fitted in towers.values()] or _before_all(histories, settings, sample, seed)
            towers[name] = _fit(_best(candidates, befores, histories, sample, metric), histories, sample)
            bar.advance()
    return towers


def _before_all(histories: Histories, settings: Settings, sample: Sample, seed: int) -> list[Scores | None]:
    """What the first tower may stand beside: nothing, or the start from ALS, where that is found soon."""
    if settings.pretraining != "als" or len(histories.train.users) > MOST_WITH_TRIED_STARTS:
        return [None]
    return [None, scaled(scores_of_start(settings, histories, sample, seed))[0]]


def find_again(towers: Mapping[str, Tower], histories: Histories, seed: int) -> dict[str, Tower]:
    """Towers of the same forms and widths, found in other training interactions.

    Args:
      towers: by name.
      histories: with these.
      seed: of the run; starts the decompositions.
    """
    with progress.bar("towers, with validation items", len(towers)):
        return _side_by_side({name: functools.partial(tower.again, histories, seed) for name, tower in towers.items()})


def _side_by_side(wanted: Mapping[str, Callable[[], _Found]]) -> dict[str, _Found]:
    # Each decomposition has one thread of BLAS (see `decompose`).
    with threadpool_limits(1, "blas"), ThreadPoolExecutor() as pool:
        return dict(zip(wanted, pool.map(lambda decomposed: decomposed(), wanted.values()), strict=True))


def _decomposition(seed: int) -> int:
    return random_streams.stream_key(seed, "decomposition")


def _candidates(histories: Histories, settings: Settings, seed: int) -> Mapping[str, Callable[[], list[_Series]]]:
    towers: dict[str, Callable[[], list[_Series]]] = {}
    if settings.history_factors:
        towers[HISTORY] = functools.partial(_history_towers, histories, settings.history_factors, seed)
    if settings.recent_items:
        towers[RECENT] = functools.partial(_recent_towers, histories, settings, seed)
    return towers


def _history_towers(histories: Histories, width: int, seed: int) -> list[_Series]:
    makers = zip(HISTORY_FORMS, history_factors(histories.seen, width, seed), strict=True)
    of_powers = itertools.groupby(makers, key=lambda one: one[0].power)
    return [[functools.partial(_tower_of, make) for _, make in of_power] for _, of_power in of_powers]


def _tower_of(make: Callable[[], Factors]) -> Tower:
    return Tower(make())


def _recent_towers(histories: Histories, settings: Settings, seed: int) -> list[_Series]:
    found = recent_factors(histories.train, histories.items, settings.recent_factors, seed)
    read = functools.partial(Tower, number=settings.recent_items)
    return [[functools.partial(read, factors, decay=decay)] for factors in found for decay in _DECAYS]


def _best(
    candidates: Iterable[_Series], befores: Sequence[Scores | None], histories: Histories, sample: Sample, metric: str
) -> Tower:
    """The best of some towers, each beside what may be before it, at the widest of its ranks that are about as good.

    Which rank is best among a thousand users is luck, and a narrow one that was lucky may lose a tenth afterwards. So
    the widest is taken that falls behind by no more than a standard error.
    """

    def judge(make: Callable[[], Tower]) -> _Judged:
        tower = make()
        return _Judged(tower, _values_of_ranks(tower, befores, histories, sample, metric))

    found = max((_climb(series, judge) for series in candidates), key=lambda judged: judged.worth)
    best = max(found.of_ranks.values(), key=np.mean)
    return found.tower.cut(max(rank for rank, values in found.of_ranks.items() if _is_about_as_good(values, best)))


def _climb(series: _Series, judge: Callable[[Callable[[], Tower]], _Judged]) -> _Judged:
    """The best of candidates in the order of their damping: from the middle on, as long as they get better."""
    middle = len(series) // 2
    best = start = judge(series[middle])
    for way in (series[middle + 1 :], series[:middle][::-1]):
        for make in way:
            judged = judge(make)
            if judged.worth <= best.worth:
                break
            best = judged
        if best is not start:
            break
    return best


def _is_about_as_good(values: _Values, best: _Values) -> bool:
    behind = best - values
    return bool(behind.mean() <= behind.std() / len(behind) ** 0.5)


def _values_of_ranks(
    tower: Tower, befores: Sequence[Scores | None], histories: Histories, sample: Sample, metric: str
) -> dict[int, _Values]:
    """The metric of each user of validation by a tower of each of its ranks, whose scores are sums of the last one's.

    Args:
      tower: the tower.
      befores: what it may stand beside, of which the best counts; None: nothing.
      histories: what users did.
      sample: the users of validation.
      metric: what is compared.

    Returns:
      float64 [users] by rank.
    """
    users, scored = tower.users(histories, sample.users), tower.factors.scored
    ranks = halves(scored.shape[1])
    few = users[:: max(1, len(users) // _USERS_FOR_DEVIATION)]
    deviations = list(map(deviation, _growing(few, scored, ranks)))

    def block_of(block: slice) -> Ranks:
        of_ranks = []
        for scores, of_rank in zip(_growing(users[block], scored, ranks), deviations, strict=True):
            found = []
            for before in befores:
                if before is None:
                    alone = sample.without_seen(scores.copy(), block)
                    found.append(sample.ranks(block, alone, alone, [0.0]))
                else:
                    weights = [weight / of_rank for weight in _BESIDE]
                    found.append(sample.ranks(block, before[block], scores, weights))
            of_ranks.append(np.concatenate(found))
        return np.stack(of_ranks)

    by_rank = np.concatenate(sample.each_block(block_of), axis=2)
    column = names((K,)).index(metric)
    return {
        rank: max((by_user(of_weight, (K,))[:, column] for of_weight in of_rank), key=np.mean)
        for rank, of_rank in zip(ranks, by_rank, strict=True)
    }


def _growing(users: Matrix, items: Matrix, ranks: Sequence[int]) -> Iterator[Scores]:
    """Products of vectors of users and items, cut to each of some ascending ranks; each is gone with the next."""
    scores = np.zeros((len(users), len(items)), np.float32)
    for begin, end in itertools.pairwise([0, *ranks]):
        scores += users[:, begin:end] @ items[:, begin:end].T
        yield scores


def halves(rank: int, least: int = 32) -> list[int]:
    """A rank, half of it, and so on; ascending."""
    ranks = [rank]
    while ranks[0] >= 2 * least:
        ranks.insert(0, ranks[0] // 2)
    return ranks


def _fit(tower: Tower, histories: Histories, sample: Sample) -> Fitted:
    scores = sample.without_seen(tower.users(histories, sample.users) @ tower.factors.scored.T)
    return Fitted(tower, *scaled(scores))
