"""The step that registers models, against a server on loopback that holds requests against the registry's own API."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

import pytest

from components.artifacts import evaluation
from pipeline.kubeflow import registration
from pipeline.kubeflow.config import KubeflowModelRegistryConfig
from pipeline.results import figures
from tests.components.evaluator.report import builders
from tests.loopback import QuietHandler, serving

API = "/api/model_registry/v1alpha3/"
# The fields of RegisteredModelCreate, ModelVersionCreate and ModelArtifact in api/openapi/model-registry.yaml; the
# server's decoder refuses any other.
_COMMON = {"name", "description", "externalId", "customProperties", "state"}
FIELDS = {
    "registered_models": _COMMON | {"readme", "maturity", "language", "tasks", "provider", "logo", "license", "owner"},
    "model_versions": _COMMON | {"author", "registeredModelId"},
    "artifacts": _COMMON
    | {"artifactType", "uri", "modelFormatName", "modelFormatVersion", "storageKey", "storagePath"},
}
VALUES = {"MetadataStringValue": ("string_value", str), "MetadataDoubleValue": ("double_value", float)}


class Handler(QuietHandler):
    """The registry's service.

    Attributes:
      models, versions, artifacts: what it has, by id; a version has its model's id, an artifact its version's.
      asked: the methods and paths of all requests.
      tokens: what stood in their header Authorization.
      answer: where it is not None, each request is answered with this status and body.
      in_between: names that another client makes before this one can.
    """

    models: ClassVar[dict[str, Any]]
    versions: ClassVar[dict[str, Any]]
    artifacts: ClassVar[dict[str, Any]]
    asked: ClassVar[list[str]]
    tokens: ClassVar[set[str | None]]
    answer: ClassVar[tuple[int, bytes] | None]
    in_between: ClassVar[set[str]]

    def do_GET(self) -> None:  # noqa: N802
        path, query = self._request()
        if self.answer:
            return self._send(*self.answer)
        match path.split("/"):
            case ["registered_model"]:
                self._find(self.models, name=query["name"])
            case ["model_version"]:
                self._find(self.versions, name=query["name"], registeredModelId=query["parentResourceId"])
            case ["model_versions", number, "artifacts"]:
                found = [one for one in self.artifacts.values() if one["version"] == number]
                self._send(200, json.dumps({"items": found, "nextPageToken": "", "pageSize": 0, "size": len(found)}))
            case _:
                self._send(404, "page not found")
        return None

    def do_POST(self) -> None:  # noqa: N802
        path, _ = self._request()
        if self.answer:
            return self._send(*self.answer)
        kind = path.rpartition("/")[2]
        made = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        _check(made, FIELDS[kind])
        match path.split("/"):
            case ["registered_models"]:
                self._make(self.models, made)
            case ["model_versions"]:
                assert made["registeredModelId"] in self.models
                self._make(self.versions, made)
            case ["model_versions", number, "artifacts"]:
                assert number in self.versions
                assert made["artifactType"] == "model-artifact"
                self._make(self.artifacts, {**made, "version": number})
        return None

    def _request(self) -> tuple[str, dict[str, str]]:
        address = urlsplit(self.path)
        self.asked.append(f"{self.command} {address.path}")
        self.tokens.add(self.headers.get("Authorization"))
        return address.path.removeprefix(API), dict(parse_qsl(address.query))

    def _find(self, among: dict[str, Any], **wanted: str) -> None:
        for one in among.values():
            if all(one[key] == value for key, value in wanted.items()):
                return self._send(200, json.dumps(one))
        return self._send(404, json.dumps({"code": "", "message": "no such thing"}))

    def _make(self, among: dict[str, Any], made: Any) -> None:
        number = str(len(among) + 1)
        among[number] = {**made, "id": number}
        if made["name"] in self.in_between:
            self.in_between.discard(made["name"])
            return self._send(409, json.dumps({"code": "409", "message": "is there"}))
        return self._send(201, json.dumps(among[number]))

    def _send(self, status: int, body: str | bytes) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body.encode() if isinstance(body, str) else body)


def _check(made: Any, fields: set[str]) -> None:
    assert made.keys() <= fields
    assert made["name"]
    for value in made.get("customProperties", {}).values():
        field, kind = VALUES[value["metadataType"]]
        assert value.keys() == {"metadataType", field}
        assert isinstance(value[field], kind)


@pytest.fixture
def registry() -> Iterator[str]:
    Handler.models, Handler.versions, Handler.artifacts = {}, {}, {}
    Handler.asked, Handler.tokens, Handler.answer, Handler.in_between = [], set(), None, set()
    with serving(Handler) as url:
        yield url


@pytest.fixture
def step(tmp_path: Path, registry: str, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs the step; gives its exit code and what it printed last."""
    evaluation.write(str(tmp_path), builders.evaluation())

    def run(pushed: dict[str, Any], url: str = registry, volumes: dict[str, str] | None = None) -> tuple[int, str]:
        artifacts = {
            "evaluation": {"uri": str(tmp_path)},
            "pushed_model": {"uri": "minio://mlpipeline/run/pushed_model", "metadata": pushed},
        }
        message = {
            "inputs": {
                "parameterValues": {"run": "clicks-1"},
                "artifacts": {name: {"artifacts": [artifact]} for name, artifact in artifacts.items()},
            }
        }
        config = KubeflowModelRegistryConfig(url=url, model="clicks")
        settings = {
            "pipeline": "shop",
            "registry": {"registry": config.model_dump(mode="json"), "volumes": volumes or {}},
        }
        code = registration.main(["--settings", json.dumps(settings), "--executor_input", json.dumps(message)])
        said = capsys.readouterr()
        return code, (said.out + said.err).splitlines()[-1]

    return run


