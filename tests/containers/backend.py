"""What the open-source backend of Kubeflow Pipelines does around each step's container, imitated.

After kubeflow/pipelines 7b70c7b, backend/src/v2: the driver makes up the outputs' URIs and adds `executor-logs`; the
launcher copies the inputs from the object store to local folders, runs the step, and copies the outputs back, under
the URIs that the step reports; inputs of later steps have an empty type, and metadata whose numbers are doubles. Steps
run as a user that has no name, as a cluster may choose one.
"""

import json
import shutil
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import docker
from tests.containers.runner import NAMELESS, NO_NAMES, run_container

_OUTPUT_FILE = "output_metadata.json"


class StepFailedError(Exception):
    """A step's container ended with another code than 0."""


@dataclass
class Backend:
    """Runs a compiled pipeline.

    Attributes:
      podman: that runs the containers.
      folder: the object store is in `store`.
      logs: what each step printed.
      artifacts: each step's outputs, as later steps get them.
    """

    podman: docker.DockerClient
    folder: Path
    logs: dict[str, str] = field(default_factory=dict)
    artifacts: dict[str, dict[str, Any]] = field(default_factory=dict)

    def run(
        self, spec: Any, image: str, root: str, parameters: Mapping[str, Any], steps: Container[str] | None = None
    ) -> None:
        """Runs all steps in their order, or only some, on what those before them have left in `artifacts`.

        Raises:
          StepFailedError: one did; those after it do not run.
        """
        definitions = spec["root"]["inputDefinitions"]["parameters"]
        defaults = {name: found["defaultValue"] for name, found in definitions.items() if "defaultValue" in found}
        values = defaults | dict(parameters)
        tasks = spec["root"]["dag"]["tasks"]
        order = TopologicalSorter({name: task.get("dependentTasks", []) for name, task in tasks.items()})
        for name in order.static_order():
            if steps is None or name in steps:
                self._run_step(spec, name, image, f"{root}/{name}/salt", values)

    def stored(self, uri: str) -> Path:
        """Where the object store keeps a URI."""
        return self.folder / "store" / uri.partition("://")[2]

    def _run_step(self, spec: Any, name: str, image: str, root: str, values: Mapping[str, Any]) -> None:
        task, definition = spec["root"]["dag"]["tasks"][name], spec["components"][name]
        outputs = {
            key: {"name": key, "uri": f"{root}/{key}", "type": output["artifactType"]}
            for key, output in definition["outputDefinitions"]["artifacts"].items()
        }
        logs = {"name": "executor-logs", "uri": f"{root}/executor-logs-0", "type": {"schemaTitle": "system.Artifact"}}
        inputs = {
            key: self.artifacts[source["taskOutputArtifact"]["producerTask"]][
                source["taskOutputArtifact"]["outputArtifactKey"]
            ]
            for key, source in task["inputs"].get("artifacts", {}).items()
        }
        executor_input = {
            "inputs": {
                "parameterValues": {
                    key: values[source["componentInputParameter"]]
                    if "componentInputParameter" in source
                    else source["runtimeValue"]["constant"]
                    for key, source in task["inputs"]["parameters"].items()
                    # A parameter that the run leaves open is not there (driver/resolve.go).
                    if source.get("componentInputParameter", "") in ("", *values)
                },
                "artifacts": {key: {"artifacts": [found]} for key, found in inputs.items()},
            },
            "outputs": {
                "artifacts": {key: {"artifacts": [made]} for key, made in (outputs | {"executor-logs": logs}).items()},
                "outputFile": f"/{root.replace('://', '/')}/{_OUTPUT_FILE}",
            },
        }
        pod = self.folder / f"pod-{name}"
        disk = pod / "disk"
        disk.mkdir(parents=True)
        for found in inputs.values():
            shutil.copytree(self.stored(found["uri"]), disk / found["uri"].partition("://")[2])
        for made in outputs.values():
            (disk / made["uri"].partition("://")[2]).parent.mkdir(parents=True, exist_ok=True)

        container = spec["deploymentSpec"]["executors"][definition["executorLabel"]]["container"]
        arguments = [json.dumps(executor_input) if argument == "{{$}}" else argument for argument in container["args"]]
        scheme = root.partition("://")[0]
        code, self.logs[name] = run_container(
            self.podman, image, [*container["command"], *arguments],
            {
                str(disk): {"bind": f"/{scheme}", "mode": "rw"},
                **NO_NAMES,
            },
            user=NAMELESS,
        )  # fmt: skip
        if code:
            raise StepFailedError(f"{name}: exit code {code}\n{self.logs[name]}")
        self._collect(name, outputs, disk / root.partition("://")[2] / _OUTPUT_FILE, disk)
        shutil.rmtree(pod)

    def _collect(self, name: str, outputs: Mapping[str, Any], output_file: Path, disk: Path) -> None:
        reported = json.loads(output_file.read_text())["artifacts"]
        self.artifacts[name] = {}
        for number, (key, made) in enumerate(outputs.items()):
            (described,) = reported[key]["artifacts"]
            assert described["uri"] == made["uri"], "the launcher would upload nothing"
            local = disk / made["uri"].partition("://")[2]
            if local.is_dir():
                shutil.copytree(local, self.stored(made["uri"]))
            elif local.exists():
                self.stored(made["uri"]).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(local, self.stored(made["uri"]))
            metadata = json.loads(json.dumps(described.get("metadata", {})), parse_int=float)
            self.artifacts[name][key] = {
                "name": str(number), "uri": made["uri"], "type": {"instanceSchema": ""}, "metadata": metadata
            }  # fmt: skip
