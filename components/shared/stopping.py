"""Being asked to stop: Ctrl-C (SIGINT), or SIGTERM, as Kubernetes sends it before it kills.

Both raise KeyboardInterrupt in the main thread. Which of them it was is remembered here, because Beam makes a text of
an exception on its way. A part of the work that is worth its end may postpone SIGTERM; the process ends in time anyway.
"""

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

GRACE_SECONDS = 20.0
"""How long a process that was asked to stop may take."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_asked: signal.Signals | None = None
_postponements = 0


def asked() -> signal.Signals | None:
    """The signal that asked this process to stop; None where none did."""
    return _asked


@contextlib.contextmanager
def heeded(too_late: Callable[[signal.Signals], object], grace: float = GRACE_SECONDS) -> Iterator[None]:
    """Heeds the signals, for as long as it lasts; only the main thread can.

    Args:
      too_late: called in a thread of its own before the process is ended, where it has not ended by itself in time.
      grace: that time, in seconds.
    """
    global _asked

    def stop(number: int, frame: FrameType | None) -> None:
        global _asked
        again, _asked = _asked is not None, signal.Signals(number)
        if again:
            _end(_asked, too_late)
        timer = threading.Timer(grace, _end, (_asked, too_late))
        timer.daemon = True
        timer.start()
        if number == signal.SIGINT or not _postponements:
            raise KeyboardInterrupt

    _asked = None
    former = {number: signal.signal(number, stop) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def postponed() -> Iterator[None]:
    """Has SIGTERM wait for the end of this part of the work, and stops then."""
    global _postponements
    _postponements += 1
    try:
        yield
    finally:
        _postponements -= 1
    heed()


def heed() -> None:
    """Stops between two parts of the work, where the exception was lost on its way, as in a finalizer or a callback.

    Raises:
      KeyboardInterrupt: this process was asked to stop.
    """
    if _asked is not None:
        raise KeyboardInterrupt


def end_children() -> None:
    """Ends the processes that this one started, such as Beam's workers."""
    for child in _children(os.getpid()):
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)


def _children(process: int) -> Iterator[int]:
    """The processes that one started, and those that they started, the last ones first."""
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{process}/task"):
            with open(f"/proc/{process}/task/{thread}/children", encoding="ascii") as file:
                for child in map(int, file.read().split()):
                    yield from _children(child)
                    yield child


def _end(number: signal.Signals, too_late: Callable[[signal.Signals], object]) -> None:
    try:
        too_late(number)
        end_children()
    finally:
        os._exit(128 + number)
