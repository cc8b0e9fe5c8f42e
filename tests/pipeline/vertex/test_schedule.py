"""Schedules, through Google's own client over gRPC, against a service on the loopback."""

import concurrent.futures
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import google.auth
import grpc
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import aiplatform_v1 as vertex
from google.cloud.aiplatform import initializer
from google.cloud.aiplatform_v1.services.schedule_service.transports import ScheduleServiceGrpcTransport
from google.longrunning.operations_pb2 import Operation
from google.protobuf import json_format
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.empty_pb2 import Empty

from pipeline.platforms import submission
from pipeline.vertex.client import VertexConnection
from pipeline.vertex.options import VertexOptions
from pipeline.vertex.platform import Vertex

CONFIG = Path(__file__).resolve().parents[3] / "configs" / "synthetic.yaml"
PARENT = "projects/project/locations/us-central1"


class Service:
    """Vertex AI's service of schedules."""

    def __init__(self) -> None:
        self.schedules: dict[str, vertex.Schedule] = {}

    def create(self, request: vertex.CreateScheduleRequest, _: Any) -> vertex.Schedule:
        assert request.parent == PARENT
        made = request.schedule
        made.name = f"{PARENT}/schedules/{len(self.schedules)}"
        made.state = vertex.Schedule.State.ACTIVE
        self.schedules[made.name] = made
        return made

    def get(self, request: vertex.GetScheduleRequest, _: Any) -> vertex.Schedule:
        return self.schedules[request.name]

    def list(self, request: vertex.ListSchedulesRequest, _: Any) -> vertex.ListSchedulesResponse:
        assert request.parent == PARENT
        return vertex.ListSchedulesResponse(schedules=list(self.schedules.values()))

    def pause(self, request: vertex.PauseScheduleRequest, _: Any) -> Empty:
        self.schedules[request.name].state = vertex.Schedule.State.PAUSED
        return Empty()

    def resume(self, request: vertex.ResumeScheduleRequest, _: Any) -> Empty:
        self.schedules[request.name].state = vertex.Schedule.State.ACTIVE
        return Empty()

    def delete(self, request: vertex.DeleteScheduleRequest, _: Any) -> Operation:
        del self.schedules[request.name]
        response = AnyMessage()
        response.Pack(Empty())
        return Operation(name=f"{request.name}/operations/1", done=True, response=response)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    service = Service()
    actions = {
        "CreateSchedule": (service.create, vertex.CreateScheduleRequest.deserialize, vertex.Schedule.serialize),
        "GetSchedule": (service.get, vertex.GetScheduleRequest.deserialize, vertex.Schedule.serialize),
        "ListSchedules": (
            service.list, vertex.ListSchedulesRequest.deserialize, vertex.ListSchedulesResponse.serialize
        ),
        "PauseSchedule": (service.pause, vertex.PauseScheduleRequest.deserialize, Empty.SerializeToString),
        "ResumeSchedule": (service.resume, vertex.ResumeScheduleRequest.deserialize, Empty.SerializeToString),
        "DeleteSchedule": (service.delete, vertex.DeleteScheduleRequest.deserialize, Operation.SerializeToString),
    }  # fmt: skip
    handlers = {name: grpc.unary_unary_rpc_method_handler(*action) for name, action in actions.items()}
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
    generic = grpc.method_handlers_generic_handler("google.cloud.aiplatform.v1.ScheduleService", handlers)
    server.add_generic_rpc_handlers((generic,))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    monkeypatch.setattr(
        ScheduleServiceGrpcTransport, "create_channel", lambda *_, **__: grpc.insecure_channel(f"127.0.0.1:{port}")
    )
    monkeypatch.setattr(google.auth, "default", lambda *_, **__: (AnonymousCredentials(), "project"))
    monkeypatch.setattr(initializer.global_config, "_credentials", None)
    yield service
    server.stop(None)


def test_runs_are_started_by_the_clock_until_that_is_paused_or_deleted(service: Service) -> None:
    run = submission.prepare(CONFIG, [], ["image=i:1"], Vertex(), look=True)
    connection = VertexConnection(
        VertexOptions(project="project", region="us-central1", pipeline_root="gs://bucket/neumf", service_account="me")
    )
    made = connection.schedule(run, "0 3 * * *")
    assert (made.name, made.cron, made.state) == (run.name, "0 3 * * *", "ACTIVE")
    (sent,) = service.schedules.values()
    assert sent.max_concurrent_run_count == 1
    job = sent.create_pipeline_job_request.pipeline_job
    assert (job.service_account, job.runtime_config.gcs_output_directory) == ("me", "gs://bucket/neumf")
    assert "Look" in json_format.MessageToDict(type(job).pb(job).pipeline_spec)["root"]["dag"]["tasks"]

    assert connection.schedules() == [made]
    connection.pause(made)
    assert [found.state for found in connection.schedules()] == ["PAUSED"]
    connection.resume(made)
    assert [found.state for found in connection.schedules()] == ["ACTIVE"]
    connection.delete(made)
    assert connection.schedules() == []
