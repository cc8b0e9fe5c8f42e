"""Google's own client, over gRPC, against services of models and endpoints on the loopback."""

import concurrent.futures
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import google.auth
import grpc
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import aiplatform_v1 as vertex
from google.cloud.aiplatform import initializer
from google.cloud.aiplatform_v1.services.endpoint_service.transports import EndpointServiceGrpcTransport
from google.cloud.aiplatform_v1.services.model_service.transports import ModelServiceGrpcTransport
from google.longrunning.operations_pb2 import Operation
from google.protobuf.any_pb2 import Any as AnyMessage

from components.artifacts import evaluation
from pipeline.vertex import registration
from pipeline.vertex.config import ModelRegistryConfig
from tests.components.evaluator.report import builders

PARENT = "projects/project/locations/europe-west4"
REGISTRY = ModelRegistryConfig(
    project="project", region="europe-west4", model="clicks", serving_image="tf2:1", endpoint="shop",
    maximum_machines=3,
)  # fmt: skip


class Service:
    """Vertex AI's services of models and of endpoints.

    Attributes:
      code: where it is not None, every upload is answered with it.
    """

    def __init__(self) -> None:
        self.code: grpc.StatusCode | None = None
        self.versions: dict[str, list[vertex.Model]] = {}
        self.endpoints: dict[str, vertex.Endpoint] = {}

    def get_model(self, request: vertex.GetModelRequest, context: grpc.ServicerContext) -> vertex.Model:
        name, _, version = request.name.partition("@")
        if name not in self.versions:
            context.abort(grpc.StatusCode.NOT_FOUND, f"there is no {name}")
        return self.versions[name][int(version) - 1 if version.isdigit() else -1]

    def upload(self, request: vertex.UploadModelRequest, context: grpc.ServicerContext) -> Operation:
        if self.code is not None:
            context.abort(self.code, "as told")
        assert request.parent == PARENT
        assert bool(request.parent_model) != bool(request.model_id)
        name = request.parent_model or f"{PARENT}/models/{request.model_id}"
        assert bool(request.parent_model) == (name in self.versions)
        versions = self.versions.setdefault(name, [])
        model = request.model
        model.name, model.version_id = name, str(len(versions) + 1)
        model.supported_deployment_resources_types = [vertex.Model.DeploymentResourcesType.DEDICATED_RESOURCES]
        versions.append(model)
        return _done(vertex.UploadModelResponse(model=name, model_version_id=model.version_id))

    def get_endpoint(self, request: vertex.GetEndpointRequest, context: grpc.ServicerContext) -> vertex.Endpoint:
        if request.name not in self.endpoints:
            context.abort(grpc.StatusCode.NOT_FOUND, f"there is no {request.name}")
        return self.endpoints[request.name]

    def create_endpoint(self, request: vertex.CreateEndpointRequest, _: Any) -> Operation:
        made = request.endpoint
        made.name = f"{request.parent}/endpoints/{request.endpoint_id}"
        self.endpoints[made.name] = made
        return _done(made)

    def deploy(self, request: vertex.DeployModelRequest, _: Any) -> Operation:
        endpoint = self.endpoints[request.endpoint]
        model, number = request.deployed_model, str(len(endpoint.deployed_models) + 100)
        model.id = number
        name, _, version = model.model.partition("@")
        model.model, model.model_version_id = name, version or self.versions[name][-1].version_id
        endpoint.deployed_models.append(model)
        shares = {key if key != "0" else number: value for key, value in request.traffic_split.items()}
        assert sum(shares.values()) == 100
        endpoint.traffic_split = shares
        return _done(vertex.DeployModelResponse(deployed_model=model))

    def undeploy(self, request: vertex.UndeployModelRequest, _: Any) -> Operation:
        endpoint = self.endpoints[request.endpoint]
        assert not endpoint.traffic_split.get(request.deployed_model_id)
        endpoint.deployed_models = [one for one in endpoint.deployed_models if one.id != request.deployed_model_id]
        return _done(vertex.UndeployModelResponse())


def _done(message: Any) -> Operation:
    response = AnyMessage()
    response.Pack(type(message).pb(message))
    return Operation(name=f"{PARENT}/operations/1", done=True, response=response)


def _handlers(service: Service) -> list[grpc.GenericRpcHandler]:
    actions = {
        "ModelService": {
            "GetModel": (service.get_model, vertex.GetModelRequest, vertex.Model.serialize),
            "UploadModel": (service.upload, vertex.UploadModelRequest, Operation.SerializeToString),
        },
        "EndpointService": {
            "GetEndpoint": (service.get_endpoint, vertex.GetEndpointRequest, vertex.Endpoint.serialize),
            "CreateEndpoint": (service.create_endpoint, vertex.CreateEndpointRequest, Operation.SerializeToString),
            "DeployModel": (service.deploy, vertex.DeployModelRequest, Operation.SerializeToString),
            "UndeployModel": (service.undeploy, vertex.UndeployModelRequest, Operation.SerializeToString),
        },
    }
    return [
        grpc.method_handlers_generic_handler(
            f"google.cloud.aiplatform.v1.{name}",
            {
                method: grpc.unary_unary_rpc_method_handler(act, request.deserialize, serialize)
                for method, (act, request, serialize) in methods.items()
            },
        )
        for name, methods in actions.items()
    ]


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    service = Service()
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers(_handlers(service))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()

    def create_channel(host: str, **_: Any) -> grpc.Channel:
        assert host == "europe-west4-aiplatform.googleapis.com:443"
        return grpc.insecure_channel(f"127.0.0.1:{port}")

    for transport in (ModelServiceGrpcTransport, EndpointServiceGrpcTransport):
        monkeypatch.setattr(transport, "create_channel", create_channel)
    monkeypatch.setattr(initializer.global_config, "_credentials", None)
    monkeypatch.setattr(google.auth, "default", lambda *_, **__: (AnonymousCredentials(), "project"))
    yield service
    server.stop(None)


