"""Imports that take seconds."""

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def lasting_imports() -> Iterator[None]:
    """Imports inside it are faster, and so is all that follows, to the process' exit.

    TensorFlow, TFX and Beam make more than a million objects that live as long as the process does. Python's garbage
    collector would walk them again and again while they come (a quarter of the time), at each of its full rounds, and
    once more at the end (4 s). Here it rests, and leaves them alone afterwards.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
