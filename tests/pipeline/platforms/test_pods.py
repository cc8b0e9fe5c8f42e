"""What the section `cluster` asks for each step's pod, in the compiled file of each platform."""

from pathlib import Path
from typing import Any

import kfp
import pytest
import yaml
from google.auth.credentials import AnonymousCredentials
from google.cloud import aiplatform
from google.protobuf import json_format
from kfp.kubernetes.kubernetes_executor_config_pb2 import KubernetesExecutorConfig
from kfp.pipeline_spec.pipeline_spec_pb2 import PipelineDeploymentConfig, PipelineSpec

from components.shared.errors import UserError
from pipeline.config import Config, load_config
from pipeline.platforms.base import Platform
from pipeline.platforms.compilation import compile_pipeline, to_yaml
from pipeline.platforms.config import ClusterConfig, PodConfig
from pipeline.platforms.registry import PLATFORMS

STEPS = ["Preprocess", "NegativeGen", "Trainer", "Evaluator", "Pusher"]
ANYWHERE = """
  s3_endpoint: http://minio.kubeflow:9000
  defaults:
    cpu: 1
    memory: 2
    environment: {OMP_NUM_THREADS: 4}
    retries: 2
    retry_wait: 30
  steps:
    Trainer: {cpu: 8, environment: {MORE: yes it is}}
    Pusher: {retries: 0}
"""
ON_KUBERNETES = """
  defaults:
    cpu_request: 0.5
    secret_environment: {AWS_ACCESS_KEY_ID: minio/user, AWS_SECRET_ACCESS_KEY: minio/password}
    labels: {team: shop}
    image_pull_secrets: [registry]
  steps:
    Preprocess: {volumes: {/data: clicks}, secret_files: {/secrets: gcp}}
    Trainer:
      labels: {size: big}
      node_selector: {pool: big}
      tolerations: [{key: dedicated, value: training, effect: NoSchedule}]
      timeout: 7200
      annotations: {sidecar.istio.io/inject: "false"}
"""


def config(folder: Path, cluster: str) -> Config:
    file = folder / "config.yaml"
    file.write_text(f"name: neumf-synthetic\ndataset: {{kind: synthetic}}\ncluster:\n  image: i:1{cluster}")
    return load_config(file)


def written(folder: Path, cluster: str, target: str) -> Path:
    platform: Platform[Any] = PLATFORMS[target]
    found = config(folder, cluster)
    file = folder / "pipeline.yaml"
    file.write_text(to_yaml(compile_pipeline(found, platform), found, platform))
    return file


@pytest.mark.parametrize("target", PLATFORMS)
def test_variables_limits_and_retries_stand_in_the_pipeline_of_each_platform(tmp_path: Path, target: str) -> None:
    (spec,) = yaml.safe_load_all(written(tmp_path, ANYWHERE, target).read_text())
    json_format.ParseDict(spec, PipelineSpec())
    json_format.ParseDict(spec["deploymentSpec"], PipelineDeploymentConfig())
    containers = {step: spec["deploymentSpec"]["executors"][f"{step}_executor"]["container"] for step in STEPS}
    usual = {"AWS_ENDPOINT_URL": "http://minio.kubeflow:9000", "OMP_NUM_THREADS": "4"}
    for step, container in containers.items():
        variables = {variable["name"]: variable["value"] for variable in container["env"]}
        assert variables == (usual | {"MORE": "yes it is"} if step == "Trainer" else usual)
        assert container["resources"] == {"cpuLimit": 8.0 if step == "Trainer" else 1.0, "memoryLimit": 2.0}
    retries = {step: task.get("retryPolicy") for step, task in spec["root"]["dag"]["tasks"].items()}
    policy = {"maxRetryCount": 2, "backoffDuration": "30s", "backoffFactor": 2.0, "backoffMaxDuration": "3600s"}
    assert retries == {step: None if step == "Pusher" else policy for step in STEPS}


