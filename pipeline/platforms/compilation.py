"""Compiles the pipeline for the platforms that take Kubeflow's PipelineSpec (schema 2.1)."""

import copy
from collections.abc import Container, Iterable, Mapping
from typing import Any

import yaml
from google.protobuf import json_format
from kfp.pipeline_spec.pipeline_spec_pb2 import PipelineDeploymentConfig
from tfx.orchestration import data_types
from tfx.orchestration.kubeflow.v2 import kubeflow_v2_dag_runner
from tfx.orchestration.pipeline import Pipeline

from components.preprocess.config import DatasetConfig
from components.shared.errors import UserError
from components.shared.json_types import JsonObject
from components.trainer.component import Trainer
from components.trainer.tuning.component import Tuner
from pipeline import look
from pipeline.config import Config, value_at
from pipeline.pipeline import Places, create_pipeline
from pipeline.platforms import added_steps, hardware, run_parameters
from pipeline.platforms.added_steps import executor_of
from pipeline.platforms.base import Platform
from pipeline.platforms.config import ClusterConfig, PodConfig
from pipeline.platforms.registry import PLATFORMS
from pipeline.results.outputs import RESULTS
from pipeline.tracking import compiled as tracking

Spec = JsonObject

_COMMAND = ["python", "-m", "pipeline.entrypoint"]
_NUMBERS: dict[type, str] = {int: "NUMBER_INTEGER", float: "NUMBER_DOUBLE"}
_HEADER = "# Made by `python -m pipeline compile`. Change the configuration, not this file.\n"
_DESCRIPTION = "From a file of ratings to a gated, pushed NeuMF recommender."


def compile_pipeline(config: Config, platform: Platform[Any]) -> Spec:
    """The pipeline as a PipelineSpec, whose runs take `run_parameters.RUN_PARAMETERS`.

    Args:
      config: the pipeline's configuration, with the defaults of its parameters.
      platform: that it is for; what it asks of the Trainer's machine is the platform's.

    Raises:
      UserError: the platform does not have what the configuration asks for.
    """
    input_version = data_types.RuntimeParameter(run_parameters.INPUT_VERSION, ptype=str)
    _check_owner(config, platform)
    training_job = platform.training_job(config)
    hardware.check(config)
    _check_source(config, platform)
    pipeline = create_pipeline(
        run_parameters.with_run_parameters(config), Places.of_orchestrator(), input_version, training_job
    )
    _ask_for_resources(pipeline, config.cluster, platform, in_job=training_job is not None)
    runner = kubeflow_v2_dag_runner.KubeflowV2DagRunner(
        kubeflow_v2_dag_runner.KubeflowV2DagRunnerConfig(
            default_image=config.cluster.image, default_commands=_COMMAND, use_pipeline_spec_2_1=True
        )
    )
    spec: Spec = runner.run(pipeline, write_out=False)["pipelineSpec"]
    _describe(spec, pipeline)
    _add_results(spec)
    _take_numbers(spec)
    _give_defaults(spec, run_parameters.default_values(config))
    platform.add_steps(spec, config)
    if tracking.is_told(config):
        tracking.add_step(spec, config, run_parameters.RUN_PARAMETERS)
    _limit_added(spec, config.cluster)
    for step, pod in pods(config, spec).items():
        _set_up(spec, step, pod)
    return spec


def _check_owner(config: Config, platform: Platform[Any]) -> None:
    for target, other in PLATFORMS.items():
        for key in sorted(other.own - platform.own):
            if value_at(config, key) is not None:
                raise UserError(
                    f"{key.partition('.')[0]} is what {other.title} has, and {platform.title} has none; compile for "
                    f"{target}, or set {key}: null"
                )


def _check_source(config: Config, platform: Platform[Any]) -> None:
    if ahead := config.negatives.epochs_ahead:
        raise UserError(
            f"negatives.epochs_ahead: {ahead} is for one machine, and steps on {platform.title} run one after the "
            "other; set negatives.source=streamed and negatives.epochs_ahead=0, which trains on the same rows"
        )


