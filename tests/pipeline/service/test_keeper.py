"""The process that answers HTTP, beside one that loads a version, and one that works answers out."""

import asyncio
import json
import logging
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer

from pipeline.service.app import make_app
from pipeline.service.keeper import Keeper
from pipeline.service.metrics import Metrics
from tests.pipeline.service.models import push


def test_nobody_answers_yet_whichever_version_is_asked_for(tmp_path: Path) -> None:
    metrics = Metrics()
    app = make_app(Keeper(str(tmp_path), "neumf", metrics), "neumf", metrics, token=None, log_requests=False)

    async def ask() -> list[int]:
        async with TestClient(TestServer(app)) as client:
            model = "/v1/models/neumf"
            answers = [await client.get(f"{model}/versions/1"), await client.post(f"{model}/versions/1:predict")]
            return [*(answer.status for answer in answers), (await client.get(model)).status]

    assert asyncio.run(ask()) == [503, 503, 200]


def test_a_fault_is_told_in_the_log_and_not_to_who_asked(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    push(tmp_path / "1")
    caplog.set_level(logging.INFO, "pipeline.service")

    async def ask() -> tuple[int, bytes]:
        keeper = Keeper(str(tmp_path), "neumf", Metrics())
        await keeper.start()
        try:
            return await keeper.ask("nothing")
        finally:
            await keeper.stop()

    status, body = asyncio.run(ask())
    assert (status, json.loads(body)) == (500, {"error": "a fault of the service; its log has more"})
    (told,) = [record.__dict__["fields"] for record in caplog.records if record.getMessage() == "fault"]
    assert told["call"] == "nothing"
    assert told["traceback"].endswith("KeyError: 'nothing'\n")
