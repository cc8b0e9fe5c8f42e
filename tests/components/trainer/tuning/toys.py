"""Trainings that are a formula, for what is told of a search whoever trains."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from components.trainer.tuning.workers import Done, Epochs, Event, Failed, Task

Formula = Callable[[Mapping[str, Any]], Sequence[float]]


class Clock:
    """Moves on by a minute at each look."""

    def __init__(self) -> None:
        self.minutes = 0

    def __call__(self) -> float:
        self.minutes += 1
        return 60.0 * self.minutes


class Crew:
    """One that trains by a formula from the configuration to the metric after each epoch; it may raise ValueError.

    After so many events it is interrupted, as by Ctrl-C.
    """

    def __init__(self, formula: Formula, events: int = 10_000):
        self._formula, self._events = formula, events
        self.given: list[Task] = []
        self._task: Task | None = None
        self._values: Sequence[float] = ()
        self._epochs = 0

    @property
    def idle(self) -> bool:
        return self._task is None

    @property
    def busy(self) -> bool:
        return self._task is not None

    def give(self, task: Task) -> None:
        self.given.append(task)
        self._task, self._epochs = task, 0

    def answer(self, number: int, go_on: bool) -> None:
        assert self._task is not None
        assert self._task.number == number
        if not go_on:
            self._values = self._values[: self._epochs]

    def events(self, timeout: float) -> Sequence[Event]:
        if not self._events:
            raise KeyboardInterrupt
        self._events -= 1
        return [self._event()]

    def _event(self) -> Event:
        task = self._task
        assert task is not None
        try:
            if not self._epochs:
                self._values = self._formula(task.config)
        except ValueError as error:
            self._task = None
            return Failed(task.number, str(error))
        if self._epochs == len(self._values):
            self._task = None
            return Done(task.number, self._values)
        self._epochs += 1
        return Epochs(task.number, self._values[: self._epochs])