def switch_cache_off(spec: Spec) -> None:
    """Has every step run, whatever earlier runs did."""
    for task in spec["root"]["dag"]["tasks"].values():
        task["cachingOptions"] = {}


def look_first(spec: Spec) -> None:
    """Adds a step before Preprocess, in the same container, that finds out whether its files have changed."""
    task, executors = spec["root"]["dag"]["tasks"]["Preprocess"], spec["deploymentSpec"]["executors"]
    # Copies, as YAML would write what stands in two places as an alias.
    like = copy.deepcopy(task)
    inputs = copy.deepcopy(spec["components"]["Preprocess"]["inputDefinitions"]["parameters"])
    read = [name for name in task["inputs"]["parameters"] if name in (*DatasetConfig.model_fields, look.OUTPUT)]
    executors[executor_of(look.STEP)] = {
        "container": {
            **copy.deepcopy(executors[executor_of("Preprocess")]["container"]),
            "command": list(look.COMMAND),
            "args": list(look.ARGUMENTS),
        }
    }
    spec["components"][look.STEP] = {
        "executorLabel": executor_of(look.STEP),
        "inputDefinitions": {"parameters": {name: inputs[name] for name in read}},
        "outputDefinitions": {"parameters": {look.OUTPUT: {"parameterType": "STRING"}}},
    }
    spec["root"]["dag"]["tasks"][look.STEP] = {
        **{key: like[key] for key in ("retryPolicy",) if key in like},
        "cachingOptions": {},
        "componentRef": {"name": look.STEP},
        "inputs": {"parameters": {name: like["inputs"]["parameters"][name] for name in read}},
        "taskInfo": {"name": look.STEP},
    }
    task["dependentTasks"] = [look.STEP]
    task["inputs"]["parameters"][look.OUTPUT] = {
        "taskOutputParameter": {"producerTask": look.STEP, "outputParameterKey": look.OUTPUT}
    }


def leave_open(spec: Spec, names: Iterable[str]) -> None:
    """Takes the defaults of some parameters away, for a run that is to have null or auto there."""
    for name in names:
        spec["root"]["inputDefinitions"]["parameters"][name].pop("defaultValue", None)


def finish(spec: Spec, config: Config, given: Container[str] | None = None) -> None:
    """The last change to a compiled pipeline: where somebody is told how runs end, its exit handler is added.

    Args:
      spec: the compiled pipeline; changed in place.
      config: what it was compiled from.
      given: the parameters that a run has a value for; None: those that have a default.
    """
    if tracking.is_told(config):
        known = spec["root"]["inputDefinitions"]["parameters"]
        defaults = [name for name, parameter in known.items() if "defaultValue" in parameter]
        tracking.add_exit_handler(spec, defaults if given is None else given)


def pods(config: Config, spec: Spec) -> dict[str, PodConfig]:
    """What each step of a compiled pipeline runs in; the one that looks sees what Preprocess sees."""
    steps = [step for step, component in spec["components"].items() if "executorLabel" in component]
    return {step: config.cluster.pod("Preprocess" if step == look.STEP else step) for step in steps}


def to_yaml(spec: Spec, config: Config, platform: Platform[Any]) -> str:
    """The text of a file that a platform takes: the pipeline, and what only the platform can be told of its pods.

    Raises:
      UserError: the platform does not have what the configuration asks for.
    """
    extra = platform.pods({executor_of(step): pod for step, pod in pods(config, spec).items()})
    texts = [yaml.safe_dump(part, sort_keys=True, width=120, allow_unicode=True) for part in (spec, extra) if part]
    return _HEADER + "---\n".join(texts)


def _ask_for_resources(pipeline: Pipeline, cluster: ClusterConfig, platform: Platform[Any], in_job: bool) -> None:
    """Where a job trains, the Trainer's step only waits for it."""
    for component in pipeline.components:
        trains = isinstance(component, Trainer | Tuner)
        if trains and in_job:
            continue
        wanted = _resources(cluster.pod(component.id))
        if trains and cluster.accelerator:
            wanted.accelerator.type = platform.accelerator(cluster.accelerator)
            wanted.accelerator.count = cluster.accelerator_count
        if wanted.ListFields():
            component.with_platform_config(wanted)


