"""`python -m pipeline`."""

import atexit
import contextlib
import os
import signal
import sys
import threading


def program() -> None:
    """The command line, for a process that is nothing else: it ends here.

    While it is being imported, Ctrl-C ends it as it ends any other program, without a traceback.
    """
    former = signal.getsignal(signal.SIGINT)
    if former is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from pipeline.cli import main

    signal.signal(signal.SIGINT, former)
    try:
        main(prog_name="python -m pipeline" if sys.argv[0].endswith("__main__.py") else None)
    except SystemExit as ended:
        _leave(ended.code if isinstance(ended.code, int) else int(ended.code is not None))


def _leave(status: int) -> None:
    """Ends as the interpreter does, up to where the libraries in C++ take themselves apart.

    Once in some sixty runs one of them aborts there, with "terminate called without an active exception", after all is
    done and said.
    """
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)


if __name__ == "__main__":  # processes that are started by this one import it
    program()
