"""Puts the systems, the model and its baselines, side by side on the same users."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from components.evaluator.bootstrap import intervals, resampled_means
from components.evaluator.slices import Slicing
from components.metrics.by_user import by_user, names, summarise


def compare(
    ranks: Mapping[str, np.ndarray], ks: Sequence[int], confidence: float, random: np.random.Generator, samples: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Confidence intervals of each system's metrics, and of what the model is ahead of each other system.

    Args:
      ranks: by system, `model` among them: integers [users], the same users in the same order.
      ks: lengths of the recommended list.
      confidence: of the intervals.
      random: draws the resamples.
      samples: how many of them.

    Returns:
      By system {"HR@1": [low, high], ...}, and by system other than the model {"HR@1": {mean, low, high}, ...}.
    """
    values = {name: by_user(found, ks) for name, found in ranks.items()}
    drawn = resampled_means(np.concatenate(list(values.values()), axis=1), random, samples)
    resampled = dict(zip(values, np.split(drawn, len(values), axis=1), strict=True))
    of_columns = names(ks)
    of_systems = {
        name: {
            metric: [found.low, found.high]
            for metric, found in zip(of_columns, intervals(values[name], resampled[name], confidence), strict=True)
        }
        for name in values
    }
    differences = {}
    for name in values:
        if name != "model":
            ahead = intervals(values["model"] - values[name], resampled["model"] - resampled[name], confidence)
            differences[name] = {metric: found._asdict() for metric, found in zip(of_columns, ahead, strict=True)}
    return of_systems, differences


def summarise_slices(
    slicing: Slicing, users: np.ndarray, items: np.ndarray, ranks: Mapping[str, np.ndarray], k: int
) -> list[dict[str, Any]]:
    """The metrics of each system in each quartile.

    Args:
      slicing: how the records are cut.
      users: integers [n].
      items: integers [n], the held-out items.
      ranks: by system, integers [n].
      k: length of the recommended list.
    """
    return [
        {
            "name": part.name,
            "low": part.low,
            "high": part.high,
            "users": int(members.sum()),
            "metrics": {name: summarise(found[members], (k,)) for name, found in ranks.items()},
        }
        for part, members in slicing.members(users, items)
    ]


def summarise_copies(ranks: np.ndarray, copies: np.ndarray, k: int) -> dict[str, Any]:
    """What it changes when a held-out item that is listed among its own negatives counts as a rival there.

    Args:
      ranks: integers [users], where such copies do not count.
      copies: integers [users], the number of copies.
      k: length of the recommended list.
    """
    dropped, counted = (summarise(found, (k,)) for found in (ranks, ranks + copies))
    difference = {name: counted[name] - dropped[name] for name in dropped}
    return {"dropped": dropped, "counted": counted, "difference": difference}
