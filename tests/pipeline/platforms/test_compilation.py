import importlib
import json
from pathlib import Path
from typing import Any

import kfp
import pytest
import yaml
from google.auth.credentials import AnonymousCredentials
from google.cloud import aiplatform
from google.protobuf import json_format
from kfp.pipeline_spec.pipeline_spec_pb2 import PipelineDeploymentConfig, PipelineSpec
from tfx.extensions.google_cloud_ai_platform import constants
from tfx.extensions.google_cloud_ai_platform.trainer import executor

from components.evaluator.config import EvaluatorConfig
from components.negative_gen.config import BatchesConfig
from components.preprocess.config import PreprocessConfig
from components.shared.errors import UserError
from components.trainer.config import TrainerConfig
from pipeline.config import load_config
from pipeline.platforms.compilation import compile_pipeline, to_yaml
from pipeline.platforms.registry import PLATFORMS
from pipeline.platforms.run_parameters import INPUT_VERSION, RUN_PARAMETERS

PROJECT = Path(__file__).resolve().parents[3]
COMMITTED = PROJECT / "kfp_pipeline.yaml"
CONFIG = PROJECT / "configs" / "synthetic.yaml"
STEPS = ["Preprocess", "NegativeGen", "Trainer", "Evaluator", "Pusher"]


def compiled(*assignments: str, target: str = "kfp") -> Any:
    return compile_pipeline(load_config(CONFIG, assignments), PLATFORMS[target])


def text_of(*assignments: str, target: str = "kfp") -> str:
    config, platform = load_config(CONFIG, assignments), PLATFORMS[target]
    return to_yaml(compile_pipeline(config, platform), config, platform)


@pytest.fixture(scope="module")
def spec() -> Any:
    return yaml.safe_load(COMMITTED.read_text(encoding="utf-8"))


def container(spec: Any, step: str) -> Any:
    return spec["deploymentSpec"]["executors"][f"{step}_executor"]["container"]


def custom_job(spec: Any) -> Any:
    parameters = spec["root"]["dag"]["tasks"]["Trainer"]["inputs"]["parameters"]
    return json.loads(parameters["custom_job"]["runtimeValue"]["constant"])


def test_the_committed_pipeline_is_current() -> None:
    text = text_of()
    assert COMMITTED.read_text(encoding="utf-8") == text, "run `python -m pipeline compile`"


def test_compiling_twice_gives_the_same_bytes() -> None:
    assert text_of() == text_of()


def test_every_executor_can_be_imported(spec: Any) -> None:
    assert list(spec["root"]["dag"]["tasks"]) == sorted(STEPS)
    for step in STEPS:
        arguments = container(spec, step)["args"]
        module, _, name = arguments[arguments.index("--executor_class_path") + 1].rpartition(".")
        assert not module.startswith("__main__")
        assert callable(getattr(importlib.import_module(module), name).Do)
        assert container(spec, step)["command"] == ["python", "-m", "pipeline.entrypoint"]


def test_kfp_and_vertex_take_the_file_as_it_is(spec: Any) -> None:
    assert spec["schemaVersion"] == "2.1.0"
    json_format.ParseDict(spec, PipelineSpec())
    json_format.ParseDict(spec["deploymentSpec"], PipelineDeploymentConfig())
    component = kfp.components.load_component_from_file(str(COMMITTED))
    assert component.name == "neumf-synthetic"
    assert set(component.component_spec.inputs) == {*RUN_PARAMETERS, INPUT_VERSION}
    job = aiplatform.PipelineJob(
        display_name="neumf",
        template_path=str(COMMITTED),
        pipeline_root="gs://bucket/root",
        parameter_values={"epochs": 3},
        project="project",
        location="us-central1",
        credentials=AnonymousCredentials(),
    )
    assert job._gca_resource.runtime_config.parameter_values["epochs"] == 3


def test_every_parameter_has_its_default_and_says_what_it_is(spec: Any) -> None:
    parameters = spec["root"]["inputDefinitions"]["parameters"]
    assert set(parameters) == {*RUN_PARAMETERS, INPUT_VERSION}
    types = {int: "NUMBER_INTEGER", float: "NUMBER_DOUBLE", str: "STRING"}
    for parameter in parameters.values():
        assert parameter["isOptional"]
        assert parameter["description"]
        if "defaultValue" in parameter:
            assert parameter["parameterType"] == types[type(parameter["defaultValue"])]
    assert parameters["epochs"]["defaultValue"] == 10
    assert parameters["minimum_hr"]["defaultValue"] == 0.15
    left_open = {name: found["parameterType"] for name, found in parameters.items() if "defaultValue" not in found}
    assert left_open == dict.fromkeys(["learning_rate", "min_rating", "minimum_ndcg"], "NUMBER_DOUBLE") | {
        "batch_size": "NUMBER_INTEGER"
    }
    assert parameters["user_column"]["defaultValue"] == "user"
    assert parameters["ratings"]["defaultValue"] == ""