def _resources(pod: PodConfig) -> Any:
    return PipelineDeploymentConfig.PipelineContainerSpec.ResourceSpec(
        cpu_limit=pod.cpu or 0,
        memory_limit=pod.memory or 0,
        cpu_request=pod.cpu_request or 0,
        memory_request=pod.memory_request or 0,
    )


def _limit_added(spec: Spec, cluster: ClusterConfig) -> None:
    """Gives the steps that are none of TFX's the limits of their pods; TFX has given the others theirs."""
    for step in added_steps.STEPS:
        if step in spec["components"]:
            resources = json_format.MessageToDict(_resources(cluster.pod(step)))
            container = spec["deploymentSpec"]["executors"][executor_of(step)]["container"]
            container.update({"resources": resources} if resources else {})


def _set_up(spec: Spec, step: str, pod: PodConfig) -> None:
    """Adds the variables and the retries of a step."""
    if pod.environment:
        container = spec["deploymentSpec"]["executors"][executor_of(step)]["container"]
        container["env"] = [{"name": name, "value": value} for name, value in sorted(pod.environment.items())]
    if pod.retries:
        spec["root"]["dag"]["tasks"][step]["retryPolicy"] = {
            "maxRetryCount": pod.retries,
            "backoffDuration": f"{pod.retry_wait}s",
            "backoffFactor": pod.retry_factor,
            "backoffMaxDuration": f"{pod.retry_wait_limit}s",
        }


def _describe(spec: Spec, pipeline: Pipeline) -> None:
    """Adds what the platforms' pages show: a text for the pipeline, its steps and what goes in and out of them."""
    steps = [f"{component.id}: {component.DESCRIPTION}" for component in pipeline.components]
    spec["pipelineInfo"]["description"] = "\n".join([_DESCRIPTION, "", *steps])
    outputs = {component.id: component.OUTPUT_DESCRIPTIONS for component in pipeline.components}
    for component in pipeline.components:
        inputs = {
            name: outputs[channel.producer_component_id][channel.output_key]
            for name, channel in component.inputs.items()
        }
        definition = spec["components"][component.id]
        _describe_artifacts(definition.get("inputDefinitions", {}), inputs)
        _describe_artifacts(definition["outputDefinitions"], outputs[component.id])


def _describe_artifacts(definitions: Spec, texts: Mapping[str, str]) -> None:
    for name, artifact in definitions.get("artifacts", {}).items():
        artifact["description"] = texts[name]


def _add_results(spec: Spec) -> None:
    """Adds what the platforms' consoles show of each step to its outputs."""
    for name, result in RESULTS.items():
        spec["components"][result.step]["outputDefinitions"]["artifacts"][name] = {
            "artifactType": {"schemaTitle": result.kind, "schemaVersion": "0.0.1"},
            "description": result.description,
        }


def _give_defaults(spec: Spec, values: Mapping[str, run_parameters.Value]) -> None:
    """Adds the defaults, which TFX leaves out; so whoever starts a run names only what is different."""
    texts = run_parameters.descriptions()
    parameters = spec["root"]["inputDefinitions"]["parameters"]
    for name, parameter in parameters.items():
        default = {} if values[name] is None else {"defaultValue": values[name]}
        parameter.update(default, description=texts[name], isOptional=True)


def _take_numbers(spec: Spec) -> None:
    """Has runs take a number where people type one.

    What may be null or auto besides is a text to TFX. To the platforms it becomes an optional number, which is left
    out for null and auto; the entry point gives the step an empty text then.
    """
    numbers = run_parameters.number_types()
    parameters = spec["root"]["inputDefinitions"]["parameters"]
    for name in numbers:
        parameters[name]["parameterType"] = _NUMBERS[numbers[name]]
    for step, task in spec["root"]["dag"]["tasks"].items():
        inputs = spec["components"][step]["inputDefinitions"]["parameters"]
        for name, source in task["inputs"]["parameters"].items():
            if kind := numbers.get(source.get("componentInputParameter", "")):
                inputs[name].update(parameterType=_NUMBERS[kind], isOptional=True)
