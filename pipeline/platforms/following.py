"""Follows a run on a platform to its end."""

import time
from collections.abc import Callable

from components.shared.errors import UserError
from pipeline.platforms.base import Connection, Started

_GOOD, _BAD = ("SUCCEEDED", "SKIPPED"), ("FAILED", "CANCELED", "CANCELLED", "ERROR")


def follow(connection: Connection, started: Started, say: Callable[[str], None], seconds: float = 10.0) -> None:
    """Says what changes, until the run has ended.

    Args:
      connection: to the platform that runs it.
      started: the run.
      say: takes a line.
      seconds: between two looks.

    Raises:
      UserError: the run failed or was cancelled; or the platform cannot be reached any more, or refuses.
    """
    start = time.monotonic()
    known: dict[str, str] = {}
    while True:
        status = connection.status(started)
        for step, state in status.steps.items():
            if known.get(step) != state:
                known[step] = state
                say(f"{time.monotonic() - start:6.0f} s  {step:<12} {state.lower()}")
        if status.state in _GOOD:
            say(f"{time.monotonic() - start:6.0f} s  the run has {status.state.lower()}")
            return
        if status.state in _BAD:
            failed = ", ".join(step for step, state in status.steps.items() if state in _BAD)
            reason = f": {' '.join(status.error.split())}" if status.error else ""
            where = f" at {failed}" if failed else ""
            raise UserError(f"the run has {status.state.lower()}{where}{reason}; its logs are at {started.link}")
        time.sleep(seconds)
