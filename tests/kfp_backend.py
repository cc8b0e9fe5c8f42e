"""What the open-source backend of Kubeflow Pipelines does around the steps of its runs, imitated.

After kubeflow/pipelines 7b70c7b, backend/src/v2. The driver makes up the outputs' URIs and adds `executor-logs`
(driver/driver.go); inputs of later steps have an empty type, the number of their record for a name, and metadata whose
numbers are doubles (metadata/converter.go). A step whose key is that of an earlier one, of whatever run, is not
started, and has the outputs of the newest such (driver/cache.go, cacheutils/cache.go); one that fails leaves no key.
"""

import hashlib
import itertools
import json
from abc import ABC, abstractmethod
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import TopologicalSorter

from components.shared.json_types import Json, JsonObject

_OUTPUT_FILE = "output_metadata.json"
_LOGS = {"schemaTitle": "system.Artifact"}


class StepFailedError(Exception):
    """A step ended with another code than 0."""


@dataclass(frozen=True)
class Outputs:
    """What a step gave: artifacts, as later steps get them, and parameters."""

    artifacts: dict[str, JsonObject]
    parameters: JsonObject


@dataclass(kw_only=True)
class Backend(ABC):
    """Runs compiled pipelines, one after the other, all in one namespace.

    Attributes:
      outputs: of each step, in the latest run that had it.
      logs: what each step printed that was started in the latest run.
      from_cache: the steps that were not started in it.
      cache: outputs by the key of the step that gave them.
    """

    outputs: dict[str, Outputs] = field(default_factory=dict)
    logs: dict[str, str] = field(default_factory=dict)
    from_cache: list[str] = field(default_factory=list)
    cache: dict[str, Outputs] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @abstractmethod
    def launch(self, step: str, command: Sequence[str], executor_input: JsonObject) -> tuple[str, JsonObject]:
        """Does the launcher's part: runs a step to its end.

        Args:
          step: its name.
          command: with the message in it.
          executor_input: the message.

        Returns:
          What it printed, and what it wrote to the output file that the message names.

        Raises:
          StepFailedError: it ended with another code than 0.
        """

    def run(
        self, spec: JsonObject, root: str, parameters: Mapping[str, Json], steps: Container[str] | None = None
    ) -> None:
        """Runs all steps in their order, or only some, on what those before them have left in `outputs`.

        Args:
          spec: the compiled pipeline.
          root: where the run's artifacts go, the run's own.
          parameters: the run's; the others have their defaults.
          steps: None: all.

        Raises:
          StepFailedError: one did; those after it do not run.
        """
        self.logs, self.from_cache = {}, []
        definitions = spec["root"]["inputDefinitions"]["parameters"]
        defaults = {name: found["defaultValue"] for name, found in definitions.items() if "defaultValue" in found}
        tasks = spec["root"]["dag"]["tasks"]
        order = TopologicalSorter({name: task.get("dependentTasks", []) for name, task in tasks.items()})
        for name in order.static_order():
            if steps is None or name in steps:
                self._run_step(spec, name, f"{root}/{name}/salt", defaults | dict(parameters))

    def artifact(self, step: str, output: str) -> JsonObject:
        """An output, as later steps get it."""
        return self.outputs[step].artifacts[output]

    def _run_step(self, spec: JsonObject, name: str, root: str, values: Mapping[str, Json]) -> None:
        task, component = spec["root"]["dag"]["tasks"][name], spec["components"][name]
        container = spec["deploymentSpec"]["executors"][component["executorLabel"]]["container"]
        executor_input = {
            "inputs": self._inputs(task["inputs"], values),
            "outputs": _provisioned(component["outputDefinitions"], root),
        }
        caches = task["cachingOptions"].get("enableCache", False)
        key = _cache_key(spec["pipelineInfo"]["name"], component["outputDefinitions"], container, executor_input)
        if caches and key in self.cache:
            self.outputs[name] = self.cache[key]
            self.from_cache.append(name)
            return
        words = [*container["command"], *container["args"]]
        command = [json.dumps(executor_input) if word == "{{$}}" else word for word in words]
        self.logs[name] = ""
        self.logs[name], reported = self.launch(name, command, executor_input)
        self.outputs[name] = self._recorded(component["outputDefinitions"], executor_input, reported)
        if caches:
            self.cache[key] = self.outputs[name]

    def _inputs(self, inputs: JsonObject, values: Mapping[str, Json]) -> JsonObject:
        sources = {name: source["taskOutputArtifact"] for name, source in inputs.get("artifacts", {}).items()}
        return {
            "parameterValues": {
                name: self._value(source, values)
                for name, source in inputs["parameters"].items()
                # A parameter that the run leaves open is not there (driver/resolve.go).
                if source.get("componentInputParameter", "") in ("", *values)
            },
            "artifacts": {
                name: {"artifacts": [self.artifact(source["producerTask"], source["outputArtifactKey"])]}
                for name, source in sources.items()
            },
        }

    def _value(self, source: JsonObject, values: Mapping[str, Json]) -> Json:
        if "componentInputParameter" in source:
            return values[source["componentInputParameter"]]
        if "taskOutputParameter" in source:
            producer = source["taskOutputParameter"]
            return self.outputs[producer["producerTask"]].parameters[producer["outputParameterKey"]]
        return source["runtimeValue"]["constant"]

    def _recorded(self, definitions: JsonObject, executor_input: JsonObject, reported: JsonObject) -> Outputs:
        artifacts = {}
        for name in definitions.get("artifacts", {}):
            (made,) = executor_input["outputs"]["artifacts"][name]["artifacts"]
            (described,) = reported["artifacts"][name]["artifacts"]
            assert described["uri"] == made["uri"], "the launcher would upload nothing"
            artifacts[name] = {
                "name": str(next(self.numbers)),
                "uri": made["uri"],
                "type": {"instanceSchema": ""},
                "metadata": json.loads(json.dumps(described.get("metadata", {})), parse_int=float),
            }
        parameters = {name: reported["parameterValues"][name] for name in definitions.get("parameters", {})}
        return Outputs(artifacts, parameters)


