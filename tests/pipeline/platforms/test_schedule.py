"""Schedules, from the command line to a server that takes what Kubeflow's takes."""

from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf import json_format
from kfp.pipeline_spec.pipeline_spec_pb2 import PipelineDeploymentConfig, PipelineSpec

from pipeline import look
from pipeline.cli import main
from pipeline.platforms import cron
from tests.pipeline.kubeflow.kfp_server import KfpServer

FILES = ["--param", "image=i:1", "--param", "dataset=files", "--param", "ratings=gs://b/clicks-*.csv"]


@pytest.fixture
def server() -> Iterator[KfpServer]:
    with KfpServer() as running:
        yield running


def schedule(capfd: pytest.CaptureFixture[str], server: KfpServer, *arguments: str, code: int = 0) -> tuple[str, str]:
    capfd.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(["schedule", "kfp", "--host", server.url, *arguments])
    assert ended.value.code == code
    return capfd.readouterr()


def test_runs_are_started_by_the_clock_until_that_is_paused_or_deleted(
    server: KfpServer, capfd: pytest.CaptureFixture[str]
) -> None:
    out, _ = schedule(capfd, server, "--cron", "0 3 * * *", *FILES)
    name = out.split()[0]
    assert out == f"{name}  0 3 * * *  enabled\n"
    (sent,) = server.recurring
    assert sent["trigger"]["cron_schedule"]["cron"] == "0 0 3 * * *"
    assert (sent["max_concurrency"], sent["no_catchup"], sent["mode"]) == (1, True, "ENABLE")
    assert sent["runtime_config"]["parameters"]["ratings"] == "gs://b/clicks-*.csv"

    assert schedule(capfd, server, "--list")[0] == out
    assert schedule(capfd, server, "--pause", name)[0] == f"{name}: paused\n"
    assert schedule(capfd, server, "--list")[0] == f"{name}  0 3 * * *  disabled\n"
    assert schedule(capfd, server, "--resume", name)[0] == f"{name}: resumed\n"
    assert server.recurring[0]["status"] == "ENABLED"
    assert schedule(capfd, server, "--delete", name)[0] == f"{name}: deleted\n"
    assert not server.recurring

    _, error = schedule(capfd, server, "--pause", name, code=2)
    assert error == f"error: --pause {name}: there is no such schedule; there are: none\n"


def test_each_of_its_runs_looks_first_and_goes_by_what_it_saw(
    server: KfpServer, capfd: pytest.CaptureFixture[str]
) -> None:
    schedule(capfd, server, "--cron", "0 3 * * *", *FILES)
    spec: Any = server.versions[-1]["pipeline_spec"]
    json_format.ParseDict(spec, PipelineSpec())
    json_format.ParseDict(spec["deploymentSpec"], PipelineDeploymentConfig())
    tasks = spec["root"]["dag"]["tasks"]
    assert tasks["Preprocess"]["inputs"]["parameters"]["input_version"] == {
        "taskOutputParameter": {"producerTask": "Look", "outputParameterKey": "input_version"}
    }
    assert tasks["Preprocess"]["dependentTasks"] == ["Look"]
    assert tasks["Preprocess"]["cachingOptions"] == {"enableCache": True}
    assert tasks["Look"]["cachingOptions"] == {}
    assert tasks["Look"]["inputs"]["parameters"]["path"] == {"componentInputParameter": "ratings"}
    container = spec["deploymentSpec"]["executors"]["Look_executor"]["container"]
    assert (container["image"], container["command"]) == ("i:1", list(look.COMMAND))
    assert container["args"] == ["--executor_input", "{{$}}"]


FIELDS = "write minute, hour, day of the month, month and day of the week"


@pytest.mark.parametrize(
    ("times", "fault"),
    [
        *((times, FIELDS) for times in ("daily", "0 3 * *", "0 0 3 * * *", "0 3 * * * extra words", "@daily")),
        ("61 3 * * *", "minute 61 is none of 0 to 59"),
        ("0 24 * * *", "hour 24 is none of 0 to 23"),
        ("0 3 0,15 * *", "day of the month 0 is none of 1 to 31"),
        ("0 3 * JUNE *", "month JUNE is none of 1 to 12"),
        ("0 3 * * MON-FRIDAY", "day of the week MON-FRIDAY is none of 0 to 7"),
        ("*/0 3 * * *", "minute '*/0' is no time"),
        ("TZ=Europe/Berlin 0 3 * * *", "Kubeflow Pipelines v2 has one time zone for all schedules"),
    ],
)
def test_times_that_are_none_are_told(
    server: KfpServer, capfd: pytest.CaptureFixture[str], times: str, fault: str
) -> None:
    _, error = schedule(capfd, server, "--cron", times, code=2)
    assert error.startswith(f"error: --cron {times!r}: {fault}")
    assert not server.requests


@pytest.mark.parametrize(
    "times", ["*/15 0-6,22 1 1 *", "0 3 ? jan-MAR MON,wed", "5/10 * 1-31/2 12 7", "CRON_TZ=UTC 0 3 * * SUN"]
)
def test_times_as_people_write_them_are_taken(times: str) -> None:
    assert cron.fault(times) is None
    assert cron.time_zone(times) == ("UTC" if "UTC" in times else None)


def test_one_thing_is_done_at_a_time(server: KfpServer, capfd: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], ["--list", "--cron", "0 3 * * *"]):
        assert "Give one of --cron, --list" in schedule(capfd, server, *arguments, code=2)[1]
