"""Google's own client, over gRPC, against a service on the loopback that answers as Vertex AI's messages demand."""

import concurrent.futures
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import google.auth
import grpc
import pytest
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import DefaultCredentialsError
from google.cloud import aiplatform_v1 as vertex
from google.cloud.aiplatform import initializer
from google.cloud.aiplatform.utils import gcs_utils
from google.cloud.aiplatform_v1.services.pipeline_service.transports import PipelineServiceGrpcTransport
from google.protobuf import json_format
from kfp.pipeline_spec.pipeline_spec_pb2 import PipelineSpec

from components.shared.errors import UserError
from pipeline.platforms import submission
from pipeline.platforms.base import Run
from pipeline.platforms.following import follow
from pipeline.vertex.client import VertexConnection
from pipeline.vertex.options import VertexOptions
from pipeline.vertex.platform import Vertex

CONFIG = Path(__file__).resolve().parents[3] / "configs" / "synthetic.yaml"
STEPS = ("Preprocess", "NegativeGen", "Trainer", "Evaluator", "Pusher")
JOB = "projects/123/locations/us-central1/pipelineJobs/run-1"


@dataclass
class Service:
    """Vertex AI's service of pipelines.

    Attributes:
      code: where it is not None, every request is answered with it.
      failing_step: of the runs, where it is not None.
    """

    code: grpc.StatusCode | None = None
    failing_step: str | None = None
    requests: list[vertex.CreatePipelineJobRequest] = field(default_factory=list)
    looks: int = 0

    def create(self, request: vertex.CreatePipelineJobRequest, context: grpc.ServicerContext) -> vertex.PipelineJob:
        self._refuse(context)
        spec = json_format.MessageToDict(request._pb.pipeline_job.pipeline_spec)
        json_format.ParseDict(spec, PipelineSpec())
        known = spec["root"]["inputDefinitions"]["parameters"]
        unknown = set(request.pipeline_job.runtime_config.parameter_values) - set(known)
        if unknown:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"unknown parameters {unknown}")
        self.requests.append(request)
        return vertex.PipelineJob(name=JOB, state="PIPELINE_STATE_PENDING")

    def get(self, request: vertex.GetPipelineJobRequest, context: grpc.ServicerContext) -> vertex.PipelineJob:
        self._refuse(context)
        assert request.name == JOB
        self.looks += 1
        failing = STEPS.index(self.failing_step) if self.failing_step else len(STEPS)
        ended = min(self.looks // 2, failing)
        states = ["SUCCEEDED"] * ended
        state = "SUCCEEDED"
        if ended < len(STEPS):
            state = "FAILED" if ended == failing else "RUNNING"
            states.append(state)
        tasks: list[dict[str, Any]] = [
            {"task_name": step, "state": state} for step, state in zip(STEPS, states, strict=False)
        ]
        error = {"code": 9, "message": "The replica exited with a non-zero status of 2."} if state == "FAILED" else None
        return vertex.PipelineJob(
            name=JOB,
            state=f"PIPELINE_STATE_{state}",
            job_detail={"task_details": [{"task_name": "neumf-synthetic", "state": state}, *tasks]},
            error=error,
        )

    def _refuse(self, context: grpc.ServicerContext) -> None:
        if self.code is not None:
            context.abort(self.code, "as told")


@pytest.fixture(autouse=True)
def _no_cloud_storage(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client makes the bucket of the pipeline root where it is missing; Cloud Storage is not imitated."""
    monkeypatch.setattr(
        gcs_utils, "create_gcs_bucket_for_pipeline_artifacts_if_it_does_not_exist", lambda **_: "gs://bucket/neumf"
    )
    monkeypatch.setattr(initializer.global_config, "_credentials", None)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    service = Service()
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
    handlers = {
        "CreatePipelineJob": _handler(service.create, vertex.CreatePipelineJobRequest),
        "GetPipelineJob": _handler(service.get, vertex.GetPipelineJobRequest),
    }
    generic = grpc.method_handlers_generic_handler("google.cloud.aiplatform.v1.PipelineService", handlers)
    server.add_generic_rpc_handlers((generic,))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    hosts = []

    def create_channel(host: str, **_: Any) -> grpc.Channel:
        hosts.append(host)
        return grpc.insecure_channel(f"127.0.0.1:{port}")

    monkeypatch.setattr(PipelineServiceGrpcTransport, "create_channel", create_channel)
    monkeypatch.setattr(google.auth, "default", lambda *_, **__: (AnonymousCredentials(), "project"))
    yield service
    server.stop(None)
    assert set(hosts) <= {"us-central1-aiplatform.googleapis.com:443"}


def _handler(action: Any, request: Any) -> grpc.RpcMethodHandler:
    return grpc.unary_unary_rpc_method_handler(action, request.deserialize, vertex.PipelineJob.serialize)


@pytest.fixture(scope="module")
def run() -> Run:
    return submission.prepare(
        CONFIG, ["cluster.accelerator=NVIDIA_L4"], ["image=i:1", "epochs=3", "ratings=null"], Vertex()
    )


def platform(root: str = "gs://bucket/neumf") -> VertexConnection:
    account = "runner@project.iam.gserviceaccount.com"
    return VertexConnection(
        VertexOptions(project="project", region="us-central1", pipeline_root=root, service_account=account)
    )


def test_a_run_is_started(service: Service, run: Run) -> None:
    started = platform().start(run)

    assert started.id == JOB
    assert started.link.endswith("/vertex-ai/locations/us-central1/pipelines/runs/run-1?project=project")
    (request,) = service.requests
    assert request.parent == "projects/project/locations/us-central1"
    assert request.pipeline_job.service_account == "runner@project.iam.gserviceaccount.com"
    config = request.pipeline_job.runtime_config
    assert config.gcs_output_directory == "gs://bucket/neumf"
    values = json_format.MessageToDict(request._pb.pipeline_job.runtime_config)["parameterValues"]
    assert (values["epochs"], values["minimum_hr"], values["ratings"]) == (3, 0.15, "")
    assert "batch_size" not in values
    spec = json_format.MessageToDict(request._pb.pipeline_job.pipeline_spec)
    resources = spec["deploymentSpec"]["executors"]["Trainer_executor"]["container"]["resources"]
    assert resources["accelerator"] == {"type": "NVIDIA_L4", "count": "1"}


def test_a_run_is_followed_to_its_end(service: Service, run: Run) -> None:
    lines: list[str] = []
    follow(platform(), platform().start(run), lines.append, seconds=0)
    assert lines[-1].endswith("the run has succeeded")
    assert [line.split()[2] for line in lines if line.endswith(" succeeded") and "run" not in line] == list(STEPS)
    assert not [line for line in lines if "neumf-synthetic" in line]


def test_a_run_that_fails_is_an_error(service: Service, run: Run) -> None:
    service.failing_step = "Preprocess"
    with pytest.raises(UserError, match=r"failed at Preprocess: The replica exited with .* 2.; its logs are at http"):
        follow(platform(), platform().start(run), lambda _: None, seconds=0)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (grpc.StatusCode.UNAUTHENTICATED, "does not know you (401); log in again"),
        (grpc.StatusCode.PERMISSION_DENIED, "does not allow this (403); check --project"),
        (grpc.StatusCode.NOT_FOUND, "does not know this (404); check --project and --region"),
        (grpc.StatusCode.INTERNAL, "refuses (500): as told"),
    ],
)
def test_a_refusal_is_one_line_that_says_what_to_do(
    service: Service, run: Run, code: grpc.StatusCode, message: str
) -> None:
    service.code = code
    with pytest.raises(UserError) as error:
        platform().start(run)
    assert str(error.value).startswith(f"Vertex AI (project, us-central1) {message}")
    assert "\n" not in str(error.value)


def test_a_parameter_of_no_use_is_told(service: Service, run: Run) -> None:
    wrong = Run(run.name, run.pipeline, run.text, {**run.values, "epoch": 3})
    with pytest.raises(UserError, match="The pipeline parameter epoch is not found"):
        platform().start(wrong)
    assert not service.requests


def test_a_service_that_is_not_there_is_one_line(service: Service, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        PipelineServiceGrpcTransport, "create_channel", lambda *_, **__: grpc.insecure_channel("127.0.0.1:1")
    )
    with pytest.raises(UserError, match="cannot be reached") as error:
        platform().start(run)
    assert "\n" not in str(error.value)


def test_missing_credentials_are_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def default(*_: Any, **__: Any) -> Any:
        raise DefaultCredentialsError("none found")

    monkeypatch.setattr(google.auth, "default", default)
    with pytest.raises(UserError, match="there are no Google credentials; run `gcloud auth"):
        platform().start(run)


def test_artifacts_must_go_to_cloud_storage() -> None:
    with pytest.raises(UserError, match="--pipeline-root /tmp/x: Vertex keeps artifacts at gs://BUCKET/FOLDER"):
        platform(root="/tmp/x")
