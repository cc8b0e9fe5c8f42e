"""Puts the systems, the model and its baselines, side by side on the same users."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from components.artifacts.evaluation import MODEL, Bounds, CopiesEffect, Difference, Quartile, Rival
from components.evaluator.bootstrap import intervals, resampled_means
from components.evaluator.slices import Slicing
from components.metrics.by_user import by_user, means, names, summarise

_DECIMALS = 12


@dataclass(frozen=True)
class Resampled:
    """Systems measured on the same users, and on the same resamples of them.

    Attributes:
      metrics: names of the columns, such as HR@10.
      values: by system, float64 [users, metrics].
      resampled: by system, the means of each resample, float64 [samples, metrics].
    """

    metrics: Sequence[str]
    values: Mapping[str, npt.NDArray[np.float64]]
    resampled: Mapping[str, npt.NDArray[np.float64]]

    @classmethod
    def of(
        cls,
        ranks: Mapping[str, npt.NDArray[np.int64]],
        ks: Sequence[int],
        random: np.random.Generator,
        samples: int,
        rivals: npt.NDArray[np.int64] | None = None,
    ) -> "Resampled":
        """Measures and resamples.

        Args:
          ranks: by system: int64 [users], the same users in the same order.
          ks: lengths of the recommended list.
          random: draws the resamples.
          samples: how many of them.
          rivals: int64 [users], as in `by_user`.
        """
        values = {name: by_user(found, ks, rivals) for name, found in ranks.items()}
        drawn = resampled_means(np.concatenate(list(values.values()), axis=1), random, samples)
        return cls(names(ks), values, dict(zip(values, np.split(drawn, len(values), axis=1), strict=True)))

    def bounds(self, confidence: float) -> dict[str, dict[str, Bounds]]:
        """The two-sided interval of each mean, by system and metric."""
        return {
            name: {
                metric: Bounds(found.low, found.high)
                for metric, found in zip(self.metrics, intervals(values, self.resampled[name], confidence), strict=True)
            }
            for name, values in self.values.items()
        }

    def ratio_bounds(self, name: str, others: "Resampled", other: str, confidence: float) -> dict[str, Bounds]:
        """The two-sided interval of a system's mean as a multiple of another's on other users, by metric.

        A resample in which the other's mean is 0 has no ratio, and does not count.

        Args:
          name: the system.
          others: measured on the other users, by the same metrics and in as many resamples.
          other: the system there.
          confidence: share of the ratios that lie in the interval.
        """
        of, by = self.resampled[name], others.resampled[other]
        ratios = np.divide(of, by, out=np.full_like(of, np.nan), where=by > 0)
        found = intervals(self.values[name], ratios, confidence)
        return {metric: Bounds(ratio.low, ratio.high) for metric, ratio in zip(self.metrics, found, strict=True)}

    def differences(self, confidence: float) -> dict[str, dict[str, Difference]]:
        """What the model is ahead of each other system, with its two-sided interval, by system and metric."""
        return {name: self._ahead(name, confidence) for name in self.values if name != MODEL}

    def _ahead(self, name: str, confidence: float) -> dict[str, Difference]:
        values, resampled = (found[MODEL] - found[name] for found in (self.values, self.resampled))
        # Means of equal columns may differ in the last bits, as the CPU sums them: equal systems differ by nothing.
        found = intervals(values, np.round(resampled, _DECIMALS), confidence)
        return {metric: Difference(*ahead) for metric, ahead in zip(self.metrics, found, strict=True)}

    def best_rivals(self, metrics: Collection[str], titles: Mapping[str, str], confidence: float) -> dict[str, Rival]:
        """By metric, the best system beside the model; the first one of several, none where there is no other.

        Args:
          metrics: those that are asked for.
          titles: the systems' names in a sentence.
          confidence: of each one-sided bound of the difference.
        """
        # The bounds of the two-sided interval of confidence 2c - 1 are the one-sided bounds of confidence c.
        differences = self.differences(2 * confidence - 1)
        found = {name: dict(zip(self.metrics, means(self.values[name]).tolist(), strict=True)) for name in differences}
        best = {metric: _best(found, metric) for metric in metrics if found}
        return {
            metric: Rival(name, titles[name], found[name][metric], differences[name][metric])
            for metric, name in best.items()
        }


def _best(means: Mapping[str, Mapping[str, float]], metric: str) -> str:
    return max(means, key=lambda name: means[name][metric])


def summarise_slices(
    slicing: Slicing,
    users: npt.NDArray[np.int32],
    items: npt.NDArray[np.int32],
    ranks: Mapping[str, npt.NDArray[np.int64]],
    rivals: npt.NDArray[np.int64],
    k: int,
) -> tuple[Quartile, ...]:
    """The metrics of each system in each quartile.

    Args:
      slicing: how the records are cut.
      users: int32 [n].
      items: int32 [n], the held-out items.
      ranks: by system, int64 [n].
      rivals: int64 [n], as in `by_user`.
      k: length of the recommended list.
    """
    return tuple(
        Quartile(
            name=part.name,
            low=part.low,
            high=part.high,
            users=int(members.sum()),
            metrics={name: summarise(found[members], (k,), rivals[members]) for name, found in ranks.items()},
        )
        for part, members in slicing.members(users, items)
    )


def summarise_copies(
    ranks: npt.NDArray[np.int64], copies: npt.NDArray[np.int64], rivals: npt.NDArray[np.int64], k: int
) -> CopiesEffect:
    """What it changes when a held-out item that is listed among its own negatives counts as a rival there.

    Args:
      ranks: int64 [users], where such copies do not count.
      copies: int64 [users], the number of copies.
      rivals: int64 [users], as in `by_user`, where copies do not count.
      k: length of the recommended list.
    """
    dropped, counted = summarise(ranks, (k,), rivals), summarise(ranks + copies, (k,), rivals + copies)
    return CopiesEffect(dropped, counted, {name: counted[name] - dropped[name] for name in dropped})
