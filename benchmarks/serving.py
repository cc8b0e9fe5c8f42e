"""The service under load: one user a request, ten items each, at a steady rate, while new versions are pushed.

The model is a SavedModel of the default model's widths on the data's shape, with random weights. The service runs as
`python -m pipeline serve` does; the client, on the same machine, sends each request when it is due, whether those
before have been answered or not, and counts from then on: a service that stands still is late for all that wait.
With --kills it is killed (SIGKILL) under that load and started again at once; what fails between a kill and the first
answer after it is counted as unanswered, any other failure and any wrong answer as an error.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from http import HTTPStatus

import aiohttp
import click
import numpy as np
import numpy.typing as npt

from benchmarks.harness import Result, measure
from benchmarks.neumf import SHAPES, Shape
from benchmarks.ranking import import_quietly
from components.shared.errors import UserError
from components.shared.random_streams import generator

_K = 10
_CONNECTIONS = 64
_LAYERS = (64, 32, 16, 8)
_FOLLOWS = 0.5
_START_SECONDS = 180
_WARM_UP_SECONDS = 2.0


@dataclass(frozen=True)
class _Load:
    """What is asked of a shape, and how well it is to be answered.

    Attributes:
      factors: width of the GMF tower with all that is added to it by default.
      rate: requests a second.
      most_ms: that 99 of 100 requests may take.
    """

    factors: int
    rate: float
    most_ms: float


_LOADS = {"ml-1m": _Load(64 + 512 + 512, 300, 10), "ml-20m": _Load(32 + 128 + 256, 50, 60)}


@dataclass(frozen=True)
class _Answers:
    """What became of the requests.

    Attributes:
      seconds: of each that was answered, from when it was due.
      unanswered: how many failed while the service was away.
      errors: how many failed otherwise.
    """

    seconds: npt.NDArray[np.float64]
    unanswered: int
    errors: int


@dataclass(frozen=True)
class _Measured:
    """The answers, the seconds of it all and away, and the memory of the service in bytes at the start and the end."""

    answers: _Answers
    took: float
    away: list[float]
    reloads: int
    memory: tuple[int, int]


@click.command(help=__doc__)
@click.option("--shape", type=click.Choice(list(_LOADS)), default="ml-1m", show_default=True)
@click.option("--seconds", type=click.FloatRange(1), default=300, show_default=True)
@click.option("--rate", type=click.FloatRange(1), default=None, help="Requests a second; default: the bar's.")
@click.option("--reloads", type=click.IntRange(0), default=20, show_default=True, help="Versions pushed meanwhile.")
@click.option("--kills", type=click.IntRange(0), default=0, show_default=True, help="Kills of the service meanwhile.")
def command(shape: str, seconds: float, rate: float | None, reloads: int, kills: int) -> list[Result]:
    """Measures."""
    load = _LOADS[shape]
    with tempfile.TemporaryDirectory(prefix="serving-") as folder:
        measure(save_model, f"{folder}/kept", SHAPES[shape], load.factors, prepare=import_quietly)
        _push(folder, 1)
        with _Service(f"{folder}/serving") as service:
            asked = rate or load.rate
            found = asyncio.run(_measured(folder, service, SHAPES[shape], asked, seconds, reloads, kills))
            if service.process.poll() is not None:
                raise UserError("the service ended by itself")
    p50, p99 = np.percentile(found.answers.seconds, [50, 99]) * 1e3
    before, after = found.memory
    results = [
        Result("p50_ms", float(p50), "ms"),
        Result("p99_ms", float(p99), "ms", bar=load.most_ms if rate is None else None, at_most=True),
        Result("longest_ms", float(found.answers.seconds.max() * 1e3), "ms"),
        Result("requests_per_second", len(found.answers.seconds) / found.took, "1/s"),
        Result("errors", found.answers.errors, "", bar=0, at_most=True),
        Result("reloads", found.reloads, "", bar=None if kills else reloads),
        Result("memory_gb", after / 1e9, "GB"),
        Result("memory_growth_gb", (after - before) / 1e9, "GB", bar=0.2, at_most=True),
    ]
    if kills:
        results += [
            Result("kills", len(found.away), "", bar=kills),
            Result("longest_away_seconds", max(found.away), "s"),
            Result("unanswered", found.answers.unanswered, "while away"),
        ]
    return results


def save_model(folder: str, shape: Shape, factors: int) -> None:
    """Writes a SavedModel with random weights, whose users have seen as much as those of the shape."""
    from components.artifacts.vocabulary import Vocabulary
    from components.serving.exporter import ServingModel
    from components.serving.seen_items import SeenItems
    from components.trainer.model import NeuMF

    random = generator(0, "benchmark of serving")
    each = shape.interactions // shape.users
    seen = random.integers(shape.items, size=shape.users * each, dtype=np.int32)
    counts = np.bincount(seen, minlength=shape.items)
    vocabulary = Vocabulary(np.arange(shape.users), np.arange(shape.items), np.full(shape.users, each), counts)
    model = NeuMF(shape.users, shape.items, factors, _LAYERS, embedding_stddev=0.1)
    ServingModel(model, vocabulary, SeenItems(seen, each * np.arange(1, shape.users + 1))).save(folder)


def _push(folder: str, version: int) -> None:
    """A new version, of the same files, appears at once; older ones go."""
    os.makedirs(f"{folder}/serving", exist_ok=True)
    shutil.copytree(f"{folder}/kept", f"{folder}/next", copy_function=os.link)
    os.rename(f"{folder}/next", f"{folder}/serving/{version}")
    shutil.rmtree(f"{folder}/serving/{version - 2}", ignore_errors=True)


class _Service(contextlib.AbstractContextManager["_Service"]):
    """The service as a process of its own, with the address at which it answers."""

    def __init__(self, destination: str):
        """Starts it, and returns once it answers."""
        self._options = ["--model", destination, "--poll", str(_FOLLOWS), "--no-log-requests"]
        self.start("0")

    def start(self, port: str) -> None:
        """Starts it at a port; 0: any that is free."""
        command = [sys.executable, "-m", "pipeline", "serve", *self._options, "--port", port]
        with tempfile.TemporaryFile("w+") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
            assert self.process.stdout is not None
            words = (word for line in self.process.stdout for word in line.split())
            self.address = next((word.rstrip("/") for word in words if "://" in word), "")
            if not self.address:
                log.seek(0)
                raise UserError(f"the service does not start: {log.read()[-500:]}")

    def kill_and_start(self) -> tuple[float, float]:
        """Kills it and starts it at the same address; the moments when it was killed and when it answers again."""
        began = time.perf_counter()
        self.process.kill()
        self.process.wait()
        self.start(self.address.rpartition(":")[2])
        self._wait_until_ready()
        return began, time.perf_counter()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.address}/readyz"):
                return
            time.sleep(0.05)
        raise UserError("the service does not load the model")

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


async def _measured(
    folder: str, service: _Service, shape: Shape, rate: float, seconds: float, reloads: int, kills: int
) -> _Measured:
    connector = aiohttp.TCPConnector(limit=_CONNECTIONS)
    async with aiohttp.ClientSession(service.address, connector=connector) as session:
        await _Client(session, shape).ask(rate, _WARM_UP_SECONDS)
        before = await _figure(session, "neumf_resident_memory_bytes")
        pushing = asyncio.create_task(_pushed(folder, reloads, seconds))
        killing = asyncio.create_task(_killed(service, kills, seconds))
        client = _Client(session, shape)
        began = time.perf_counter()
        await client.ask(rate, seconds)
        end = time.perf_counter() - began
        await pushing
        away = await killing
        await _reloaded(session, reloads)
        after = await _figure(session, "neumf_resident_memory_bytes")
        reloaded = await _figure(session, "neumf_reloads_total")
        seconds_away = [end - begin for begin, end in away]
        return _Measured(client.answers(away), end, seconds_away, int(reloaded), (int(before), int(after)))


class _Client:
    """Sends requests, and keeps what becomes of them."""

    def __init__(self, session: aiohttp.ClientSession, shape: Shape):
        """Takes the session, and the shape of which users are asked for."""
        self._session, self._shape = session, shape
        self._seconds: list[float] = []
        self._failed: list[float] = []  # when
        self._wrong = 0

    async def ask(self, rate: float, seconds: float) -> None:
        """Sends so many requests a second, and waits for the answers."""
        users = generator(1, "benchmark of serving").integers(self._shape.users, size=int(rate * seconds))
        began = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for number, user in enumerate(users):
                due = began + number / rate
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                group.create_task(self._ask_one(int(user), due))

    def answers(self, away: list[tuple[float, float]]) -> _Answers:
        """What became of them; the service was away between these moments."""
        unanswered = sum(any(begin <= moment <= end for begin, end in away) for moment in self._failed)
        return _Answers(np.array(self._seconds), unanswered, len(self._failed) - unanswered + self._wrong)

    async def _ask_one(self, user: int, due: float) -> None:
        try:
            async with self._session.get(f"/recommend/{user}?k={_K}") as answer:
                found = await answer.read()
                if answer.status == HTTPStatus.SERVICE_UNAVAILABLE:
                    raise aiohttp.ClientError
        except (aiohttp.ClientError, TimeoutError):
            self._failed.append(time.perf_counter())
            return
        self._wrong += answer.status != 200 or found.count(b'"item"') != _K
        self._seconds.append(time.perf_counter() - due)


async def _pushed(folder: str, reloads: int, seconds: float) -> None:
    """Pushes versions, spread over some seconds."""
    for version in range(2, reloads + 2):
        await asyncio.sleep(seconds / (reloads + 1))
        await asyncio.to_thread(_push, folder, version)


async def _killed(service: _Service, kills: int, seconds: float) -> list[tuple[float, float]]:
    """Kills and starts the service, spread over some seconds; when it was away."""
    away = []
    for _ in range(kills):
        await asyncio.sleep(seconds / (kills + 1))
        away.append(await asyncio.to_thread(service.kill_and_start))
    return away


async def _reloaded(session: aiohttp.ClientSession, reloads: int) -> None:
    """Waits until the newest version answers."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        async with session.get("/readyz") as answer:
            if (await answer.json()).get("version") == str(reloads + 1):
                return
        await asyncio.sleep(0.2)


async def _figure(session: aiohttp.ClientSession, name: str) -> float:
    """The sum of a metric's values."""
    async with session.get("/metrics") as answer:
        lines = (await answer.text()).splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))
