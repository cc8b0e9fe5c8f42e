"""The steps from the Trainer on as a command line of `pipeline.kubeflow.worker`, out of the compiled pipeline."""

import json
import posixpath
from collections.abc import Mapping

from components.shared.json_types import JsonObject
from pipeline.config import Config
from pipeline.kubeflow.worker import joined
from pipeline.platforms import compilation
from pipeline.platforms.registry import PLATFORMS

_STEPS = ("Trainer", "Evaluator", "Pusher")
_COMMAND = ("python", "-m", "pipeline.kubeflow.worker")
# What TFX asks of an artifact that NegativeGen has made; all else is in the artifact itself.
_METADATA = {"examples": {"split_names": '["train"]', "payload_format": "FORMAT_TF_EXAMPLE"}}


def command(config: Config, inputs: Mapping[str, str], root: str) -> list[str]:
    """What a container runs to train as one of several workers, and to evaluate and push as their chief.

    Args:
      config: of the run; its parameters have their defaults.
      inputs: the URIs of `examples`, `interactions` and `vocabulary`.
      root: the folder that the steps' artifacts are written to, by their names.

    Raises:
      UserError: Kubeflow does not have what the configuration asks for.
    """
    trainer = config.trainer.model_copy(update={"device": "auto"})  # compiled, a step is one machine
    spec = compilation.compile_pipeline(config.model_copy(update={"trainer": trainer}), PLATFORMS["kfp"])
    return [*_COMMAND, *joined([_arguments(spec, step, inputs, root) for step in _STEPS])]


def _arguments(spec: JsonObject, step: str, inputs: Mapping[str, str], root: str) -> list[str]:
    """The arguments of the entry point that the compiled step has, with what its backend would fill in."""
    task, component = spec["root"]["dag"]["tasks"][step], spec["components"][step]
    values = _values(spec, task)
    if step == "Trainer":
        values["device"] = "multiworker"
    read = {name: source["taskOutputArtifact"]["outputArtifactKey"] for name, source in _artifacts(task).items()}
    made = component["outputDefinitions"]["artifacts"]
    described: JsonObject = {
        "inputs": {
            "parameterValues": values,
            "artifacts": {
                name: _listed(name, inputs.get(key) or posixpath.join(root, key), metadata=_METADATA.get(name, {}))
                for name, key in read.items()
            },
        },
        "outputs": {
            "artifacts": {
                name: _listed(name, posixpath.join(root, name), type=artifact["artifactType"])
                for name, artifact in made.items()
                if "instanceSchema" in artifact["artifactType"]  # of TFX; what a console shows has no console here
            },
            "outputFile": f"/tmp/{step}.json",
        },
    }
    container = spec["deploymentSpec"]["executors"][component["executorLabel"]]["container"]
    return ["--in-place", *(_compact(described if part == "{{$}}" else part) for part in container["args"])]


def _artifacts(task: JsonObject) -> JsonObject:
    artifacts: JsonObject = task["inputs"].get("artifacts", {})
    return artifacts


def _listed(name: str, uri: str, **fields: JsonObject) -> JsonObject:
    return {"artifacts": [{"name": name, "uri": uri, **fields}]}


def _values(spec: JsonObject, task: JsonObject) -> JsonObject:
    """The step's parameters; those that the run would leave open are not there."""
    parameters = spec["root"]["inputDefinitions"]["parameters"]
    defaults = {name: found["defaultValue"] for name, found in parameters.items() if "defaultValue" in found}
    values: JsonObject = {}
    for name, source in task["inputs"]["parameters"].items():
        if "runtimeValue" in source:
            values[name] = source["runtimeValue"]["constant"]
        elif source["componentInputParameter"] in defaults:
            values[name] = defaults[source["componentInputParameter"]]
    return values


def _compact(argument: str | JsonObject) -> str:
    """JSON on one line, which a manifest holds in fewer; any other text as it is."""
    if isinstance(argument, str) and not argument.startswith("{"):
        return argument
    return json.dumps(json.loads(argument) if isinstance(argument, str) else argument, sort_keys=True)
