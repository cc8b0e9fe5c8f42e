"""The service under load: one user a request, ten items each, at a steady rate, while new versions are pushed.

The model is a SavedModel of the default model's widths on the data's shape, with random weights. The service runs as
`python -m pipeline serve` does; the client, on the same machine, sends each request when it is due, whether those
before have been answered or not, and counts from then on: a service that stands still is late for all that wait.
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
from collections.abc import Iterator
from dataclasses import dataclass

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
class _Measured:
    """Seconds of each request, how many failed, and the memory of the service in bytes at the start and the end."""

    seconds: npt.NDArray[np.float64]
    errors: int
    took: float
    reloads: int
    memory: tuple[int, int]


@click.command(help=__doc__)
@click.option("--shape", type=click.Choice(list(_LOADS)), default="ml-1m", show_default=True)
@click.option("--seconds", type=click.FloatRange(1), default=300, show_default=True)
@click.option("--rate", type=click.FloatRange(1), default=None, help="Requests a second; default: the bar's.")
@click.option("--reloads", type=click.IntRange(0), default=20, show_default=True, help="Versions pushed meanwhile.")
def command(shape: str, seconds: float, rate: float | None, reloads: int) -> list[Result]:
    """Measures."""
    load = _LOADS[shape]
    with tempfile.TemporaryDirectory(prefix="serving-") as folder:
        measure(save_model, f"{folder}/kept", SHAPES[shape], load.factors, prepare=import_quietly)
        _push(folder, 1)
        with _service(f"{folder}/serving") as (process, address):
            found = asyncio.run(_measured(folder, address, SHAPES[shape], rate or load.rate, seconds, reloads))
            if process.poll() is not None:
                raise UserError("the service ended by itself")
    p50, p99 = np.percentile(found.seconds, [50, 99]) * 1e3
    before, after = found.memory
    return [
        Result("p50_ms", float(p50), "ms"),
        Result("p99_ms", float(p99), "ms", bar=load.most_ms if rate is None else None, at_most=True),
        Result("longest_ms", float(found.seconds.max() * 1e3), "ms"),
        Result("requests_per_second", len(found.seconds) / found.took, "1/s"),
        Result("errors", found.errors, "", bar=0, at_most=True),
        Result("reloads", found.reloads, "", bar=reloads),
        Result("memory_gb", after / 1e9, "GB"),
        Result("memory_growth_gb", (after - before) / 1e9, "GB", bar=0.2, at_most=True),
    ]


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


@contextlib.contextmanager
def _service(destination: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The service and its address, once it answers."""
    options = ["--model", destination, "--port", "0", "--poll", str(_FOLLOWS), "--no-log-requests"]
    command = [sys.executable, "-m", "pipeline", "serve", *options]
    with tempfile.TemporaryFile("w+") as log, subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=log, text=True
    ) as process:  # fmt: skip
        assert process.stdout is not None
        try:
            address = next((word.rstrip("/") for line in process.stdout for word in line.split() if "://" in word), "")
            if not address:
                log.seek(0)
                raise UserError(f"the service does not start: {log.read()[-500:]}")
            yield process, address
        finally:
            process.send_signal(signal.SIGTERM)


async def _measured(folder: str, address: str, shape: Shape, rate: float, seconds: float, reloads: int) -> _Measured:
    connector = aiohttp.TCPConnector(limit=_CONNECTIONS)
    async with aiohttp.ClientSession(address, connector=connector) as session:
        await _steady(session, shape, rate, _WARM_UP_SECONDS)
        before = await _figure(session, "neumf_resident_memory_bytes")
        pushing = asyncio.create_task(_pushed(folder, reloads, seconds))
        began = time.perf_counter()
        took, errors = await _steady(session, shape, rate, seconds)
        end = time.perf_counter() - began
        await pushing
        await _reloaded(session, reloads)
        after = await _figure(session, "neumf_resident_memory_bytes")
        return _Measured(
            took, errors, end, int(await _figure(session, "neumf_reloads_total")), (int(before), int(after))
        )


async def _steady(
    session: aiohttp.ClientSession, shape: Shape, rate: float, seconds: float
) -> tuple[npt.NDArray[np.float64], int]:
    """Sends requests at a rate; the seconds of each from when it was due, and how many failed."""
    users = generator(1, "benchmark of serving").integers(shape.users, size=int(rate * seconds))
    began = time.perf_counter()
    took, errors = np.zeros(len(users)), 0

    async def one(number: int, due: float) -> None:
        nonlocal errors
        try:
            async with session.get(f"/recommend/{users[number]}?k={_K}") as answer:
                found = await answer.read()
                errors += answer.status != 200 or found.count(b'"item"') != _K
        except (aiohttp.ClientError, TimeoutError):
            errors += 1
        took[number] = time.perf_counter() - due

    async with asyncio.TaskGroup() as group:
        for number in range(len(users)):
            due = began + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            group.create_task(one(number, due))
    return took, errors


async def _pushed(folder: str, reloads: int, seconds: float) -> None:
    """Pushes versions, spread over some seconds."""
    for version in range(2, reloads + 2):
        await asyncio.sleep(seconds / (reloads + 1))
        await asyncio.to_thread(_push, folder, version)


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
