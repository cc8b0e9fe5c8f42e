"""The manifest of a TFJob: one command, run by several workers that find one another."""

import re
from collections.abc import Mapping, Sequence

from components.shared.errors import UserError
from components.shared.json_types import JsonObject
from pipeline.platforms.config import PodConfig

# Each worker's service is called after the job, and a name of Kubernetes' has at most 63 characters.
_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_LONGEST = 63
# What the operator looks for (training-operator 1.9): the container that gets TF_CONFIG, and the port that is in it.
_CONTAINER = "tensorflow"
_PORT = {"name": "tfjob-port", "containerPort": 2222}
# A mesh's proxy would outlive the training, and stand between the workers.
_NO_PROXY = {"sidecar.istio.io/inject": "false"}


def manifest(
    name: str,
    workers: int,
    image: str,
    command: Sequence[str],
    pod: PodConfig,
    accelerators: Mapping[str, int] | None = None,
) -> JsonObject:
    """A TFJob (kubeflow.org/v1) of some workers, each of which runs the same command.

    Its operator adds TF_CONFIG, in which all workers stand, and a name on the network for each.

    Args:
      name: of the job.
      workers: how many; with one, the operator adds no TF_CONFIG.
      image: that each worker runs.
      command: what it runs, and its arguments.
      pod: what it runs in; `retries` of it are those of the whole job.
      accelerators: resources of the cluster that it asks for, and how many of each.

    Raises:
      UserError: Kubernetes does not allow the name.
    """
    longest = _LONGEST - len(f"-worker-{workers - 1}")
    if not _NAME.fullmatch(name) or len(name) > longest:
        raise UserError(f"--name {name}: at most {longest} lower-case letters, digits and -, the first a letter")
    policy: JsonObject = {"cleanPodPolicy": "Running"}
    if pod.retries:
        # The operator adds up the restarts of all workers, and ends the job when they are that many.
        policy["backoffLimit"] = pod.retries * workers + 1
    if pod.timeout:
        policy["activeDeadlineSeconds"] = pod.timeout
    replicas: JsonObject = {
        "replicas": workers,
        # One that is gone ends all: they are to begin again together, from the last checkpoint.
        "restartPolicy": "OnFailure" if pod.retries else "Never",
        "template": {
            "metadata": _filled(labels=dict(pod.labels), annotations={**_NO_PROXY, **pod.annotations}),
            "spec": _pod_spec(image, command, pod, accelerators or {}),
        },
    }
    return {
        "apiVersion": "kubeflow.org/v1",
        "kind": "TFJob",
        "metadata": {"name": name},
        "spec": {"runPolicy": policy, "tfReplicaSpecs": {"Worker": replicas}},
    }


def _pod_spec(image: str, command: Sequence[str], pod: PodConfig, accelerators: Mapping[str, int]) -> JsonObject:
    claims = {f"volume-{number}": claim for number, claim in enumerate(pod.volumes.values())}
    secrets = {f"secret-{number}": secret for number, secret in enumerate(pod.secret_files.values())}
    paths = [*pod.volumes, *pod.secret_files]
    container = {
        "name": _CONTAINER,
        "image": image,
        "command": list(command),
        "ports": [dict(_PORT)],
        **_filled(
            env=_environment(pod),
            resources=_resources(pod, accelerators),
            volumeMounts=[
                {"name": volume, "mountPath": path} | ({"readOnly": True} if volume in secrets else {})
                for volume, path in zip([*claims, *secrets], paths, strict=True)
            ],
        ),
    }
    return {
        "containers": [container],
        **_filled(
            volumes=[
                *({"name": name, "persistentVolumeClaim": {"claimName": claim}} for name, claim in claims.items()),
                *({"name": name, "secret": {"secretName": secret}} for name, secret in secrets.items()),
            ],
            imagePullSecrets=[{"name": secret} for secret in pod.image_pull_secrets],
            nodeSelector=dict(pod.node_selector),
            tolerations=[
                {key: value for key, value in toleration.model_dump().items() if value}
                for toleration in pod.tolerations
            ],
        ),
    }


def _environment(pod: PodConfig) -> list[JsonObject]:
    plain = [{"name": name, "value": value} for name, value in sorted(pod.environment.items())]
    secret = []
    for name, source in sorted(pod.secret_environment.items()):
        holder, _, key = source.partition("/")
        secret.append({"name": name, "valueFrom": {"secretKeyRef": {"name": holder, "key": key}}})
    return [*plain, *secret]


def _resources(pod: PodConfig, accelerators: Mapping[str, int]) -> JsonObject:
    return _filled(
        limits={**_size(pod.cpu, pod.memory), **{name: str(count) for name, count in accelerators.items()}},
        requests=_size(pod.cpu_request, pod.memory_request),
    )


def _size(cpu: float | None, memory: float | None) -> dict[str, str]:
    """Cores and GB as Kubernetes' quantities."""
    return {
        **({"cpu": f"{cpu:g}"} if cpu else {}),
        **({"memory": f"{memory:g}G"} if memory else {}),
    }


def _filled(**fields: JsonObject | list[JsonObject]) -> JsonObject:
    """Those that are not empty."""
    return {name: value for name, value in fields.items() if value}
