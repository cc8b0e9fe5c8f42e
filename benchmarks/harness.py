"""How the benchmarks measure and report."""

import importlib
import json
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.machine import cpu
from components.artifacts import evaluation
from components.artifacts.evaluation import Evaluation
from components.artifacts.model_run import History
from pipeline.config import load_config

_LAST_WORDS = 1000


@dataclass(frozen=True)
class Result:
    """One figure. `bar` is what it must reach: at least `bar`, or at most where `at_most` is set."""

    name: str
    value: float
    unit: str
    bar: float | None = None
    at_most: bool = False

    @property
    def ok(self) -> bool | None:
        """Whether the bar is reached; None where there is none."""
        if self.bar is None:
            return None
        return self.value <= self.bar if self.at_most else self.value >= self.bar


@dataclass(frozen=True)
class Measurement:
    """What one function took in a process of its own.

    Attributes:
      seconds: by the clock.
      cpu_seconds: of all threads.
      peak_memory_gb: of the process, imports included.
      grown_gb: that peak without what the process had in memory before the call.
      value: what the function returned.
    """

    seconds: float
    cpu_seconds: float
    peak_memory_gb: float
    grown_gb: float
    value: Any

    @property
    def undisturbed_seconds(self) -> float:
        """What it takes at most where nothing else is at work: by the clock, or all that its threads worked."""
        return min(self.seconds, self.cpu_seconds)


def measure(function: Callable[..., Any], *arguments: Any, prepare: Callable[[], Any] | None = None) -> Measurement:
    """Runs a module-level function in a fresh process and measures it; what frameworks write to stderr is not shown.

    Args:
      function: what is measured; its value must be small and picklable.
      *arguments: of the function.
      prepare: called first, unmeasured: imports and compilation.

    Returns:
      Seconds of the call, and the process's peak resident memory in GB (10^9 bytes).

    Raises:
      RuntimeError: the process died; with what it wrote last.
    """
    context = multiprocessing.get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    with tempfile.NamedTemporaryFile() as errors:
        process = context.Process(target=_run, args=(sending, errors.name, function, arguments, prepare))
        process.start()
        sending.close()
        try:
            outcome = receiving.recv()
        except EOFError:
            last = Path(errors.name).read_text(errors="replace")[-_LAST_WORDS:]
            outcome = RuntimeError(f"{function.__qualname__} died: {last.strip() or 'without a word'}")
        process.join()
    if isinstance(outcome, BaseException):
        raise outcome
    return Measurement(*outcome)


def _run(
    connection: Connection, errors: str, function: Callable[..., Any], arguments: tuple[Any, ...], prepare: Any
) -> None:
    # The descriptor, not Python's stream alone: TensorFlow's C++ writes to it.
    os.dup2(os.open(errors, os.O_WRONLY | os.O_APPEND), sys.stderr.fileno())
    try:
        if prepare is not None:
            prepare()
        before, start, cpu = _resident_gb(), time.perf_counter(), time.process_time()
        value = function(*arguments)
        seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu
        # ru_maxrss counts KiB on Linux.
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
        connection.send((seconds, cpu_seconds, peak, peak - before, value))
    except BaseException as error:
        connection.send(error)


def _resident_gb() -> float:
    """What the process has in memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e9


def run_pipeline(root: Path, *options: str) -> None:
    """Runs `python -m pipeline run` with `root`, as a user does; what it prints is shown.

    Raises:
      subprocess.CalledProcessError: it ended with an error.
    """
    subprocess.run([sys.executable, "-m", "pipeline", "run", "--root", str(root), *options], check=True)


@dataclass(frozen=True)
class Run:
    """A run of the pipeline: its evaluation, its training, and how many seconds all of it took."""

    evaluation: Evaluation
    history: History
    seconds: float


def evaluated_run(config: str, assignments: Sequence[str], root: Path | None = None) -> Run:
    """Runs the pipeline, and reads what it found.

    Where the configuration names a folder of data that is not there, that of the same name in ../shared/data is taken.

    Args:
      config: path of the configuration.
      assignments: what to set on top of it, as SECTION.KEY=VALUE.
      root: an empty folder, or none yet; None: one that is there no longer than the run.
    """
    path = load_config(config, assignments).dataset.model_dump()["path"]
    shared = Path("../shared/data", Path(path or "").name)
    if path and not Path(path).exists() and shared.exists():
        assignments = [*assignments, f"dataset.path={shared}"]
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        root = root or Path(folder)
        start = time.perf_counter()
        settings = [word for assignment in assignments for word in ("--set", assignment)]
        run_pipeline(root, "--config", config, *settings)
        seconds = time.perf_counter() - start
        found = evaluation_of(root)
        history = History.read(str(next(root.glob("artifacts/Trainer/model_run/*"))))
    assert history is not None
    return Run(found, history, seconds)


def evaluation_of(root: Path) -> Evaluation:
    """The evaluation of the only run in a root."""
    return evaluation.read(str(next(root.glob("artifacts/Evaluator/evaluation/*"))))


def load(name: str) -> Any:
    """Imports `benchmarks.NAME`."""
    return importlib.import_module(f"benchmarks.{name}")


def _figure(value: float) -> str:
    return f"{value:,.4g}" if value < 1e4 else f"{value:,.0f}"


def report(title: str, results: list[Result], json_path: Path | None) -> None:
    """Prints the results as a table, with the CPU that they were measured on, and writes them as JSON."""
    machine = cpu()
    table = Table(title=title, title_justify="left", caption=str(machine), caption_justify="left")
    for column, justify in (("figure", "left"), ("value", "right"), ("unit", "left"), ("bar", "right"), ("", "left")):
        table.add_column(column, justify=justify)  # type: ignore[arg-type]
    for result in results:
        bar = "" if result.bar is None else f"{'≤' if result.at_most else '≥'} {result.bar:g}"
        verdict = {None: "", True: "ok", False: "MISSED"}[result.ok]
        table.add_row(
            result.name,
            _figure(result.value),
            result.unit,
            bar,
            verdict,
        )
    Console(file=sys.stdout, width=None if sys.stdout.isatty() else 120).print(table)
    if json_path is not None:
        rows = [{**asdict(result), "ok": result.ok} for result in results]
        json_path.write_text(json.dumps({"cpu": asdict(machine), "results": rows}, indent=2) + "\n")
