"""The steps of a compiled pipeline that tell how its runs ended."""

import copy
from collections.abc import Container, Mapping

from components.shared.json_types import JsonObject
from pipeline.config import Config, describe_config
from pipeline.platforms import added_steps
from pipeline.tracking import step
from pipeline.tracking.step import STEP

Spec = JsonObject

AT_EXIT = "ReportFailure"
# As kfp's own compiler names and forms them (dsl.ExitHandler).
_STEPS = "exit-handler-1"


def is_told(config: Config) -> bool:
    """Whether anybody is to know how runs end."""
    return bool(config.notify.webhook or config.tracking.mlflow)


def settings(config: Config, parameters: Mapping[str, str]) -> JsonObject:
    """What the step is told when the pipeline is compiled.

    Args:
      config: the configuration of the pipeline.
      parameters: the key of the configuration that each of the run's parameters stands for.
    """
    return {
        "name": config.name,
        "notify": config.notify.model_dump(mode="json"),
        "tracking": config.tracking.model_dump(mode="json"),
        "config": {"seed": config.seed, **describe_config(config)},
        "parameters": dict(parameters),
    }


def add_step(spec: Spec, config: Config, parameters: Mapping[str, str]) -> None:
    """Adds the step that tells the verdict, behind all others.

    Args:
      spec: the compiled pipeline; changed in place.
      config: what it was compiled from.
      parameters: the key of the configuration that each of the run's parameters stands for.
    """
    tasks, known = spec["root"]["dag"]["tasks"], spec["root"]["inputDefinitions"]["parameters"]
    types = {name: {"parameterType": known[name]["parameterType"], "isOptional": True} for name in parameters}
    status = {step.STATUS: {"parameterType": "TASK_FINAL_STATUS", "isOptional": True}}
    added_steps.add_component(
        spec,
        STEP,
        config.cluster.image,
        step.COMMAND,
        settings(config, parameters),
        step.ARTIFACTS,
        {**types, **status},
    )
    told = added_steps.task(STEP, STEP, {name: {"componentInputParameter": name} for name in parameters})
    told["inputs"]["artifacts"] = added_steps.sources(step.ARTIFACTS)
    tasks[STEP] = {**told, "dependentTasks": sorted(tasks)}


def add_exit_handler(spec: Spec, given: Container[str]) -> None:
    """Puts all steps into one, behind which another tells where they did not come to their end.

    Kubeflow does not hand a parameter on into such a step that a run leaves open. So what the run is not given has no
    value here, and cannot be given one later.

    Args:
      spec: the compiled pipeline with the step of `add_step`; changed in place. Nothing else can be added to it.
      given: the parameters that have a value.
    """
    root = spec["root"]
    known = root["inputDefinitions"]["parameters"]
    spec["components"][f"comp-{_STEPS}"] = {
        "dag": root["dag"],
        "inputDefinitions": {"parameters": copy.deepcopy(known)},
    }
    for name in [name for name in known if name not in given]:
        del known[name]
    handed_on = {name: {"componentInputParameter": name} for name in known}
    own = {name: value for name, value in handed_on.items() if name in _parameters_of_step(spec)}
    status = {step.STATUS: {"taskFinalStatus": {"producerTask": _STEPS}}}
    root["dag"] = {
        "tasks": {
            _STEPS: {
                "componentRef": {"name": f"comp-{_STEPS}"},
                "inputs": {"parameters": handed_on},
                "taskInfo": {"name": _STEPS},
            },
            AT_EXIT: {
                **added_steps.task(AT_EXIT, STEP, {**copy.deepcopy(own), **status}),
                "dependentTasks": [_STEPS],
                "triggerPolicy": {"strategy": "ALL_UPSTREAM_TASKS_COMPLETED"},
            },
        }
    }


def _parameters_of_step(spec: Spec) -> JsonObject:
    parameters: JsonObject = spec["components"][STEP]["inputDefinitions"]["parameters"]
    return parameters
