"""The search: gives trainings to workers, and ends when there are no more, or no more time."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from components.trainer.tuning.findings import Tried
from components.trainer.tuning.study import Study
from components.trainer.tuning.workers import Done, Epochs, Event, Failed, Task

_SECONDS_BETWEEN_LOOKS = 1.0
_FAILURES_IN_A_ROW = 5


class Crew(Protocol):
    """Who trains; see `Workers`."""

    @property
    def idle(self) -> bool:
        """Whether one of them has nothing to do."""

    @property
    def busy(self) -> bool:
        """Whether one of them is at work."""

    def give(self, task: Task) -> None:
        """Has an idle one do a training."""

    def answer(self, number: int, go_on: bool) -> None:
        """Tells the one that does this training whether to go on."""

    def events(self, timeout: float) -> Sequence[Event]:
        """What has happened, at the latest after so many seconds."""


class Watcher:
    """Sees nothing; the base of those that show a search."""

    def look(self) -> None:
        """Some time has passed."""

    def epoch(self, trial: Tried) -> None:
        """A trial has come to the end of an epoch."""

    def end(self, trial: Tried) -> None:
        """A trial has ended."""


@dataclass
class Limits:
    """How far a study goes, over all commands that go on with it.

    Attributes:
      trials: at most so many.
      seconds: at most so long.
      now: a clock.
    """

    trials: int
    seconds: float
    now: Callable[[], float] = time.monotonic
    _before: float = field(default=0.0, init=False)
    _start: float = field(init=False)

    def __post_init__(self) -> None:
        self._start = self.now()

    def go_on_from(self, seconds: float) -> None:
        """Counts the time of earlier commands too."""
        self._before = seconds

    @property
    def passed(self) -> float:
        """How many seconds have passed."""
        return self._before + self.now() - self._start

    @property
    def left(self) -> float:
        """How many seconds are left."""
        return max(0.0, self.seconds - self.passed)


def search(study: Study, crew: Crew, limits: Limits, watcher: Watcher) -> str:
    """Tries configurations until a limit is reached.

    Args:
      study: what to try.
      crew: who trains.
      limits: how far.
      watcher: sees what happens.

    Returns:
      Why it ended, in a few words.

    Raises:
      UserError: no training can be done at all.
    """
    try:
        return _search(_Search(study, crew, limits, watcher))
    finally:
        study.pass_time(limits.passed)


def _search(going: "_Search") -> str:
    study, crew, limits = going.study, going.crew, going.limits
    while limits.left:
        if len(going.failures) == _FAILURES_IN_A_ROW:
            return f"{_FAILURES_IN_A_ROW} trials in a row failed; the last one: {going.failures[-1]}"
        while crew.idle and (task := study.next(limits.trials, limits.passed)):
            crew.give(task)
        if not crew.busy:
            return "all trials were done"
        for event in crew.events(min(limits.left, _SECONDS_BETWEEN_LOOKS)):
            going.take(event)
        going.watcher.look()
    return "the time was up"


@dataclass
class _Search:
    """A search that is going on.

    Attributes:
      worth_it: of each trial, by its number, whether it was told to go on.
      failures: reasons of the trials that failed one after another.
    """

    study: Study
    crew: Crew
    limits: Limits
    watcher: Watcher
    worth_it: dict[int, bool] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def take(self, event: Event) -> None:
        """Deals with something that happened."""
        self.study.pass_time(self.limits.passed)
        match event:
            case Epochs(number, values):
                self.worth_it[number] = self.study.report(number, values)
                self.crew.answer(number, self.worth_it[number])
                self.watcher.epoch(self.study.tried(number))
                return
            case Done(number, values):
                self.study.report(number, values)
                self.study.end(number, self.worth_it.get(number, True), self.limits.passed)
                self.failures.clear()
            case Failed(number, reason):
                self.study.fail(number, reason, self.limits.passed)
                self.failures.append(reason)
        self.watcher.end(self.study.tried(event.number))
