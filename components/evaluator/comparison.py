"""Puts the systems, the model and its baselines, side by side on the same users."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from components.artifacts.evaluation import MODEL, Bounds, CopiesEffect, Difference, Quartile
from components.evaluator.bootstrap import intervals, resampled_means
from components.evaluator.slices import Slicing
from components.metrics.by_user import by_user, names, summarise


def compare(
    ranks: Mapping[str, npt.NDArray[np.int64]],
    ks: Sequence[int],
    confidence: float,
    random: np.random.Generator,
    samples: int,
) -> tuple[dict[str, dict[str, Bounds]], dict[str, dict[str, Difference]]]:
    """Confidence intervals of each system's metrics, and of what the model is ahead of each other system.

    Args:
      ranks: by system, the model among them: int64 [users], the same users in the same order.
      ks: lengths of the recommended list.
      confidence: of the intervals.
      random: draws the resamples.
      samples: how many of them.

    Returns:
      By system and metric the interval, and by system other than the model and metric what the model is ahead.
    """
    values = {name: by_user(found, ks) for name, found in ranks.items()}
    drawn = resampled_means(np.concatenate(list(values.values()), axis=1), random, samples)
    resampled = dict(zip(values, np.split(drawn, len(values), axis=1), strict=True))
    of_columns = names(ks)
    of_systems = {
        name: {
            metric: Bounds(found.low, found.high)
            for metric, found in zip(of_columns, intervals(values[name], resampled[name], confidence), strict=True)
        }
        for name in values
    }
    differences = {}
    for name in values:
        if name != MODEL:
            ahead = intervals(values[MODEL] - values[name], resampled[MODEL] - resampled[name], confidence)
            differences[name] = {metric: Difference(*found) for metric, found in zip(of_columns, ahead, strict=True)}
    return of_systems, differences


def summarise_slices(
    slicing: Slicing,
    users: npt.NDArray[np.int32],
    items: npt.NDArray[np.int32],
    ranks: Mapping[str, npt.NDArray[np.int64]],
    k: int,
) -> tuple[Quartile, ...]:
    """The metrics of each system in each quartile.

    Args:
      slicing: how the records are cut.
      users: int32 [n].
      items: int32 [n], the held-out items.
      ranks: by system, int64 [n].
      k: length of the recommended list.
    """
    return tuple(
        Quartile(
            name=part.name,
            low=part.low,
            high=part.high,
            users=int(members.sum()),
            metrics={name: summarise(found[members], (k,)) for name, found in ranks.items()},
        )
        for part, members in slicing.members(users, items)
    )


def summarise_copies(ranks: npt.NDArray[np.int64], copies: npt.NDArray[np.int64], k: int) -> CopiesEffect:
    """What it changes when a held-out item that is listed among its own negatives counts as a rival there.

    Args:
      ranks: int64 [users], where such copies do not count.
      copies: int64 [users], the number of copies.
      k: length of the recommended list.
    """
    dropped, counted = (summarise(found, (k,)) for found in (ranks, ranks + copies))
    return CopiesEffect(dropped, counted, {name: counted[name] - dropped[name] for name in dropped})
