"""What a study has found, as plain data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any


class State(StrEnum):
    """How a trial ended."""

    COMPLETE = "complete"
    STOPPED = "stopped early"
    FAILED = "failed"
    CUT_OFF = "cut off"


@dataclass(frozen=True)
class Tried:
    """A trial.

    Attributes:
      number: from 0, which is the configuration as it is.
      changes: the values that it took in place of the configuration's own, by key.
      state: how it ended; one that had not ended when the study did is cut off.
      values: the metric on validation after each epoch.
      reason: why it failed.
      begun: when it began, in seconds of the study.
      ended: when it ended; None where it has not.
    """

    number: int
    changes: Mapping[str, Any]
    state: State
    values: Sequence[float] = ()
    reason: str = ""
    begun: float = 0.0
    ended: float | None = None

    @property
    def best(self) -> float | None:
        """The metric at the best epoch, which a run of the configuration takes; None where there was no epoch."""
        return max(self.values, default=None)

    @property
    def best_epoch(self) -> int:
        """The number of that epoch, from 1: the earliest, as the Trainer chooses."""
        return self.values.index(max(self.values)) + 1

    @property
    def seconds(self) -> float | None:
        """How long it took; None where it has not ended."""
        return None if self.ended is None else self.ended - self.begun


@dataclass(frozen=True)
class Findings:
    """All trials of a study.

    Attributes:
      metric: the one that chooses, such as NDCG@10.
      trials: in the order of their numbers; the first is the configuration as it is.
      importance: of each key, its share in telling the best trials from the others; empty for too few trials.
      seconds: how long the study took, over all commands that went on with it.
      ended: why it did.
    """

    metric: str
    trials: Sequence[Tried]
    importance: Mapping[str, float]
    seconds: float
    ended: str

    @cached_property
    def winner(self) -> Tried | None:
        """The trial with the best metric, the earliest of equals; None where no trial came to the end of an epoch."""
        return best_of(self.trials)

    @property
    def own(self) -> Tried:
        """The trial of the configuration as it is."""
        return self.trials[0]

    @property
    def gain(self) -> float | None:
        """By which share the winner is above the configuration as it is; None where that has no metric, or zero."""
        if self.winner is None or self.winner.best is None or not self.own.best:
            return None
        return self.winner.best / self.own.best - 1

    def count(self, state: State) -> int:
        """How many trials ended so."""
        return sum(trial.state == state for trial in self.trials)


def best_of(trials: Sequence[Tried]) -> Tried | None:
    """The trial with the best metric, the earliest of equals; None where none has one."""
    measured = [trial for trial in trials if trial.best is not None]
    return max(measured, key=lambda trial: (trial.best, -trial.number), default=None)