def pushed(version: int) -> dict[str, Any]:
    return {"pushed": 1.0, "pushed_destination": f"s3://bucket/serving/{version}", "pushed_version": str(version)}


def test_blessed_models_are_versions_of_one_model(step: Any, tmp_path: Path) -> None:
    assert step(pushed(17)) == (0, "version 17 of the model clicks is there")
    assert step(pushed(18)) == (0, "version 18 of the model clicks is there")

    assert [model["name"] for model in Handler.models.values()] == ["clicks"]
    assert [version["name"] for version in Handler.versions.values()] == ["17", "18"]
    version = Handler.versions["1"]
    measured = figures.of_evaluation(str(tmp_path))
    assert f"HR@10 {measured['HR@10']:.4f}, " in version["description"]
    properties = version["customProperties"]
    assert properties["NDCG@10 of all items"]["double_value"] == measured["NDCG@10 of all items"]
    assert properties["run"]["string_value"] == "clicks-1"
    assert properties["pipeline"]["string_value"] == "shop"
    artifact = Handler.artifacts["2"]
    assert (artifact["version"], artifact["uri"]) == ("2", "s3://bucket/serving/18")
    assert (artifact["modelFormatName"], artifact["modelFormatVersion"]) == ("tensorflow", "2")


def test_what_is_there_is_not_made_again(step: Any) -> None:
    step(pushed(17))
    made = sum(one.startswith("POST") for one in Handler.asked)
    assert step(pushed(17)) == (0, "version 17 of the model clicks was there")
    assert sum(one.startswith("POST") for one in Handler.asked) == made


def test_a_version_that_was_left_without_its_artifact_gets_it(step: Any) -> None:
    step(pushed(17))
    Handler.artifacts.clear()
    assert step(pushed(17)) == (0, "version 17 of the model clicks is there")
    assert len(Handler.versions) == len(Handler.artifacts) == 1


def test_what_another_run_makes_in_between_is_taken(step: Any) -> None:
    Handler.in_between = {"clicks", "17"}
    assert step(pushed(17))[0] == 0
    assert len(Handler.models) == len(Handler.versions) == len(Handler.artifacts) == 1


def test_without_a_destination_a_version_has_the_run_s_name(step: Any) -> None:
    model = {"pushed": 1.0, "pushed_destination": "minio://mlpipeline/run/pushed_model"}
    assert step(model) == (0, "version clicks-1 of the model clicks is there")
    assert Handler.artifacts["1"]["uri"] == "s3://mlpipeline/run/pushed_model"


def test_a_volume_is_named_by_its_claim(step: Any) -> None:
    model = {"pushed": 1.0, "pushed_destination": "/models/clicks/17", "pushed_version": "17"}
    assert step(model, volumes={"/model": "no", "/models": "shop"})[0] == 0
    assert Handler.artifacts["1"]["uri"] == "pvc://shop/clicks/17"


def test_a_model_that_is_not_blessed_is_not_registered(step: Any) -> None:
    assert step({"pushed": 0.0}) == (0, "nothing to register: the model is not blessed")
    assert not Handler.asked


def test_the_pod_s_token_is_sent(step: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text("abc\n")
    monkeypatch.setenv("KF_PIPELINES_SA_TOKEN_PATH", str(tmp_path / "token"))
    step(pushed(17))
    assert Handler.tokens == {"Bearer abc"}


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (401, b"", "does not know the account of the step (401)"),
        (403, b"RBAC: access denied", "does not allow this to the account of the step (403)"),
        (500, b'{"code": "", "message": "no database"}', "refuses (500): no database"),
        (302, b"", "refuses (302)"),
        (404, b"", "has no api/model_registry/v1alpha3 (404)"),
        (200, b"<html>", "does not answer as Kubeflow's Model Registry does"),
        (200, b"[]", "does not answer as Kubeflow's Model Registry does"),
        (200, b"{}", "does not answer as Kubeflow's Model Registry does"),
        (200, b'{"id": 1, "items": 2}', "does not answer as Kubeflow's Model Registry does"),
    ],
)
def test_a_refusal_is_one_line(step: Any, registry: str, status: int, body: bytes, message: str) -> None:
    Handler.answer = status, body
    assert step(pushed(17)) == (2, f"error: kubeflow_model_registry.url: {registry} {message}")


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://127.0.0.1:99999", "https://no.invalid/registry"])
def test_no_answer_is_one_line(step: Any, url: str) -> None:
    code, said = step(pushed(17), url=url)
    assert code == 2
    assert said.startswith(f"error: kubeflow_model_registry.url: {url} does not answer, or is no address")
