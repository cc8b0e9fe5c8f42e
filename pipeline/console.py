"""What a run shows: one line a step, a bar on long work, a table at the end; the frameworks' noise goes to a file."""

import contextlib
import datetime
import io
import logging
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TextIO

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from components.shared import stopping
from components.shared.errors import UserError, find_user_error
from components.shared.files.secrets import QuietFormatter, without_secrets
from components.shared.harmless import harmless
from components.shared.imports import lasting_imports
from components.shared.progress import Bar, Reporter

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_NAME_WIDTH = 12
_LONGEST_NOTE = 4_000
_INTERRUPTED = "interrupted; run the same command again to go on"
_ESCAPED = "backslashreplace"  # of half a character, which an argument of the command line may hold


class StepReporter(Reporter):
    """Shows the steps of a run on a console."""

    def __init__(self, console: Console):
        self._console = console
        self._step = ""
        self._note = ""
        self._warnings: list[str] = []
        self._started = 0.0

    def begin(self, step: str) -> None:
        """A step begins."""
        self._step, self._note, self._warnings, self._started = step, "", [], time.monotonic()
        if self._console.is_terminal:
            self._console.print(f"[dim]{step:<{_NAME_WIDTH}} …[/dim]", end="\r")

    def end(self, cached: bool) -> None:
        """The step that began last has ended well."""
        took = "cached" if cached else f"{time.monotonic() - self._started:.1f} s"
        warnings = [f"[yellow]warning: {escape(warning)}[/yellow]" for warning in self._warnings]
        self._line("[green]✓[/green]", took, "; ".join(filter(None, [self._note, *warnings])))

    def fail(self) -> None:
        """The step that began last has failed."""
        self._line("[red]✗[/red]", f"{time.monotonic() - self._started:.1f} s", "[red]failed[/red]")

    def say(self, text: str) -> None:
        """Something that is of no step."""
        self._console.print(escape(text), style="yellow", highlight=False, soft_wrap=True)

    def note(self, text: str) -> None:
        self._note = harmless(text, _LONGEST_NOTE)

    def warn(self, text: str) -> None:
        self._warnings.append(harmless(text, _LONGEST_NOTE))

    @contextlib.contextmanager
    def bar(self, title: str, total: int) -> Iterator[Bar]:
        progress = Progress(
            TextColumn(f"{self._step:<{_NAME_WIDTH}}"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("[dim]{task.fields[words]}[/dim]"),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        with progress:
            yield _RichBar(progress, progress.add_task(title, total=total, words=""))

    def _line(self, mark: str, took: str, note: str) -> None:
        self._console.print(f"{self._step:<{_NAME_WIDTH}} {mark} {took:>8}  {note}", highlight=False, soft_wrap=True)


class Warnings(Reporter):
    """Shows what asks for a look, and nothing else, as commands do that have no steps."""

    def __init__(self, console: Console):
        self._console = console

    def warn(self, text: str) -> None:
        self._console.print(f"[yellow]warning: {escape(text)}[/yellow]", highlight=False, soft_wrap=True)


class _RichBar:
    def __init__(self, progress: Progress, task: TaskID):
        self._progress, self._task = progress, task

    def advance(self, steps: int = 1) -> None:
        self._progress.advance(self._task, steps)

    def describe(self, text: str) -> None:
        self._progress.update(self._task, words=text)


@contextlib.contextmanager
def for_reading(log: Path | None = None) -> Iterator[Console]:
    """A console that shows what is meant to be read, and nothing else; an error ends the process with one line.

    Args:
      log: the file for the frameworks' noise; None: a temporary one, which stays only where it tells of a fault of the
        program.
    """
    path = log or Path(tempfile.gettempdir()) / f"neumf-{os.getpid()}.log"
    error: BaseException | None = None
    with _stopping_aloud(), noise_to_file(path) as screen:
        try:
            # A file or a pipe has no width of its own: lines are then as long as they need to be.
            yield Console(file=screen, highlight=False, emoji=False, width=None if screen.isatty() else 160)
        except (Exception, KeyboardInterrupt) as raised:
            logging.getLogger(__name__).exception("it failed")
            error = raised
    if log is None and (error is None or not _is_fault_of_program(error)):
        path.unlink()
    if error is not None:
        leave(error, path)


@contextlib.contextmanager
def loading(console: Console, what: str) -> Iterator[None]:
    """Says that something is being imported that takes seconds."""
    with console.status(f"loading {what}"), lasting_imports():
        yield


def log_file(root: Path) -> Path:
    """A new file below a run's root for the frameworks' noise.

    Raises:
      UserError: the root cannot be written.
    """
    log = root / "logs" / f"{datetime.datetime.now():%Y%m%d-%H%M%S}.log"
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.touch()
    except OSError as error:
        raise UserError(f"--root {root}: cannot write there: {error.strerror}; choose another --root") from None
    return log


def leave(error: BaseException, log: Path | None = None) -> NoReturn:
    """Ends the process with one line that says what went wrong."""
    number = stopping.asked() or (signal.SIGINT if isinstance(error, KeyboardInterrupt) else None)
    if number is not None:
        click.echo(_INTERRUPTED, err=True)
        stopping.end_children()
        sys.exit(128 + number)
    if user_error := find_user_error(error):
        click.echo(f"error: {harmless(without_secrets(str(user_error)), _LONGEST_NOTE)}", err=True)
        sys.exit(2)
    last = (str(error).strip() or type(error).__name__).splitlines()[-1]
    click.echo(f"internal error: {without_secrets(last)}\nThe traceback is in {log}", err=True)
    sys.exit(1)


def _is_fault_of_program(error: BaseException) -> bool:
    interrupted = stopping.asked() is not None or isinstance(error, KeyboardInterrupt)
    return not interrupted and find_user_error(error) is None


@contextlib.contextmanager
def _stopping_aloud() -> Iterator[None]:
    """Heeds Ctrl-C and SIGTERM; where the work does not end in time, the process does, with the line of `leave`."""
    with (
        os.fdopen(os.dup(2), "w", encoding="utf-8") as terminal,
        stopping.heeded(lambda number: print(_INTERRUPTED, file=terminal, flush=True)),
    ):
        yield


@contextlib.contextmanager
def noise_to_file(path: Path) -> Iterator[TextIO]:
    """Sends all that Python and native libraries write to standard output and error into a file.

    Yields:
      The real standard output, for what is meant to be read.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    saved = [os.dup(1), os.dup(2)]
    with (
        io.TextIOWrapper(io.BufferedWriter(_Noise(path, "a")), "utf-8", _ESCAPED, line_buffering=True) as log,
        os.fdopen(os.dup(1), "w", encoding="utf-8", errors=_ESCAPED) as screen,
        contextlib.redirect_stdout(log),
        contextlib.redirect_stderr(log),
        _logging_to(log),
    ):
        # The descriptors as well as Python's streams: TensorFlow's C++ and worker processes write to them.
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        try:
            yield screen
        finally:
            for number, descriptor in zip((1, 2), saved, strict=True):
                os.dup2(descriptor, number)
                os.close(descriptor)


class _Noise(io.FileIO):
    """A log that stops nobody: what a full disk does not take is left out."""

    def write(self, data: "ReadableBuffer") -> int:
        try:
            return super().write(data)
        except OSError:
            return memoryview(data).nbytes


@contextlib.contextmanager
def _logging_to(log: TextIO) -> Iterator[None]:
    handler = logging.StreamHandler(log)
    handler.setFormatter(QuietFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