@pytest.fixture
def step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs the step; gives its exit code and what it printed last."""
    evaluation.write(str(tmp_path), builders.evaluation())

    def run(pushed: dict[str, Any], registry: ModelRegistryConfig = REGISTRY, run: str = "clicks-1") -> tuple[int, str]:
        artifacts = {
            "evaluation": {"uri": str(tmp_path)},
            "pushed_model": {"uri": "gs://bucket/run/pushed_model", "metadata": pushed},
        }
        message = {
            "inputs": {
                "parameterValues": {"run": run},
                "artifacts": {name: {"artifacts": [artifact]} for name, artifact in artifacts.items()},
            }
        }
        settings = {"pipeline": "clicks", "registry": registry.model_dump(mode="json")}
        code = registration.main(["--settings", json.dumps(settings), "--executor_input", json.dumps(message)])
        said = capsys.readouterr()
        return code, (said.out + said.err).splitlines()[-1]

    return run


def pushed(version: int) -> dict[str, Any]:
    return {"pushed": 1.0, "pushed_destination": f"gs://bucket/serving/{version}"}


def test_blessed_models_are_versions_of_one_model_and_the_newest_is_served(service: Service, step: Any) -> None:
    assert step(pushed(17)) == (0, "version 1 of the model clicks is there, and deployed to the endpoint shop")
    assert step(pushed(18)) == (0, "version 2 of the model clicks is there, and deployed to the endpoint shop")

    (versions,) = service.versions.values()
    assert [version.artifact_uri for version in versions] == ["gs://bucket/serving/17", "gs://bucket/serving/18"]
    assert versions[0].container_spec.image_uri == "tf2:1"
    assert versions[0].labels == {"pipeline": "clicks", "run": "clicks-1"}
    best = builders.evaluation().model.full["HR@10"]
    assert f"HR@10 of all items {best:.4f}" in versions[0].version_description
    assert "default" in versions[1].version_aliases

    (endpoint,) = service.endpoints.values()
    assert (endpoint.name, endpoint.display_name) == (f"{PARENT}/endpoints/shop", "shop")
    (deployed,) = endpoint.deployed_models
    assert deployed.model_version_id == "2"
    assert endpoint.traffic_split[deployed.id] == 100
    machines = deployed.dedicated_resources
    assert (machines.machine_spec.machine_type, machines.max_replica_count) == ("n1-standard-2", 3)


def test_what_is_there_is_not_uploaded_or_deployed_again(service: Service, step: Any) -> None:
    step(pushed(17))
    assert step(pushed(17)) == (0, "version 1 of the model clicks was there, and on the endpoint shop")
    assert [len(versions) for versions in service.versions.values()] == [1]
    assert [endpoint.deployed_models[0].id for endpoint in service.endpoints.values()] == ["100"]


def test_without_an_endpoint_a_version_is_uploaded_alone(service: Service, step: Any) -> None:
    registry = REGISTRY.model_copy(update={"endpoint": None})
    assert step({"pushed": 1.0, "pushed_destination": "/gcs/bucket/serving/17"}, registry) == (
        0,
        "version 1 of the model clicks is there",
    )
    assert service.versions[f"{PARENT}/models/clicks"][0].artifact_uri == "gs://bucket/serving/17"
    assert not service.endpoints


def test_a_model_that_is_not_blessed_is_not_registered(service: Service, step: Any) -> None:
    assert step({"pushed": 0.0}) == (0, "nothing to register: the model is not blessed")
    assert not service.versions


def test_a_refusal_is_one_line_that_says_what_to_do(service: Service, step: Any) -> None:
    service.code = grpc.StatusCode.PERMISSION_DENIED
    code, said = step(pushed(17))
    assert code == 2
    assert said.startswith("error: Vertex AI (project, europe-west4) does not allow this (403)")


def test_a_model_elsewhere_is_told(service: Service, step: Any) -> None:
    code, said = step({"pushed": 1.0, "pushed_destination": "s3://bucket/serving/17"})
    assert code == 2
    assert "s3://bucket/serving/17 is nothing that Vertex AI's Model Registry reads" in said


def test_a_run_s_name_becomes_a_label() -> None:
    assert registration.label("Clicks of 2026" + "x" * 60) == "clicks-of-2026" + "x" * 49
