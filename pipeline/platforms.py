"""What every platform that runs pipelines can do: start a run, and say how far it is."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from components.shared.errors import UserError

GOOD, BAD = ("SUCCEEDED", "SKIPPED"), ("FAILED", "CANCELED", "CANCELLED", "ERROR")


@dataclass(frozen=True)
class Run:
    """A run to be started.

    Attributes:
      name: of the run.
      pipeline: name of the pipeline.
      text: the compiled pipeline, YAML.
      values: of all parameters.
    """

    name: str
    pipeline: str
    text: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Started:
    """A run that was started.

    Attributes:
      id: the platform's own for it.
      link: to its page.
    """

    id: str
    link: str


@dataclass(frozen=True)
class Status:
    """How far a run is.

    Attributes:
      state: of the run, in the platform's words without their prefix: PENDING, RUNNING, SUCCEEDED, FAILED, ...
      steps: the state of each step that has one, likewise.
      error: what the platform says of a failure; empty where it says nothing.
    """

    state: str
    steps: Mapping[str, str]
    error: str = ""


class Platform(Protocol):
    """Where pipelines run. All methods raise `UserError` where it cannot be reached, or refuses."""

    def start(self, run: Run) -> Started:
        """Starts a run."""

    def status(self, started: Started) -> Status:
        """How far a run is."""


def follow(platform: Platform, started: Started, say: Callable[[str], None], seconds: float = 10.0) -> None:
    """Says what changes, until the run has ended.

    Args:
      platform: that runs it.
      started: the run.
      say: takes a line.
      seconds: between two looks.

    Raises:
      UserError: the run failed or was cancelled; or the platform cannot be reached any more, or refuses.
    """
    start = time.monotonic()
    known: dict[str, str] = {}
    while True:
        status = platform.status(started)
        for step, state in status.steps.items():
            if known.get(step) != state:
                known[step] = state
                say(f"{time.monotonic() - start:6.0f} s  {step:<12} {state.lower()}")
        if status.state in GOOD:
            say(f"{time.monotonic() - start:6.0f} s  the run has {status.state.lower()}")
            return
        if status.state in BAD:
            failed = ", ".join(step for step, state in status.steps.items() if state in BAD)
            reason = f": {' '.join(status.error.split())}" if status.error else ""
            where = f" at {failed}" if failed else ""
            raise UserError(f"the run has {status.state.lower()}{where}{reason}; its logs are at {started.link}")
        time.sleep(seconds)