def _provisioned(definitions: JsonObject, root: str) -> JsonObject:
    types = {name: found["artifactType"] for name, found in definitions.get("artifacts", {}).items()}
    artifacts = {
        name: {"artifacts": [{"name": name, "uri": f"{root}/{name}", "type": kind}]} for name, kind in types.items()
    }
    logs = {"name": "executor-logs", "uri": f"{root}/executor-logs-0", "type": _LOGS}
    return {
        "artifacts": {**artifacts, "executor-logs": {"artifacts": [logs]}},
        "parameters": {
            name: {"outputFile": f"/tmp/kfp/outputs/{name}"} for name in definitions.get("parameters", {})
        },
        "outputFile": f"/{root.replace('://', '/').lstrip('/')}/{_OUTPUT_FILE}",
    }  # fmt: skip


def _cache_key(pipeline: str, definitions: JsonObject, container: JsonObject, executor_input: JsonObject) -> str:
    """What stands for a step in the cache: of its inputs the names and values, of its outputs all but their URIs.

    The arguments are those of the compiled pipeline, before the message is filled in.
    """
    inputs, outputs = executor_input["inputs"], executor_input["outputs"]
    made = {name: found["artifacts"][0] for name, found in outputs["artifacts"].items()}
    key = {
        "inputArtifactNames": {
            name: [artifact["name"] for artifact in found["artifacts"]] for name, found in inputs["artifacts"].items()
        },
        "inputParameterValues": inputs["parameterValues"],
        "outputArtifactsSpec": {name: [found["name"], found["type"]] for name, found in made.items()},
        "outputParametersSpec": {
            name: found["parameterType"] for name, found in definitions.get("parameters", {}).items()
        },
        "containerSpec": [container["image"], [*container["command"], *container["args"]]],
    }
    return hashlib.sha256(f"{pipeline} {json.dumps(key, sort_keys=True)}".encode()).hexdigest()
