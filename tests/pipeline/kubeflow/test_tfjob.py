"""TFJob's manifest, and what its workers are told; tests/containers has them run."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from components.shared.json_types import Json
from pipeline import entrypoint
from pipeline.cli import main
from pipeline.kubeflow import worker
from tests.pipeline.kubeflow.tfjob_definition import TFJOB, faults

PLACES = ("--examples", "s3://b/examples", "--interactions", "s3://b/interactions", "--vocabulary", "s3://b/vocabulary")
POD = """
volumes: {/runs: shared}
secret_files: {/etc/s3: store}
secret_environment: {AWS_SECRET_ACCESS_KEY: minio/secret}
environment: {TEAM: shop}
cpu: 8
memory: 30
cpu_request: 4
node_selector: {pool: training}
tolerations: [{key: dedicated, value: training, effect: NoSchedule}]
labels: {team: shop}
annotations: {note: a}
image_pull_secrets: [registry]
retries: 2
timeout: 14400
"""


def written(capfd: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> tuple[str, str]:
    capfd.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(["compile", "tfjob", *arguments])
    assert ended.value.code == code
    return capfd.readouterr()


def manifest(capfd: pytest.CaptureFixture[str], *arguments: str) -> Json:
    out, _ = written(capfd, *PLACES, "--root", "s3://b/trained", "--image", "shop/neumf:1", *arguments)
    return yaml.safe_load(out)


def steps_of(job: Json) -> list[list[str]]:
    (container,) = job["spec"]["tfReplicaSpecs"]["Worker"]["template"]["spec"]["containers"]
    assert container["command"][:3] == ["python", "-m", "pipeline.kubeflow.worker"]
    return worker.split(container["command"][3:])


def described(step: list[str]) -> Json:
    return json.loads(step[step.index("--json_serialized_invocation_args") + 1])


def test_the_shortest_manifest_is_all_a_tfjob_s(capfd: pytest.CaptureFixture[str]) -> None:
    job = manifest(capfd)
    assert faults(job, TFJOB) == []
    assert job["metadata"]["name"] == "neumf-synthetic-trainer"
    (kind,) = job["spec"]["tfReplicaSpecs"]
    replicas = job["spec"]["tfReplicaSpecs"][kind]
    assert (kind, replicas["replicas"], replicas["restartPolicy"]) == ("Worker", 2, "Never")
    (container,) = replicas["template"]["spec"]["containers"]
    assert (container["name"], container["image"]) == ("tensorflow", "shop/neumf:1")
    assert container["ports"] == [{"name": "tfjob-port", "containerPort": 2222}]
    assert "env" not in container, "TF_CONFIG is the operator's"


def test_options_of_the_other_targets_are_not_passed_over(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["compile", "--set", "trainer.epochs=7", "tfjob", *PLACES, "--root", "s3://b/trained"])
    assert ended.value.code == 2
    assert "Error: --set stands behind tfjob: compile tfjob --set ..." in capfd.readouterr().err


def test_a_pod_with_all_that_can_be_said_of_it_is_one_of_kubernetes(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "job.yaml"
    out, _ = written(
        capfd, *PLACES, "--root", "/runs/trained", "--image", "shop/neumf:1", "--workers", "4", "--name", "shop",
        "--set", f"cluster.steps.Trainer={json.dumps(yaml.safe_load(POD))}",
        "--set", "cluster.accelerator=NVIDIA_L4", "--set", "cluster.accelerator_count=2", "-o", str(target),
    )  # fmt: skip
    assert out == f"{target}: 4 workers, image shop/neumf:1; next: kubectl apply -f {target}\n"
    job = yaml.safe_load(target.read_text())
    assert faults(job, TFJOB) == []
    # All of four workers may begin again twice.
    assert job["spec"]["runPolicy"] == {
        "cleanPodPolicy": "Running", "backoffLimit": 9, "activeDeadlineSeconds": 14400
    }  # fmt: skip
    replicas = job["spec"]["tfReplicaSpecs"]["Worker"]
    assert (replicas["replicas"], replicas["restartPolicy"]) == (4, "OnFailure")
    assert replicas["template"]["metadata"] == {
        "labels": {"team": "shop"}, "annotations": {"sidecar.istio.io/inject": "false", "note": "a"}
    }  # fmt: skip
    pod = replicas["template"]["spec"]
    (container,) = pod.pop("containers")
    assert pod == {
        "volumes": [
            {"name": "volume-0", "persistentVolumeClaim": {"claimName": "shared"}},
            {"name": "secret-0", "secret": {"secretName": "store"}},
        ],
        "imagePullSecrets": [{"name": "registry"}],
        "nodeSelector": {"pool": "training"},
        "tolerations": [{"key": "dedicated", "operator": "Equal", "value": "training", "effect": "NoSchedule"}],
    }
    assert container["env"] == [
        {"name": "TEAM", "value": "shop"},
        {
            "name": "AWS_SECRET_ACCESS_KEY",
            "valueFrom": {"secretKeyRef": {"name": "minio", "key": "secret"}},
        },
    ]
    assert container["resources"] == {
        "limits": {"cpu": "8", "memory": "30G", "nvidia.com/gpu": "2"}, "requests": {"cpu": "4"}
    }  # fmt: skip
    assert container["volumeMounts"] == [
        {"name": "volume-0", "mountPath": "/runs"},
        {"name": "secret-0", "mountPath": "/etc/s3", "readOnly": True},
    ]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"spec": {"tfReplicaSpecs": {}, "worker": 2}}, ".spec: unknown worker"),
        ({"spec": {}}, ".spec: tfReplicaSpecs is missing"),
        ({"kind": "TrainJob"}, ".kind: 'TrainJob' is none of ['TFJob']"),
        ({"spec": {"tfReplicaSpecs": {"Worker": {"replicas": "2"}}}}, ".replicas: '2' is no integer"),
        (
            {"spec": {"tfReplicaSpecs": {"Worker": {"template": {"spec": {"containers": [{"image": "a"}]}}}}}},
            ".containers[0]: Invalid value for `name`",
        ),
        (
            {"spec": {"tfReplicaSpecs": {"Worker": {"template": {"spec": {"containers": [], "volume": []}}}}}},
            ".spec: unknown volume",
        ),
    ],
)
def test_the_definition_refuses_what_a_cluster_would(
    capfd: pytest.CaptureFixture[str], change: Json, fault: str
) -> None:
    job = {"apiVersion": "kubeflow.org/v1", "kind": "TFJob", "metadata": {"name": "a"}} | change
    assert any(fault in told for told in faults({"spec": {"tfReplicaSpecs": {}}} | job, TFJOB))


def test_the_workers_run_the_compiled_steps_on_what_they_are_told(capfd: pytest.CaptureFixture[str]) -> None:
    trainer, evaluator, pusher = steps_of(
        manifest(capfd, "--set", "trainer.epochs=7", "--set", "pusher.destination=s3://b/serving")
    )
    executors = [step[step.index("--executor_class_path") + 1] for step in (trainer, evaluator, pusher)]
    assert executors == [f"components.{step}.executor.Executor" for step in ("trainer", "evaluator", "pusher")]
    values = described(trainer)["inputs"]["parameterValues"]
    assert (values["device"], values["epochs"], values["checkpoint_root"]) == ("multiworker", 7, "")
    assert described(pusher)["inputs"]["parameterValues"]["push_destination"] == "s3://b/serving"
    uris = {name: found["artifacts"][0]["uri"] for name, found in described(evaluator)["inputs"]["artifacts"].items()}
    assert uris == {
        "examples": "s3://b/examples", "interactions": "s3://b/interactions", "vocabulary": "s3://b/vocabulary",
        "model": "s3://b/trained/model", "model_run": "s3://b/trained/model_run",
    }  # fmt: skip
    assert list(described(pusher)["outputs"]["artifacts"]) == ["pushed_model"]


def test_what_a_worker_reads_is_where_its_uri_says(capfd: pytest.CaptureFixture[str]) -> None:
    trainer, *_ = steps_of(manifest(capfd))
    types = trainer[trainer.index("--json_serialized_inputs_spec_args") + 1]
    executor_input, _, folders = entrypoint.described(json.dumps(described(trainer)), types, in_place=True)
    (examples,) = executor_input["inputs"]["artifacts"]["examples"]["artifacts"]
    assert (examples["uri"], folders) == ("s3://b/examples", {})
    assert "tfx.Examples" in examples["type"]["instanceSchema"]
    assert executor_input["inputs"]["parameterValues"]["batch_size"] == ""


def test_a_step_is_told_what_the_one_before_said_of_its_artifacts(capfd: pytest.CaptureFixture[str]) -> None:
    *_, pusher = steps_of(manifest(capfd))
    output = {
        "artifacts": {
            "blessing": {"artifacts": [{"uri": "s3://b/trained/blessing", "metadata": {"blessed": 1}}]},
            "evaluation": {"artifacts": [{"uri": "s3://b/trained/evaluation"}]},
        }
    }
    (blessing,) = described(worker.told(pusher, output))["inputs"]["artifacts"]["model_blessing"]["artifacts"]
    assert blessing["metadata"] == {"blessed": 1}


def test_the_steps_behind_the_first_are_the_chief_s_and_what_is_done_stays_done(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out, _ = written(
        capfd, *PLACES, "--root", str(tmp_path), "--image", "shop/neumf:1",
        "--set", f"cluster.steps.Trainer.volumes={{{tmp_path}: shared}}",
    )  # fmt: skip
    *_, pusher = steps_of(yaml.safe_load(out))
    first = [part.replace("/tmp/Pusher.json", f"{tmp_path}/Pusher.json") for part in pusher]
    second = [part.replace("/pushed_model", "/again") for part in first]

    def ran(index: int) -> str:
        ended = subprocess.run(
            [sys.executable, "-m", "pipeline.kubeflow.worker", *worker.joined([first, second])],
            env={**os.environ, "TF_CONFIG": json.dumps({"cluster": {}, "task": {"type": "worker", "index": index}})},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    once = "running components.pusher.executor.Executor\nnothing pushed\n"
    assert ran(1) == once
    assert ran(0) == once + once
    (tmp_path / "again" / "done.json").unlink()  # as if the chief had ended before
    assert [ran(1), ran(0)] == ["", once]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "trainer.device=cpu"], "trainer.device: cpu is one machine; for several workers set multiworker"),
        (["--image", "neumf-pipeline:latest"], "is in no registry; name the image that you pushed, as in --image REGI"),
        (["--image", ""], "--image: is empty; name the image that the steps run in"),
        (["--set", "tuner.trials=3"], "tuner.trials: this trains what is configured"),
        (["--set", "trainer.batch_size=1001"], "batch_size is 1,001, which 2 devices cannot share equally"),
        (
            [
                "--set", "trainer.batch_size=1002", "--set", "cluster.accelerator=nvidia.com/gpu",
                "--set", "cluster.accelerator_count=2",
            ],
            "batch_size is 1,002, which 4 devices",
        ),
        (["--examples", "minio://b/e"], "--examples minio://b/e: a TFJob has no launcher that copies this; its pods"),
        (["--vocabulary", "runs/v"], "--vocabulary runs/v: not all workers can see this; name gs://..., s3://..., or"),
        (
            ["--vocabulary", "/runs2/v", "--set", "cluster.steps.Trainer={volumes: {/runs: shared}}"],
            "--vocabulary /runs2/v: not all workers can see this",
        ),
        (["--root", "gs://"], "--root gs:// names no bucket; write gs://BUCKET/FOLDER"),
        (["--examples", "sg://b/e"], "--examples sg://b/e: sg:// is no kind of storage that steps know"),
        (["--root", "https://h/trained"], "--root https://h/trained can only be read, as web addresses are"),
        (["--set", "pusher.destination=/serving"], "pusher.destination /serving: not all workers can see this"),
        (["--name", "Shop"], "--name Shop: at most 54 lower-case letters"),
        (["--name", "a" * 55], "at most 54"),
        (["--set", "cluster.accelerator=T4"], "cluster.accelerator: a cluster knows resources such as nvidia.com/gpu"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_told_before_anything_is_written(
    capfd: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    _, error = written(capfd, *PLACES, "--root", "s3://b/trained", "--image", "shop/neumf:1", *arguments, code=2)
    assert message in error