def test_a_number_that_may_be_left_open_is_one_in_each_step_too(spec: Any) -> None:
    parameters = spec["root"]["inputDefinitions"]["parameters"]
    for step, task in spec["root"]["dag"]["tasks"].items():
        inputs = spec["components"][step]["inputDefinitions"]["parameters"]
        for name, source in task["inputs"]["parameters"].items():
            if outer := parameters.get(source.get("componentInputParameter", "")):
                assert inputs[name]["parameterType"] == outer["parameterType"]
                # Else the backend refuses a run that leaves it out (driver/resolve.go).
                assert "defaultValue" in outer or inputs[name]["isOptional"]


@pytest.mark.parametrize(
    "values",
    [{}, {"minimum_hr": 0.5, "batch_size": 1024.0, "learning_rate": 0.01, "baseline_margin": 0.1, "min_rating": 4.0}],
)
def test_steps_take_numbers_as_the_platforms_hand_them_over(values: dict[str, float]) -> None:
    taken = {
        **dict.fromkeys(["minimum_hr", "baseline_margin", "min_rating", "batch_size", "learning_rate"], ""),
        **values,
    }
    assert EvaluatorConfig.from_properties(taken).minimum_hr == values.get("minimum_hr")
    assert EvaluatorConfig.from_properties(taken).baseline_margin == values.get("baseline_margin")
    assert PreprocessConfig.from_properties(taken).min_rating == values.get("min_rating")
    assert TrainerConfig.from_properties(taken).batch_size == values.get("batch_size", "auto")
    assert TrainerConfig.from_properties(taken).learning_rate == values.get("learning_rate", "auto")
    assert BatchesConfig.from_properties({"epochs": 1, **taken}).batch_size == values.get("batch_size", "auto")


def test_each_parameter_reaches_every_step_that_needs_it(spec: Any) -> None:
    used = {
        (step, name): source["componentInputParameter"]
        for step, task in spec["root"]["dag"]["tasks"].items()
        for name, source in task["inputs"]["parameters"].items()
        if "componentInputParameter" in source
    }
    assert set(used.values()) == {*RUN_PARAMETERS, INPUT_VERSION}
    for step in ("NegativeGen", "Trainer"):
        assert used[step, "epochs"] == "epochs"
        assert used[step, "batch_size"] == "batch_size"
    assert used["Evaluator", "push_destination"] == used["Pusher", "push_destination"] == "push_destination"
    assert {step for (step, name) in used if name == "seed"} == {"Preprocess", "NegativeGen", "Trainer", "Evaluator"}


def test_steps_are_cached_by_their_code_too(spec: Any) -> None:
    for task in spec["root"]["dag"]["tasks"].values():
        assert task["cachingOptions"] == {"enableCache": True}
        assert len(task["inputs"]["parameters"]["code_version"]["runtimeValue"]["constant"]) == 16


def test_the_steps_and_their_artifacts_are_described(spec: Any) -> None:
    for step in STEPS:
        assert f"{step}: " in spec["pipelineInfo"]["description"]
        component = spec["components"][step]
        for side in ("inputDefinitions", "outputDefinitions"):
            assert all(artifact["description"] for artifact in component[side].get("artifacts", {}).values())
    given, taken = (
        spec["components"]["Preprocess"]["outputDefinitions"],
        spec["components"]["Trainer"]["inputDefinitions"],
    )
    assert given["artifacts"]["vocabulary"] == taken["artifacts"]["transform_graph"]


@pytest.mark.parametrize(
    ("target", "accelerator", "emitted"),
    [
        ("kfp", "nvidia.com/gpu", "nvidia.com/gpu"),
        ("kfp", "NVIDIA_L4", "nvidia.com/gpu"),
        ("vertex", "NVIDIA_L4", "NVIDIA_L4"),
    ],
)
def test_the_trainer_asks_for_its_machine(target: str, accelerator: str, emitted: str) -> None:
    spec = compiled(
        "cluster.cpu=8", "cluster.memory=30", f"cluster.accelerator={accelerator}", "cluster.accelerator_count=2",
        target=target,
    )  # fmt: skip
    resources = container(spec, "Trainer")["resources"]
    assert resources == {
        "cpuLimit": 8.0, "memoryLimit": 30.0, "accelerator": {"type": emitted, "count": "2"}
    }  # fmt: skip
    assert not any("resources" in container(spec, step) for step in STEPS if step != "Trainer")


