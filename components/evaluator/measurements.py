"""All figures of the model and the baselines, from the ranks that they gave."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from components.artifacts.evaluation import (
    MODEL,
    Bounds,
    ByWay,
    Copies,
    Difference,
    Means,
    Quartile,
    Rival,
    System,
    Way,
)
from components.evaluator import comparison, recommendations
from components.evaluator.comparison import Resampled
from components.evaluator.config import EvaluatorConfig
from components.evaluator.slices import Slicing
from components.metrics import METRICS
from components.metrics.by_user import names, summarise
from components.ranking.ranks import FullRanking, SampledRanking
from components.shared import random_streams

Ranks = Mapping[str, npt.NDArray[np.int64]]
"""By system, int64 [users], the same users in the same order."""


@dataclass(frozen=True)
class Contender:
    """A system, and what it made of the test users.

    Attributes:
      title: its name in a sentence.
      label: its name where there is little room.
      sampled: its ranking of the sampled candidates.
      full: its ranking of all unseen items.
      fit_seconds: how long it took to fit, the choice of its settings included; None for the model.
      chosen: the settings that were chosen on validation, by their keys.
    """

    title: str
    label: str
    sampled: SampledRanking
    full: FullRanking
    fit_seconds: float | None = None
    chosen: dict[str, int | float] = field(default_factory=dict)


@dataclass(frozen=True)
class Measured:
    """The parts of the evaluation that come from ranks; see `Evaluation`."""

    test_users: ByWay[int]
    short_users: ByWay[dict[int, int]]
    systems: dict[str, System]
    differences: dict[str, ByWay[dict[str, Difference]]]
    best_baselines: ByWay[dict[str, Rival]]
    slices: dict[str, tuple[Quartile, ...]]
    positive_among_negatives: Copies

    def users_of(self, way: Way, k: int) -> tuple[int, int]:
        """How many test users there are, and how many of them have no metrics at k."""
        return self.test_users.of(way), self.short_users.of(way).get(k, 0)


def measure(
    contenders: Mapping[str, Contender],
    slicings: Mapping[str, Slicing],
    item_counts: npt.NDArray[np.int64],
    config: EvaluatorConfig,
    seed: int,
) -> Measured:
    """Measures each system by itself and beside the others.

    Args:
      contenders: the model, and the baselines on the same users, by name.
      slicings: the ways to cut the sampled test records into quartiles.
      item_counts: training interactions of each item, int64 [items].
      config: what to measure.
      seed: the seed of the run, which resamples are drawn from.
    """
    ranks: ByWay[Ranks] = ByWay(
        sampled={name: _sampled_ranks(found.sampled, config) for name, found in contenders.items()},
        full={name: found.full.ranks for name, found in contenders.items()},
    )
    model = contenders[MODEL]
    rivals = ByWay(_sampled_rivals(model.sampled, config), model.full.rivals)
    resampled = ByWay(
        _resample(ranks.sampled, rivals.sampled, config, seed, "sampled"),
        _resample(ranks.full, rivals.full, config, seed, "full"),
    )
    bounds = ByWay(resampled.sampled.bounds(config.confidence), resampled.full.bounds(config.confidence))
    ahead = ByWay(resampled.sampled.differences(config.confidence), resampled.full.differences(config.confidence))
    sampled = model.sampled
    return Measured(
        test_users=ByWay(len(ranks.sampled[MODEL]), len(ranks.full[MODEL])),
        short_users=ByWay(_short_users(rivals.sampled, config), _short_users(rivals.full, config)),
        systems={
            name: _summarise(
                found,
                rivals,
                ByWay(ranks.sampled[name], ranks.full[name]),
                ByWay(bounds.sampled[name], bounds.full[name]),
                item_counts,
                config,
            )
            for name, found in contenders.items()
        },
        differences={name: ByWay(ahead.sampled[name], ahead.full[name]) for name in ahead.full},
        best_baselines=ByWay(
            _best_baselines(resampled.sampled, contenders, config), _best_baselines(resampled.full, contenders, config)
        ),
        slices={
            way: comparison.summarise_slices(
                slicing, sampled.users, sampled.items, ranks.sampled, rivals.sampled, config.gate_k
            )
            for way, slicing in slicings.items()
        },
        positive_among_negatives=_summarise_copies(contenders, config),
    )


def _sampled_ranks(ranking: SampledRanking, config: EvaluatorConfig) -> npt.NDArray[np.int64]:
    return ranking.ranks + ranking.copies if config.count_positive_among_negatives else ranking.ranks


def _sampled_rivals(ranking: SampledRanking, config: EvaluatorConfig) -> npt.NDArray[np.int64]:
    return ranking.rivals + ranking.copies if config.count_positive_among_negatives else ranking.rivals


def _short_users(rivals: npt.NDArray[np.int64], config: EvaluatorConfig) -> dict[int, int]:
    short = {k: int((rivals < k).sum()) for k in config.ks}
    return {k: users for k, users in short.items() if users}


def _resample(ranks: Ranks, rivals: npt.NDArray[np.int64], config: EvaluatorConfig, seed: int, way: Way) -> Resampled:
    random = random_streams.generator(seed, f"bootstrap {way}")
    return Resampled.of(ranks, config.ks, random, config.bootstrap_samples, rivals)


def _best_baselines(
    resampled: Resampled, contenders: Mapping[str, Contender], config: EvaluatorConfig
) -> dict[str, Rival]:
    titles = {name: found.title for name, found in contenders.items()}
    metrics = [f"{name}@{config.gate_k}" for name in METRICS]
    return resampled.best_rivals(metrics, titles, config.champion_confidence)


def _summarise(
    contender: Contender,
    rivals: ByWay[npt.NDArray[np.int64]],
    ranks: ByWay[npt.NDArray[np.int64]],
    intervals: ByWay[dict[str, Bounds]],
    item_counts: npt.NDArray[np.int64],
    config: EvaluatorConfig,
) -> System:
    sampled = summarise(ranks.sampled, config.ks, rivals.sampled)
    full = summarise(ranks.full, config.ks, rivals.full)
    metrics_not_finite = _not_finite(sampled, rivals.sampled, config) + _not_finite(full, rivals.full, config)
    return System(
        sampled=sampled,
        full=full,
        title=contender.title,
        label=contender.label,
        not_finite=contender.sampled.not_finite + contender.full.not_finite + metrics_not_finite,
        coverage=recommendations.coverage(contender.full.top, len(item_counts)),
        recommended_popularity=recommendations.recommended_popularity(contender.full.top, item_counts),
        intervals=intervals,
        fit_seconds=contender.fit_seconds,
        chosen=contender.chosen,
    )


def _not_finite(means: Means, rivals: npt.NDArray[np.int64], config: EvaluatorConfig) -> int:
    """How many of the metrics that some user has are not finite."""
    given = names([k for k in config.ks if (rivals >= k).any()]) if len(rivals) else list(means)
    return sum(not math.isfinite(means[name]) for name in given)


def _summarise_copies(contenders: Mapping[str, Contender], config: EvaluatorConfig) -> Copies:
    rivals = contenders[MODEL].sampled.rivals
    return Copies(
        users=int((contenders[MODEL].sampled.copies > 0).sum()),
        counted_in_metrics=config.count_positive_among_negatives,
        systems={
            name: comparison.summarise_copies(found.sampled.ranks, found.sampled.copies, rivals, config.gate_k)
            for name, found in contenders.items()
        },
    )
