"""Runs the service until it is told to stop."""

import asyncio
import contextlib
import resource
import signal
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from components.shared.errors import UserError
from pipeline.service.app import make_app
from pipeline.service.keeper import Keeper
from pipeline.service.logs import event
from pipeline.service.metrics import Metrics

_SECONDS_TO_END = 20
_KEPT_ALIVE_SECONDS = 75


@dataclass(frozen=True)
class Options:
    """How to serve.

    Attributes:
      model: a SavedModel, or a folder of versions.
      host: address to listen on.
      port: to listen on; 0: one that is free.
      name: of the model in TensorFlow Serving's addresses.
      poll: seconds from one look for a newer version to the next.
      token: that each request has to bring, if any.
      log_requests: whether each request is told of.
    """

    model: str
    host: str
    port: int
    name: str
    poll: float
    token: str | None
    log_requests: bool


def serve(options: Options, ready: Callable[[str, str], None]) -> int:
    """Serves until the process is told to stop, and has answered what was asked before.

    Args:
      options: how.
      ready: told the address and the version once requests are answered.

    Returns:
      How many requests were answered.

    Raises:
      UserError: no version can be loaded, or the port is taken.
    """
    return asyncio.run(_serve(options, ready))


async def _serve(options: Options, ready: Callable[[str, str], None]) -> int:
    _raise_limit_of_connections()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    metrics = Metrics()
    keeper = Keeper(options.model, options.name, metrics)
    app = make_app(keeper, options.name, metrics, options.token, options.log_requests)
    runner = web.AppRunner(
        app, access_log=None, shutdown_timeout=_SECONDS_TO_END, keepalive_timeout=_KEPT_ALIVE_SECONDS
    )
    await runner.setup()
    try:
        address = await _listen(runner, options)
        await _until(stop, _keep(keeper, options.poll, lambda: ready(address, keeper.version or "")))
        event("stopping", in_progress=metrics.in_progress)
    finally:
        await runner.cleanup()
        await keeper.stop()
    return metrics.requests


def _raise_limit_of_connections() -> None:
    """As many as the system allows the process at all: clients that only wait must not keep others out."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # some systems say more than they allow
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def _keep(keeper: Keeper, poll: float, ready: Callable[[], None]) -> None:
    await keeper.start()
    ready()
    await keeper.follow(poll)


async def _listen(runner: web.AppRunner, options: Options) -> str:
    site = web.TCPSite(runner, options.host, options.port)
    try:
        await site.start()
    except OSError as error:
        where = f"--host {options.host} --port {options.port}"
        raise UserError(f"{where}: cannot listen there ({error.strerror}); choose another port") from None
    host, port = runner.addresses[0][:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


async def _until(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Works until it is time to stop, or the work fails."""
    tasks = asyncio.create_task(work), asyncio.create_task(stop.wait())
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await tasks[0]