@pytest.mark.parametrize(
    ("target", "assignments", "message"),
    [
        (
            "vertex",
            ["cluster.accelerator=nvidia.com/gpu"],
            "knows types such as NVIDIA_L4, not the resource 'nvidia.com",
        ),
        ("vertex", ["cluster.accelerator=TPU_V3"], "TPU_V3 is no GPU; a TPU is asked for by custom_job.machine_type"),
        ("vertex", ["cluster.accelerator=T4"], "cluster.accelerator: Vertex has no GPU 'T4', but NVIDIA_TESLA_T4"),
        (
            "vertex",
            ["custom_job.project=p", "custom_job.accelerator=NVIDIA_T4"],
            "custom_job.accelerator: Vertex has no GPU 'NVIDIA_T4', but .*NVIDIA_TESLA_T4",
        ),
        ("kfp", ["cluster.accelerator=TPU_V3"], "a cluster knows resources such as nvidia.com/gpu, .* not 'TPU_V3'"),
    ],
)
def test_an_accelerator_that_the_platform_does_not_know_is_refused(
    target: str, assignments: list[str], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        compiled(*assignments, target=target)


@pytest.mark.parametrize(
    ("target", "assignments", "message"),
    [
        (
            "kfp",
            ["trainer.device=gpu"],
            "gpu needs a GPU, and no step asks for one; set cluster.accelerator, or device",
        ),
        ("vertex", ["trainer.device=mirrored"], "mirrored needs a GPU"),
        (
            "kfp",
            ["trainer.device=gpu", "cluster.accelerator=google.com/tpu"],
            "gpu needs a GPU, and cluster.accelerator is google.com/tpu",
        ),
        ("vertex", ["trainer.device=gpu", "custom_job.project=p"], "set custom_job.accelerator"),
        ("kfp", ["trainer.device=tpu"], "tpu needs a TPU, .* on Kubeflow cluster.accelerator: google.com/tpu"),
        ("vertex", ["trainer.device=tpu", "custom_job.project=p"], "on Vertex set custom_job.tpu_topology"),
        ("kfp", ["trainer.device=multiworker"], "multiworker needs several machines, which a step does not have"),
    ],
)
def test_a_device_without_its_hardware_is_refused(target: str, assignments: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        compiled(*assignments, target=target)


def test_a_device_with_its_hardware_is_taken() -> None:
    compiled("trainer.device=gpu", "cluster.accelerator=nvidia.com/gpu")
    compiled("trainer.device=tpu", "cluster.accelerator=google.com/tpu")


def test_several_machines_train_in_a_custom_job() -> None:
    spec = compiled(
        "custom_job.project=project", "custom_job.machines=3", "custom_job.accelerator=NVIDIA_TESLA_T4",
        "custom_job.service_account=me@example.org", "trainer.device=multiworker", "cluster.image=image:1",
        target="vertex",
    )  # fmt: skip
    arguments = container(spec, "Trainer")["args"]
    assert arguments[1] == "components.trainer.custom_job.CustomJobExecutor"
    job = custom_job(spec)
    assert (job[constants.ENABLE_VERTEX_KEY], job[constants.VERTEX_REGION_KEY]) == (True, "us-central1")
    training = job[executor.TRAINING_ARGS_KEY]
    assert training["project"] == "project"
    assert training["job_spec"]["service_account"] == "me@example.org"
    chief, others = training["job_spec"]["worker_pool_specs"]
    assert (chief["replica_count"], others["replica_count"]) == (1, 2)
    for pool in (chief, others):
        assert pool["machine_spec"] == {
            "machine_type": "n1-standard-16", "accelerator_type": "NVIDIA_TESLA_T4", "accelerator_count": 1
        }  # fmt: skip
        assert pool["container_spec"] == {"image_uri": "image:1"}


def test_a_tpu_trains_in_a_custom_job() -> None:
    spec = compiled(
        "custom_job.project=project", "custom_job.machine_type=ct5lp-hightpu-4t", "custom_job.tpu_topology=2x2",
        target="vertex",
    )  # fmt: skip
    job = custom_job(spec)
    (pool,) = job[executor.TRAINING_ARGS_KEY]["job_spec"]["worker_pool_specs"]
    assert pool["machine_spec"] == {"machine_type": "ct5lp-hightpu-4t", "tpu_topology": "2x2"}
    assert pool["container_spec"]["env"] == [{"name": "TPU_NAME", "value": "local"}]


@pytest.mark.parametrize(
    ("assignments", "target", "message"),
    [
        (
            ["custom_job.project=p"],
            "kfp",
            "custom_job is what Vertex AI Pipelines has, and Kubeflow Pipelines v2 has none; compile for vertex",
        ),
        (
            ["custom_job.machines=2"],
            "vertex",
            "--set custom_job.machines=2: has no effect, as custom_job.project is null",
        ),
        (["model_registry.endpoint=a"], "vertex", "has no effect, as model_registry.project is null"),
        (["custom_job.project=p", "custom_job.machines=2", "trainer.device=cpu"], "vertex", "set multiworker, or auto"),
        (["custom_job.project=p", "custom_job.tpu_topology=2x2", "trainer.device=gpu"], "vertex", "set tpu, or auto"),
    ],
)
def test_a_custom_job_that_would_not_be_used_is_refused(assignments: list[str], target: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        compiled(*assignments, target=target)


@pytest.mark.parametrize(("target", "title"), [("kfp", "Kubeflow Pipelines v2"), ("vertex", "Vertex AI Pipelines")])
def test_writing_ahead_is_refused_where_streamed_does_it(target: str, title: str) -> None:
    ahead = ["negatives.source=files", "negatives.epochs_ahead=3"]
    with pytest.raises(UserError, match=rf"epochs_ahead: 3 is for one machine, and steps on {title} run .*=streamed"):
        compiled(*ahead, target=target)
    instead = compiled(*ahead, "negatives.source=streamed", "negatives.epochs_ahead=0", target=target)
    assert set(STEPS) <= set(instead["components"])
