"""`python -m pipeline.service.scoring FOLDER VERSION NAME DESCRIPTOR`: answers frames until the other side leaves."""

import collections
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any

from components.shared.errors import UserError
from components.shared.imports import lasting_imports
from pipeline.service.scoring.frames import OPENING, Frame, Inbox

_NICE = 5  # a third of the time that others get; with 19, there is none at all on a machine that is busy


def main(folder: str, version: str, name: str, descriptor: str) -> None:
    """Loads a version of the model and answers."""
    # Whoever stops the service, by Ctrl-C or for all of its processes, stops the other process, which then leaves.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    with socket.socket(fileno=int(descriptor)) as channel:
        _behind_the_others(_import)
        from pipeline.service.scoring.answers import Answers

        try:
            answers = Answers(folder, version, name)
        except UserError as error:
            channel.sendall(Frame(OPENING, 422, json.dumps({"error": str(error)}).encode()).encoded())
            return
        channel.sendall(Frame(OPENING, 200, json.dumps(answers.about).encode()).encoded())
        inbox, waiting = Inbox(channel), collections.deque[Any]()
        while True:
            try:
                frames = inbox.receive(wait=not waiting)
            except EOFError:
                return
            waiting.extend((frame.number, json.loads(frame.body)) for frame in frames)
            for answer in answers.to_next(waiting):
                channel.sendall(answer.encoded())


def _import() -> None:
    with lasting_imports():
        import pipeline.service.scoring.answers  # noqa: F401


def _behind_the_others(function: Callable[[], None]) -> None:
    """Calls a function that takes seconds in a thread that mostly gives way to the others of the machine.

    The version before goes on answering meanwhile. Whatever the thread starts gives way likewise, so that only what
    starts no threads to stay belongs here.
    """

    def work() -> None:
        here = os.PRIO_PROCESS, threading.get_native_id()
        os.setpriority(*here, os.getpriority(*here) + _NICE)  # at most 19, by the system
        function()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
