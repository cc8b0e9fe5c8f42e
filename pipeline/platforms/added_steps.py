"""Steps of a compiled pipeline that are none of TFX's: the form in which they are added to it."""

import argparse
import copy
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence

from components.shared.errors import find_user_error
from components.shared.json_types import JsonObject

STEPS = ("Register", "Report")
"""Those that may be added behind TFX's; the one before them has the pod of Preprocess."""
RUN = "run"
_RUN_NAME = "{{$.pipeline_job_name}}"


def executor_of(step: str) -> str:
    """The label that TFX gives to the executor of a step."""
    return f"{step}_executor"


def add_component(
    spec: JsonObject,
    step: str,
    image: str,
    command: Sequence[str],
    settings: JsonObject,
    artifacts: Mapping[str, str],
    parameters: JsonObject,
) -> None:
    """Adds a component and its executor to a compiled pipeline.

    Args:
      spec: the compiled pipeline; changed in place.
      step: name of the component.
      image: that it runs in.
      command: that it runs, with `--settings` and `--executor_input`.
      settings: what it is told when the pipeline is compiled.
      artifacts: its inputs by name, which no task has to hand over; with each, the step that has it as an output.
      parameters: the definitions of its parameters besides the run's name.
    """
    arguments = ["--settings", json.dumps(settings, sort_keys=True), "--executor_input", "{{$}}"]
    container = {"image": image, "command": list(command), "args": arguments}
    outputs = {
        name: spec["components"][producer]["outputDefinitions"]["artifacts"][name]
        for name, producer in artifacts.items()
    }
    spec["deploymentSpec"]["executors"][executor_of(step)] = {"container": container}
    spec["components"][step] = {
        "executorLabel": executor_of(step),
        "inputDefinitions": {
            "artifacts": {name: {**copy.deepcopy(output), "isOptional": True} for name, output in outputs.items()},
            "parameters": {**parameters, RUN: {"parameterType": "STRING"}},
        },
    }


def sources(artifacts: Mapping[str, str]) -> JsonObject:
    """What stands in a task for artifacts.

    Args:
      artifacts: by name, the step that each is an output of, under the same name.
    """
    return {
        name: {"taskOutputArtifact": {"producerTask": step, "outputArtifactKey": name}}
        for name, step in artifacts.items()
    }


def task(name: str, component: str, parameters: JsonObject) -> JsonObject:
    """A task that is never taken from the cache, and knows the run's name as its parameter `run`."""
    return {
        "cachingOptions": {},
        "componentRef": {"name": component},
        "inputs": {"parameters": {**parameters, RUN: {"runtimeValue": {"constant": _RUN_NAME}}}},
        "taskInfo": {"name": name},
    }


def run(
    command: Sequence[str],
    description: str,
    act: Callable[[JsonObject, JsonObject], Iterable[str]],
    arguments: Sequence[str] | None,
) -> int:
    """Runs such a step in its container.

    Args:
      command: that it was started by.
      description: of the step, for `--help`.
      act: does the work, by the ExecutorInput and what `add_component` was told; gives the lines to be printed.
      arguments: of the command; None: those of the process.

    Returns:
      The exit code: 0, or 2 for an error that the user can mend, which is the last line on standard error.
    """
    parser = argparse.ArgumentParser(prog=" ".join(command), description=description)
    parser.add_argument("--executor_input", required=True)
    parser.add_argument("--settings", required=True)
    known = parser.parse_args(arguments)
    try:
        for line in act(json.loads(known.executor_input), json.loads(known.settings)):
            print(line, flush=True)
    except Exception as error:
        if user_error := find_user_error(error):
            print(f"error: {user_error}", file=sys.stderr, flush=True)
            return 2
        raise
    return 0
