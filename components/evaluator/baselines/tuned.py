"""Baselines whose settings are chosen on the validation items, unless the configuration gives them."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

from components.evaluator.baselines.base import AUTO, Baseline, Training
from components.evaluator.baselines.rehearsal import Rehearsal
from components.evaluator.baselines.search import Point, ascend
from components.shared.progress import Bar, Reporter


class TunedBaseline(Baseline):
    """A baseline some of whose keys may be `auto`.

    Attributes:
      grid: by key, the values that are tried, ascending; the keys in the order in which they are tried.
      usual: by key, the value that the search starts from, and that holds where nothing is held out for validation.
      most_tries: how many points of the grid are tried at most.
      most_users: how many users they are tried on at most; None leaves it to the number of interactions.
    """

    grid: ClassVar[Mapping[str, Sequence[float]]]
    usual: ClassVar[Mapping[str, float]]
    most_tries: ClassVar[int] = 12
    most_users: ClassVar[int | None] = None

    def tries(self) -> int:
        """See `Baseline`."""
        return self.most_tries if self._open() else 0

    def tuned(self, training: Training, bar: Bar) -> Self:
        """See `Baseline`."""
        start = {name: self.usual[name] for name in self._open()}
        if not start:
            return self
        best = self._search(start, training, bar) if len(training.validation[0]) else start
        return self.model_copy(update=best)

    def value(self, name: str) -> float:
        """A setting; the usual one where none was given or chosen."""
        value = getattr(self, name)
        return self.usual[name] if value == AUTO else value

    def rehearsing(self) -> Self:
        """The baseline as it is fitted for a try: perhaps in less time."""
        return self

    def scaled(self, best: Point, share: float) -> Point:
        """The settings for all users, where these are the best on a share of them."""
        return best

    def _open(self) -> list[str]:
        return [name for name in self.grid if getattr(self, name) == AUTO]

    def _search(self, start: Point, training: Training, bar: Bar) -> Point:
        rehearsal = Rehearsal.of(training, self.most_users)
        left = self.most_tries

        def measure(point: Point) -> float:
            nonlocal left
            with Reporter().bar("", 0) as silent:
                fitted = self.rehearsing().model_copy(update=point).fit(rehearsal.training, silent)
            bar.advance()
            left -= 1
            return rehearsal.ndcg(fitted)

        best = ascend({name: self.grid[name] for name in start}, start, measure, self.most_tries)
        bar.advance(left)
        return self.scaled(best, rehearsal.training.users / training.users)
