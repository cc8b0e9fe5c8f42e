"""Kubeflow Pipelines' API server as far as `submit` uses it, on the loopback; it refuses what the API does."""

import contextlib
import json
import re
from dataclasses import dataclass, field
from email.parser import BytesParser
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import kfp_server_api
import yaml
from google.protobuf import json_format
from kfp.pipeline_spec.pipeline_spec_pb2 import PipelineSpec, PlatformSpec

from tests.loopback import QuietHandler, serving

STEPS = ("Preprocess", "NegativeGen", "Trainer", "Evaluator", "Pusher")


class RefusedError(Exception):
    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status


@dataclass
class KfpServer:
    """What the server holds, and how it is to answer.

    Attributes:
      status: where it is not None, every request is answered with it.
      token: that requests must bring, where it is not None.
      failing_step: of the runs, where it is not None.
    """

    status: int | None = None
    token: str | None = None
    failing_step: str | None = None
    requests: list[str] = field(default_factory=list)
    pipelines: list[dict[str, Any]] = field(default_factory=list)
    versions: list[dict[str, Any]] = field(default_factory=list)
    experiments: list[dict[str, Any]] = field(default_factory=list)
    runs: list[dict[str, Any]] = field(default_factory=list)
    recurring: list[dict[str, Any]] = field(default_factory=list)
    looks: int = 0
    url: str = ""

    def __enter__(self) -> "KfpServer":
        self._served = contextlib.ExitStack()
        self.url = self._served.enter_context(serving(_handler(self)))
        return self

    def __exit__(self, *_: object) -> None:
        self._served.close()

    def answer(self, method: str, path: str, query: dict[str, str], body: Any, token: str | None) -> dict[str, Any]:
        self.requests.append(f"{method} {path}")
        if self.status is not None:
            raise RefusedError(self.status, f"as told: {self.status}")
        if self.token is not None and token != f"Bearer {self.token}":
            raise RefusedError(401, "no valid token")
        for pattern, action in _ROUTES.items():
            if found := re.fullmatch(pattern, f"{method} {path}"):
                return action(self, query, body, *found.groups())
        raise RefusedError(404, "Not Found")

    def healthz(self, _query: Any, _body: Any) -> dict[str, Any]:
        return {"multi_user": False}

    def list_pipelines(self, query: dict[str, str], _body: Any) -> dict[str, Any]:
        return {"pipelines": _filtered(self.pipelines, query)}

    def list_versions(self, query: dict[str, str], _body: Any, pipeline: str) -> dict[str, Any]:
        own = [version for version in self.versions if version["pipeline_id"] == pipeline]
        return {"pipeline_versions": _filtered(own, query)}

    def upload(self, query: dict[str, str], file: bytes) -> dict[str, Any]:
        if any(pipeline["display_name"] == query["name"] for pipeline in self.pipelines):
            raise RefusedError(409, "there is a pipeline of that name")
        pipeline = {"pipeline_id": f"pipeline-{len(self.pipelines)}", "display_name": query["name"]}
        self.pipelines.append(pipeline)
        self.upload_version({"name": query["name"], "pipelineid": pipeline["pipeline_id"]}, file)
        return pipeline

    def upload_version(self, query: dict[str, str], file: bytes) -> dict[str, Any]:
        spec, *platforms = yaml.safe_load_all(file)
        json_format.ParseDict(spec, PipelineSpec())
        for document in platforms:
            json_format.ParseDict(document, PlatformSpec())
        if spec["schemaVersion"] != "2.1.0":
            raise RefusedError(400, "unsupported schema")
        version = {
            "pipeline_id": query["pipelineid"],
            "pipeline_version_id": f"version-{len(self.versions)}",
            "display_name": query["name"],
            "pipeline_spec": spec,
            "platforms": platforms,
        }
        self.versions.append(version)
        return version

    def list_experiments(self, query: dict[str, str], _body: Any) -> dict[str, Any]:
        return {"experiments": _filtered(self.experiments, query)}

    def create_experiment(self, _query: Any, body: Any) -> dict[str, Any]:
        _check(body, "V2beta1Experiment")
        experiment = {**body, "experiment_id": f"experiment-{len(self.experiments)}"}
        self.experiments.append(experiment)
        return experiment

    def create_run(self, _query: Any, body: Any) -> dict[str, Any]:
        _check(body, "V2beta1Run")
        reference = body["pipeline_version_reference"]["pipeline_version_id"]
        (version,) = (version for version in self.versions if version["pipeline_version_id"] == reference)
        known = version["pipeline_spec"]["root"]["inputDefinitions"]["parameters"]
        for name, value in body["runtime_config"]["parameters"].items():
            # As the backend's compiler does: backend/src/v2/compiler/argocompiler, template/v2_template.go
            if name not in known:
                raise RefusedError(400, f"parameter {name} is not an input of the pipeline")
            if isinstance(value, str) != (known[name]["parameterType"] == "STRING"):
                raise RefusedError(400, f"parameter {name} has the wrong type")
        self.runs.append({**body, "run_id": f"run-{len(self.runs)}", "state": "PENDING"})
        return self.runs[-1]

    def create_recurring_run(self, _query: Any, body: Any) -> dict[str, Any]:
        # A number of 64 bits, which the API takes as a number or as a text.
        _check({**body, "max_concurrency": str(body["max_concurrency"])}, "V2beta1RecurringRun")
        # As robfig/cron's parser reads it, which the backend takes: with a field for the second.
        if len(body["trigger"]["cron_schedule"]["cron"].split()) != 6:
            raise RefusedError(400, "cron wants six fields")
        number = len(self.recurring)
        self.recurring.append({**body, "recurring_run_id": f"recurring-{number}", "status": "ENABLED"})
        return self.recurring[-1]

    def list_recurring_runs(self, query: dict[str, str], _body: Any) -> dict[str, Any]:
        """One on each page."""
        own = [run for run in self.recurring if run["experiment_id"] == query["experiment_id"]]
        number = int(query.get("page_token") or 0)
        more = {"next_page_token": str(number + 1)} if number + 1 < len(own) else {}
        return {"recurringRuns": own[number : number + 1], **more}

    def change_recurring_run(self, _query: Any, _body: Any, name: str, change: str) -> dict[str, Any]:
        (found,) = (run for run in self.recurring if run["recurring_run_id"] == name)
        found["status"] = {"enable": "ENABLED", "disable": "DISABLED"}[change]
        return {}

    def delete_recurring_run(self, _query: Any, _body: Any, name: str) -> dict[str, Any]:
        self.recurring = [run for run in self.recurring if run["recurring_run_id"] != name]
        return {}

    def get_run(self, _query: Any, _body: Any, run: str) -> dict[str, Any]:
        """With each look, one step more has ended."""
        (found,) = (candidate for candidate in self.runs if candidate["run_id"] == run)
        self.looks += 1
        failing = STEPS.index(self.failing_step) if self.failing_step else len(STEPS)
        ended = min(self.looks, failing)
        states = ["SUCCEEDED"] * ended
        state = "SUCCEEDED"
        if ended < len(STEPS):
            failed = ended == failing and self.looks > failing
            state = "FAILED" if failed else "RUNNING"
            states.append(state)
        tasks = [
            {"task_id": f"{run}-{step}", "run_id": run, "display_name": step, "state": state}
            for step, state in zip(STEPS, states, strict=False)
        ]
        drivers = [{**task, "display_name": f"{task['display_name']}-driver"} for task in tasks]
        root = {"task_id": run, "run_id": run, "display_name": "root", "state": state}
        error = {"error": {"code": 2, "message": "main: error (exit code 2)"}} if state == "FAILED" else {}
        return {**found, "state": state, "run_details": {"task_details": [root, *drivers, *tasks]}, **error}


