"""A version of the model in a process of its own, as the process that answers requests sees it."""

import asyncio
import collections
import itertools
import json
import os
import socket
import sys
from typing import Any, NamedTuple, Self

from components.serving.versions import Version
from components.shared.errors import UserError
from components.shared.json_types import JsonObject
from pipeline.service.scoring.frames import HEADER, OPENING, Frame

_LAST_LINES = 30
_SECONDS_TO_LEAVE = 10
# One user's scores are no work for several threads, and OpenBLAS' stay awake after each product.
_SETTINGS = {"TF_CPP_MIN_LOG_LEVEL": "3", "OPENBLAS_NUM_THREADS": "1"}


class Answer(NamedTuple):
    """A status, as in HTTP, and JSON."""

    status: int
    body: bytes


class LostError(Exception):
    """The process ended before it had answered."""


class Scorer:
    """Asks the process; as many at a time as want to."""

    def __init__(self, version: Version, process: asyncio.subprocess.Process, streams: Any):
        """See `start`."""
        self.version, self._process = version, process
        self._reader, self._writer = streams
        self._numbers = itertools.count(OPENING + 1)
        self._asked: dict[int, asyncio.Future[Answer]] = {}
        self._last_lines = collections.deque[str](maxlen=_LAST_LINES)
        self._idle = asyncio.Event()
        self._idle.set()
        self.lost = asyncio.Event()
        self.about: JsonObject = {}
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._keep_lines())]

    @classmethod
    async def start(cls, version: Version, name: str) -> Self:
        """Starts the process, and waits until it has loaded the version and answered a first request.

        Args:
          version: what to load.
          name: of the model in TensorFlow Serving's addresses.

        Raises:
          UserError: the version cannot be loaded.
        """
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "pipeline.service.scoring", version.path, version.name, name,
                str(theirs.fileno()), pass_fds=[theirs.fileno()], env={**os.environ, **_SETTINGS},
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            )  # fmt: skip
        scorer = cls(version, process, await asyncio.open_connection(sock=ours))
        try:
            opening = await scorer._expect(OPENING)
        except BaseException as error:
            process.kill()
            await scorer.stop()
            if isinstance(error, LostError):
                raise UserError(
                    f"version {version.name}: the process that loads it died: {scorer.last_words}"
                ) from None
            raise
        scorer.about = json.loads(opening.body)
        if opening.status != 200:
            await scorer.stop()
            raise UserError(scorer.about["error"])
        return scorer

    @property
    def process_number(self) -> int:
        """Of the process."""
        return self._process.pid

    @property
    def waiting(self) -> int:
        """How many requests it has not answered yet."""
        return len(self._asked)

    @property
    def last_words(self) -> str:
        """What the process wrote last."""
        return "\n".join(self._last_lines) or "without a word"

    async def ask(self, call: str, **arguments: Any) -> Answer:
        """Asks for one answer.

        Raises:
          LostError: the process ended before it had answered.
        """
        number = next(self._numbers)
        body = json.dumps({"call": call, **arguments}).encode()
        self._writer.write(Frame(number, 0, body).encoded())
        return await self._expect(number)

    async def _expect(self, number: int) -> Answer:
        if self.lost.is_set():
            raise LostError
        self._asked[number] = asyncio.get_running_loop().create_future()
        self._idle.clear()
        try:
            return await self._asked[number]
        finally:
            del self._asked[number]
            if not self._asked:
                self._idle.set()

    async def _listen(self) -> None:
        try:
            while True:
                size, number, status = HEADER.unpack(await self._reader.readexactly(HEADER.size))
                answer = Answer(status, await self._reader.readexactly(size))
                if (asked := self._asked.get(number)) and not asked.done():
                    asked.set_result(answer)
        except (asyncio.IncompleteReadError, OSError):
            self.lost.set()
            for asked in self._asked.values():
                if not asked.done():
                    asked.set_exception(LostError())

    async def _keep_lines(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.read(1 << 12):
            self._last_lines.extend(line.decode(errors="replace").rstrip().splitlines())

    async def retire(self) -> None:
        """Waits until all have their answers, then ends the process."""
        await self._idle.wait()
        await self.stop()

    async def stop(self) -> None:
        """Ends the process."""
        self._writer.close()
        try:
            await asyncio.wait_for(self._process.wait(), _SECONDS_TO_LEAVE)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