def test_kubeflow_is_told_of_the_pods_in_a_second_document(tmp_path: Path) -> None:
    file = written(tmp_path, ON_KUBERNETES, "kfp")
    spec, platforms = yaml.safe_load_all(file.read_text())
    executors = platforms["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    assert sorted(executors) == sorted(spec["deploymentSpec"]["executors"])
    pods = {label: json_format.ParseDict(executor, KubernetesExecutorConfig()) for label, executor in executors.items()}
    for pod in pods.values():
        (secret,) = pod.secret_as_env
        assert secret.secret_name == secret.secret_name_parameter.runtime_value.constant.string_value == "minio"
        assert {pair.env_var: pair.secret_key for pair in secret.key_to_env} == {
            "AWS_ACCESS_KEY_ID": "user", "AWS_SECRET_ACCESS_KEY": "password"
        }  # fmt: skip
        assert pod.pod_metadata.labels["team"] == "shop"
        assert [pull.secret_name for pull in pod.image_pull_secret] == ["registry"]
    preprocess, trainer = pods["Preprocess_executor"], pods["Trainer_executor"]
    (claim,), (files,) = preprocess.pvc_mount, preprocess.secret_as_volume
    assert (claim.mount_path, claim.pvc_name_parameter.runtime_value.constant.string_value) == ("/data", "clicks")
    assert (files.mount_path, files.secret_name_parameter.runtime_value.constant.string_value) == ("/secrets", "gcp")
    assert dict(trainer.node_selector.labels) == {"pool": "big"}
    (toleration,) = trainer.tolerations
    assert (toleration.key, toleration.operator, toleration.value, toleration.effect) == (
        "dedicated", "Equal", "training", "NoSchedule"
    )  # fmt: skip
    assert trainer.active_deadline_seconds == 7200
    assert dict(trainer.pod_metadata.labels) == {"team": "shop", "size": "big"}
    assert dict(trainer.pod_metadata.annotations) == {"sidecar.istio.io/inject": "false"}
    assert not preprocess.HasField("node_selector")
    resources = spec["deploymentSpec"]["executors"]["Evaluator_executor"]["container"]["resources"]
    assert resources == {"cpuRequest": 0.5}


def test_kfp_takes_the_file_of_two_documents(tmp_path: Path) -> None:
    component = kfp.components.load_component_from_file(str(written(tmp_path, ON_KUBERNETES, "kfp")))
    executors = component.platform_spec.platforms["kubernetes"].deployment_spec.executors
    assert sorted(executors) == sorted(f"{step}_executor" for step in STEPS)


def test_google_s_client_takes_what_vertex_has(tmp_path: Path) -> None:
    job = aiplatform.PipelineJob(
        display_name="neumf",
        template_path=str(written(tmp_path, ANYWHERE, "vertex")),
        pipeline_root="gs://bucket/root",
        project="project",
        location="us-central1",
        credentials=AnonymousCredentials(),
    )
    assert job._gca_resource.pipeline_spec["root"]["dag"]["tasks"]["Trainer"]["retryPolicy"]["maxRetryCount"] == 2


@pytest.mark.parametrize(
    ("key", "value", "hint"),
    [
        ("secret_environment", "{A: b/c}", "give rights to the account that the steps run as"),
        ("volumes", "{/data: claim}", "buckets are mounted at /gcs/BUCKET"),
        ("node_selector", "{a: b}", "by which it picks a machine"),
        ("timeout", "60", "leave it out"),
        ("cpu_request", "1", "set cpu"),
    ],
)
def test_vertex_refuses_in_words_what_it_does_not_have(tmp_path: Path, key: str, value: str, hint: str) -> None:
    with pytest.raises(UserError) as error:
        written(tmp_path, f"\n  steps: {{Trainer: {{{key}: {value}}}}}\n", "vertex")
    assert str(error.value).startswith(
        f"cluster.steps.Trainer.{key} (or cluster.defaults.{key}): Vertex AI Pipelines has"
    )
    assert str(error.value).endswith(hint)


@pytest.mark.parametrize(
    ("cluster", "message"),
    [
        ("\n  steps: {Trainr: {cpu: 1}}\n", "unknown key 'cluster.steps.Trainr'; did you mean 'Trainer'?"),
        ("\n  defaults: {cpus: 1}\n", "unknown key 'cluster.defaults.cpus'; did you mean 'cpu'?"),
        (
            "\n  steps: {Trainer: {tolerations: [{key: a}, {kye: a}]}}\n",
            "unknown key 'cluster.steps.Trainer.tolerations.1.kye'; did you mean 'key'?",
        ),
        (
            "\n  defaults: {secret_environment: {A: b}}\n",
            "variable A is read from SECRET/KEY, the key of a secret, not from 'b'",
        ),
        ("\n  defaults: {volumes: {data: claim}}\n", "folder data is one of a container; name an absolute path"),
        ("\n  defaults: {secret_environment: {A: My_secret/b}}\n", "'My_secret' is no name of a secret"),
        ("\n  defaults: {secret_environment: {A: b/c d}}\n", "'c d' is no key of a secret"),
        ("\n  defaults: {secret_environment: {1A: b/c}}\n", "'1A' is no name of a variable"),
        ("\n  defaults: {environment: {A=B: c}}\n", "'A=B' is no name of a variable"),
        ("\n  defaults: {environment: {AWS_SECRET_ACCESS_KEY: hidden}}\n", "in secret_environment, or give rights"),
        ("\n  steps: {Report: {environment: {CHAT_TOKEN: hidden}}}\n", "the value of CHAT_TOKEN would stand"),
        ("\n  defaults: {volumes: {/data: My claim}}\n", "'My claim' is no name of a claim"),
        ("\n  defaults: {secret_files: {/data: -a}}\n", "'-a' is no name of a secret"),
        ("\n  defaults: {image_pull_secrets: [A]}\n", "'A' is no name of a secret"),
        ("\n  defaults: {labels: {a b: c}}\n", "'a b' is no key of a label"),
        ("\n  defaults: {labels: {-.example.org/a: c}}\n", "'-.example.org/a' is no key of a label"),
        ("\n  defaults: {labels: {a: my shop}}\n", "'my shop' is no value of a label"),
        ("\n  defaults: {node_selector: {pool: " + "x" * 64 + "}}\n", "is no value of a label: at most 63"),
        ("\n  s3_endpoint: minio:9000\n", "cluster.s3_endpoint: string should match pattern"),
    ],
)
def test_what_is_no_pod_is_told(tmp_path: Path, cluster: str, message: str) -> None:
    with pytest.raises(UserError) as error:
        config(tmp_path, cluster)
    assert message in str(error.value)
    assert "hidden" not in str(error.value)


def test_names_that_kubernetes_allows_are_taken(tmp_path: Path) -> None:
    said = config(
        tmp_path,
        "\n  defaults: {environment: {AWS_ACCESS_KEY_ID: a, GOOGLE_APPLICATION_CREDENTIALS: /key.json, API_KEY: ''},"
        " labels: {example.org/team: '', a.b_c: X-1}, annotations: {note: what you like}, volumes: {/data: a.b-c}}\n",
    )
    assert said.cluster.pod("Pusher").volumes == {"/data": "a.b-c"}


@pytest.mark.parametrize("what", ["cpu", "memory"])
def test_a_request_above_its_limit_is_told(tmp_path: Path, what: str) -> None:
    with pytest.raises(UserError) as error:
        written(tmp_path, f"\n  defaults: {{{what}: 2}}\n  steps: {{Pusher: {{{what}_request: 3}}}}\n", "kfp")
    assert f"cluster.steps.Pusher.{what}_request" in str(error.value)
    assert str(error.value).endswith(f"3 is above the limit, {what}: 2")


def test_the_keys_of_before_are_the_trainer_s_alone() -> None:
    cluster = ClusterConfig(cpu=8, defaults=PodConfig(cpu=1, memory=2))
    assert [(cluster.pod(step).cpu, cluster.pod(step).memory) for step in ("Trainer", "Tuner", "Pusher")] == [
        (8, 2), (8, 2), (1, 2)
    ]  # fmt: skip
