"""Which version of the model answers: the newest that can be loaded."""

import asyncio
import itertools
import json
import posixpath
import time
from typing import Any

from components.serving.versions import Version, is_whole, whole_versions
from components.shared.errors import UserError
from components.shared.files.faults import absence
from components.shared.files.reading import exists
from components.shared.files.secrets import without_secrets
from pipeline.service.logs import event
from pipeline.service.metrics import Metrics
from pipeline.service.scorer import Answer, LostError, Scorer

MOST_WAITING = 256
NONE_IS_LOADED = "no version of the model is loaded yet"
_RETRY_SECONDS = 300
_RESTART_SECONDS = 1


class BusyError(Exception):
    """Nobody can answer now; a moment later somebody can."""


class Keeper:
    """Loads what is newest beside what answers, and has it answer once it can."""

    def __init__(self, model: str, name: str, metrics: Metrics):
        """Takes where the model is.

        Args:
          model: a SavedModel, or a folder of versions, on this machine or elsewhere.
          name: of the model in TensorFlow Serving's addresses.
          metrics: are told what becomes of versions.
        """
        self._model, self._name, self._metrics = model.rstrip("/") or model, name, metrics
        self._failed: dict[str, float] = {}
        self._retiring: set[asyncio.Task[None]] = set()
        self.current: Scorer | None = None

    @property
    def version(self) -> str | None:
        """The version that answers; None while there is none."""
        return self.current.version.name if self.current else None

    @property
    def processes(self) -> dict[str, int]:
        """The numbers of the scoring process."""
        return {"scoring": self.current.process_number} if self.current else {}

    async def ask(self, call: str, **arguments: Any) -> Answer:
        """Asks the version that answers now.

        Raises:
          BusyError: there is none, or too many wait for it.
        """
        scorer = self.current
        if scorer is None or scorer.waiting >= MOST_WAITING:
            raise BusyError(NONE_IS_LOADED if scorer is None else "too many requests wait")
        try:
            answer = await scorer.ask(call, **arguments)
        except LostError:
            raise BusyError("the process that worked on it died") from None
        return answer if answer.status < 500 else _told(call, answer)

    async def start(self) -> None:
        """Loads the newest version that can be loaded.

        Raises:
          UserError: there is none.
        """
        found = await asyncio.to_thread(self._newer)
        if not found:
            nothing = "there is neither a SavedModel nor a folder of versions of one"
            reason = nothing if await asyncio.to_thread(exists, self._model) else absence(self._model)
            raise UserError(f"--model {without_secrets(self._model)}: {reason}")
        last: UserError | None = None
        for version in found:
            last = await self._load(version)
            if self.current:
                return
        assert last is not None
        raise last

    async def follow(self, seconds: float) -> None:
        """Looks for newer versions from time to time, and sees that one answers; for ever.

        Args:
          seconds: from one look to the next.
        """
        while True:
            with_one = self.current
            if with_one is None:
                await asyncio.sleep(_RESTART_SECONDS)
            else:
                lost = asyncio.create_task(with_one.lost.wait())
                await asyncio.wait([lost], timeout=seconds)
                lost.cancel()
                if with_one.lost.is_set():
                    await self._bury(with_one)
            try:
                await self._refresh()
            except UserError as error:
                event("cannot look for versions", reason=str(error))
            except Exception as error:
                event("cannot look for versions", reason=repr(error))

    async def _refresh(self) -> None:
        found = await asyncio.to_thread(self._newer)
        now = time.monotonic()
        untried = [one for one in found if now - self._failed.get(one.name, -_RETRY_SECONDS) >= _RETRY_SECONDS]
        # Where nobody answers, what failed a moment ago is better than nothing.
        for version in untried or (found if self.current is None else []):
            await self._load(version)
            if self.version == version.name:
                return

    def _newer(self) -> list[Version]:
        """The versions that should answer in place of the one that does, the newest first."""
        if is_whole(self._model):
            return [] if self.current else [Version(posixpath.basename(self._model), self._model)]
        return list(itertools.takewhile(lambda version: version.name != self.version, whole_versions(self._model)))

    async def _load(self, version: Version) -> UserError | None:
        """Has a version answer; what kept it from doing so, if anything did."""
        event("loading", version=version.name)
        began = time.monotonic()
        try:
            scorer = await Scorer.start(version, self._name)
        except UserError as error:
            self._failed[version.name] = time.monotonic()
            self._metrics.failed_loads += 1
            event("cannot be loaded", version=version.name, reason=str(error), answers=self.version)
            return error
        before, self.current = self.current, scorer
        seconds = round(time.monotonic() - began, 3)
        event("answers", **scorer.about, seconds=seconds, before=before and before.version.name)
        if before:
            self._metrics.reloads += 1
            task = asyncio.create_task(before.retire())
            self._retiring.add(task)
            task.add_done_callback(self._retiring.discard)
        return None

    async def _bury(self, scorer: Scorer) -> None:
        self.current = None
        self._metrics.lost += 1
        await scorer.stop()
        event("scoring process died", version=scorer.version.name, last_words=scorer.last_words)

    async def stop(self) -> None:
        """Waits for what is under way, then ends all scoring processes."""
        if self.current:
            await self.current.retire()
        await asyncio.gather(*self._retiring)


def _told(call: str, fault: Answer) -> Answer:
    """Has the log tell of a fault; what is left is for whoever asked."""
    more = json.loads(fault.body)
    event("fault", call=call, traceback=more.pop("traceback"))
    return Answer(fault.status, json.dumps(more).encode())
