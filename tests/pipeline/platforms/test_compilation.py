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

from components.shared.errors import UserError
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


@pytest.fixture(scope="module")
def spec() -> Any:
    return yaml.safe_load(COMMITTED.read_text(encoding="utf-8"))


def container(spec: Any, step: str) -> Any:
    return spec["deploymentSpec"]["executors"][f"{step}_executor"]["container"]


def custom_job(spec: Any) -> Any:
    parameters = spec["root"]["dag"]["tasks"]["Trainer"]["inputs"]["parameters"]
    return json.loads(parameters["custom_job"]["runtimeValue"]["constant"])


def test_the_committed_pipeline_is_current() -> None:
    text = to_yaml(compiled())
    assert COMMITTED.read_text(encoding="utf-8") == text, "run `python -m pipeline compile`"


def test_compiling_twice_gives_the_same_bytes() -> None:
    assert to_yaml(compiled()) == to_yaml(compiled())


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
        assert parameter["parameterType"] == types[type(parameter["defaultValue"])]
    assert parameters["epochs"]["defaultValue"] == 10
    assert parameters["minimum_hr"]["defaultValue"] == "0.15"
    assert parameters["user_column"]["defaultValue"] == "user"
    assert parameters["ratings"]["defaultValue"] == ""


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


def test_vertex_has_no_resources_of_kubernetes() -> None:
    with pytest.raises(UserError, match=r"Vertex knows types such as NVIDIA_L4, not the resource 'nvidia.com/gpu'"):
        compiled("cluster.accelerator=nvidia.com/gpu", target="vertex")


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
            "custom_job is Vertex AI's own, Kubeflow Pipelines v2 has none; compile for vertex",
        ),
        (["custom_job.project=p", "custom_job.machines=2", "trainer.device=cpu"], "vertex", "set multiworker, or auto"),
        (["custom_job.project=p", "custom_job.tpu_topology=2x2", "trainer.device=gpu"], "vertex", "set tpu, or auto"),
    ],
)
def test_a_custom_job_that_would_not_be_used_is_refused(assignments: list[str], target: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        compiled(*assignments, target=target)
