"""All figures of the model and the baselines, from the ranks that they gave."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from components.evaluator import comparison, recommendations
from components.evaluator.config import EvaluatorConfig
from components.evaluator.ranking.ranks import FullRanking, SampledRanking
from components.evaluator.slices import Slicing
from components.metrics.by_user import summarise
from components.shared import random_streams


@dataclass(frozen=True)
class Rankings:
    """What one system made of the test users, in both ways."""

    sampled: SampledRanking
    full: FullRanking


def measure(
    rankings: Mapping[str, Rankings],
    slicings: Mapping[str, Slicing],
    item_counts: np.ndarray,
    config: EvaluatorConfig,
    seed: int,
) -> dict[str, Any]:
    """Measures each system by itself and beside the others.

    Args:
      rankings: by system: `model`, and the baselines on the same users.
      slicings: the ways to cut the sampled test records into quartiles.
      item_counts: training interactions of each item, integers [items].
      config: of the evaluator.
      seed: of the run.

    Returns:
      The parts of `metrics.json` with that: `test_users`, one for each system, `differences`, `slices` and
      `positive_among_negatives`.
    """
    ranks = {
        "sampled": {name: _sampled_ranks(found.sampled, config) for name, found in rankings.items()},
        "full": {name: found.full.ranks for name, found in rankings.items()},
    }
    intervals, differences = {}, {}
    for way, found in ranks.items():
        random = random_streams.generator(seed, f"bootstrap {way}")
        intervals[way], differences[way] = comparison.compare(
            found, config.ks, config.confidence, random, config.bootstrap_samples
        )
    sampled = rankings["model"].sampled
    return {
        "test_users": {way: len(found["model"]) for way, found in ranks.items()},
        **{
            name: {
                **_summarise(found, {way: ranks[way][name] for way in ranks}, item_counts, config),
                "intervals": {way: intervals[way][name] for way in ranks},
            }
            for name, found in rankings.items()
        },
        "differences": {name: {way: differences[way][name] for way in ranks} for name in rankings if name != "model"},
        "slices": {
            way: comparison.summarise_slices(slicing, sampled.users, sampled.items, ranks["sampled"], config.gate_k)
            for way, slicing in slicings.items()
        },
        "positive_among_negatives": _summarise_copies(rankings, config),
    }


def _sampled_ranks(ranking: SampledRanking, config: EvaluatorConfig) -> np.ndarray:
    return ranking.ranks + ranking.copies if config.count_positive_among_negatives else ranking.ranks


def _summarise(
    rankings: Rankings, ranks: Mapping[str, np.ndarray], item_counts: np.ndarray, config: EvaluatorConfig
) -> dict[str, Any]:
    summaries = {way: summarise(found, config.ks) for way, found in ranks.items()}
    values = [value for summary in summaries.values() for value in summary.values()]
    scores_not_finite = rankings.sampled.not_finite + rankings.full.not_finite
    return {
        **summaries,
        "not_finite": scores_not_finite + int((~np.isfinite(values)).sum()),
        "coverage": recommendations.coverage(rankings.full.top, len(item_counts)),
        "recommended_popularity": recommendations.recommended_popularity(rankings.full.top, item_counts),
    }


def _summarise_copies(rankings: Mapping[str, Rankings], config: EvaluatorConfig) -> dict[str, Any]:
    """The effect on the model at the top, and on each baseline under its name."""
    effects = {
        name: comparison.summarise_copies(found.sampled.ranks, found.sampled.copies, config.gate_k)
        for name, found in rankings.items()
    }
    return {
        "users": int((rankings["model"].sampled.copies > 0).sum()),
        "counted_in_metrics": config.count_positive_among_negatives,
        **effects.pop("model"),
        **effects,
    }
