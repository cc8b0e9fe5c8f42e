"""Processes that this one starts with `multiprocessing`, and what becomes of them."""

import multiprocessing
import os
import signal
import threading


def end_with_parent() -> None:
    """Ends this process, from now on, with the one that started it: whoever takes its work up again must be alone."""
    threading.Thread(target=_end_with_parent, daemon=True).start()


def last_words(code: int) -> str:
    """Why a process ended, by its exit code; one below 0 is that of a signal.

    Example:
      >>> last_words(3)
      'its process ended with exit code 3'
    """
    if code == -signal.SIGKILL:
        return "its process was killed, as it is where memory runs out"
    return f"its process ended with {f'signal {-code}' if code < 0 else f'exit code {code}'}"


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