_ROUTES: dict[str, Any] = {
    "GET /apis/v2beta1/healthz": KfpServer.healthz,
    "GET /apis/v2beta1/pipelines": KfpServer.list_pipelines,
    "POST /apis/v2beta1/pipelines/upload": KfpServer.upload,
    "POST /apis/v2beta1/pipelines/upload_version": KfpServer.upload_version,
    "GET /apis/v2beta1/pipelines/([^/]+)/versions": KfpServer.list_versions,
    "GET /apis/v2beta1/experiments": KfpServer.list_experiments,
    "POST /apis/v2beta1/experiments": KfpServer.create_experiment,
    "POST /apis/v2beta1/runs": KfpServer.create_run,
    "GET /apis/v2beta1/runs/([^/]+)": KfpServer.get_run,
    "POST /apis/v2beta1/recurringruns": KfpServer.create_recurring_run,
    "GET /apis/v2beta1/recurringruns": KfpServer.list_recurring_runs,
    "POST /apis/v2beta1/recurringruns/([^/:]+):(enable|disable)": KfpServer.change_recurring_run,
    "DELETE /apis/v2beta1/recurringruns/([^/]+)": KfpServer.delete_recurring_run,
}


def _filtered(things: list[dict[str, Any]], query: dict[str, str]) -> list[dict[str, Any]]:
    (predicate,) = json.loads(query["filter"])["predicates"]
    assert predicate["operation"] in ("EQUALS", 1)  # protobuf takes both for an enumeration
    assert predicate["key"] == "display_name"
    return [thing for thing in things if thing["display_name"] == predicate["stringValue"]]


def _check(body: Any, model: str) -> None:
    """Refuses a message that kfp's own model of it does not hold completely."""
    client = kfp_server_api.ApiClient()
    try:
        read = client.deserialize(SimpleNamespace(data=json.dumps(body)), model)
    except ValueError as error:
        raise RefusedError(400, str(error)) from None
    kept = client.sanitize_for_serialization(read)
    if kept != body:
        raise RefusedError(400, f"{model} does not know all of {sorted(body)}")


def _handler(server: KfpServer) -> type[QuietHandler]:
    class Handler(QuietHandler):
        def _serve(self) -> None:
            address = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(address.query).items()}
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            try:
                body = self._read(raw)
                status, content = (
                    200,
                    server.answer(self.command, address.path, query, body, self.headers.get("authorization")),
                )
            except RefusedError as refusal:
                status, content = refusal.status, {"error": str(refusal), "code": 3, "message": str(refusal)}
            data = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_DELETE = _serve  # noqa: N815

        def _read(self, raw: bytes) -> Any:
            kind = self.headers.get("Content-Type") or ""
            if not kind.startswith("multipart/form-data"):
                return json.loads(raw) if raw else None
            message = BytesParser().parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + raw)
            (part,) = message.get_payload()
            return part.get_payload(decode=True)

    return Handler
