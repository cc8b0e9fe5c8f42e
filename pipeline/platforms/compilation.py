"""Compiles the pipeline for the platforms that take Kubeflow's PipelineSpec (schema 2.1)."""

from collections.abc import Iterable, Mapping
from typing import Any

import yaml
from kfp.pipeline_spec.pipeline_spec_pb2 import PipelineDeploymentConfig
from tfx.orchestration import data_types
from tfx.orchestration.kubeflow.v2 import kubeflow_v2_dag_runner
from tfx.orchestration.pipeline import Pipeline

from components.trainer.component import Trainer
from components.trainer.tuning.component import Tuner
from pipeline.config import ClusterConfig, Config
from pipeline.pipeline import Places, create_pipeline
from pipeline.platforms import hardware, run_parameters
from pipeline.platforms.base import Platform
from pipeline.results.outputs import RESULTS

Spec = dict[str, Any]

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
    training_job = platform.training_job(config)
    hardware.check(config)
    pipeline = create_pipeline(
        run_parameters.with_run_parameters(config), Places.of_orchestrator(), input_version, training_job
    )
    if training_job is None:
        _ask_for_resources(pipeline, config.cluster, platform)
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
    return spec


def switch_cache_off(spec: Spec) -> None:
    """Has every step run, whatever earlier runs did."""
    for task in spec["root"]["dag"]["tasks"].values():
        task["cachingOptions"] = {}


def leave_open(spec: Spec, names: Iterable[str]) -> None:
    """Takes the defaults of some parameters away, for a run that is to have null or auto there."""
    for name in names:
        spec["root"]["inputDefinitions"]["parameters"][name].pop("defaultValue", None)


def to_yaml(spec: Spec) -> str:
    """The text of a file that Kubeflow and Vertex take."""
    return _HEADER + yaml.safe_dump(spec, sort_keys=True, width=120, allow_unicode=True)


def _ask_for_resources(pipeline: Pipeline, cluster: ClusterConfig, platform: Platform[Any]) -> None:
    wanted = PipelineDeploymentConfig.PipelineContainerSpec.ResourceSpec(
        cpu_limit=cluster.cpu or 0, memory_limit=cluster.memory or 0
    )
    if cluster.accelerator:
        wanted.accelerator.type = platform.accelerator(cluster.accelerator)
        wanted.accelerator.count = cluster.accelerator_count
    if wanted.ListFields():
        for component in pipeline.components:
            if isinstance(component, Trainer | Tuner):
                component.with_platform_config(wanted)


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
