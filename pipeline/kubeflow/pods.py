"""The pods of the steps in the form that Kubeflow Pipelines takes them: kfp-kubernetes' platform spec."""

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING

from google.protobuf import json_format

from components.shared.errors import UserError
from components.shared.json_types import JsonObject
from pipeline.platforms.config import ONLY_KUBERNETES, PodConfig

_IN_PIPELINE = ("cpu_request", "memory_request")

if TYPE_CHECKING:
    from kfp.kubernetes.kubernetes_executor_config_pb2 import KubernetesExecutorConfig


def platform_spec(pods: Mapping[str, PodConfig]) -> JsonObject:
    """The second document of a compiled file.

    Args:
      pods: of each executor, by its label.

    Returns:
      A PlatformSpec message as JSON; empty where no pod has more than the pipeline itself says.

    Raises:
      UserError: a pod asks for more than its limit.
    """
    for label, pod in pods.items():
        _check_requests(label.removesuffix("_executor"), pod)
    told = {label: json_format.MessageToDict(_message(pod)) for label, pod in pods.items() if _has_more(pod)}
    return {"platforms": {"kubernetes": {"deploymentSpec": {"executors": told}}}} if told else {}


def _check_requests(step: str, pod: PodConfig) -> None:
    for what in ("cpu", "memory"):
        limit, request = getattr(pod, what), getattr(pod, f"{what}_request")
        if limit is not None and request is not None and request > limit:
            raise UserError(
                f"cluster.steps.{step}.{what}_request (or cluster.defaults.{what}_request): {request:g} is above the "
                f"limit, {what}: {limit:g}"
            )


def _has_more(pod: PodConfig) -> bool:
    """Whether a pod has something that stands in no field of the pipeline itself."""
    return any(getattr(pod, key) for key in ONLY_KUBERNETES if key not in _IN_PIPELINE)


def _message(pod: PodConfig) -> "KubernetesExecutorConfig":
    # kfp is slow to import.
    from kfp.kubernetes import kubernetes_executor_config_pb2 as kubernetes

    message = kubernetes.KubernetesExecutorConfig(
        active_deadline_seconds=pod.timeout or 0,
        tolerations=[kubernetes.Toleration(**toleration.model_dump()) for toleration in pod.tolerations],
    )
    message.node_selector.labels.update(pod.node_selector)
    message.pod_metadata.labels.update(pod.labels)
    message.pod_metadata.annotations.update(pod.annotations)
    # Names of secrets and claims stand in the fields that backends read now, and in those that older ones read.
    for secret, variables in _by_secret(pod.secret_environment).items():
        pairs = [{"secret_key": key, "env_var": variable} for variable, key in variables.items()]
        message.secret_as_env.add(secret_name=secret, key_to_env=pairs, secret_name_parameter=_constant(secret))
    for path, secret in pod.secret_files.items():
        message.secret_as_volume.add(secret_name=secret, mount_path=path, secret_name_parameter=_constant(secret))
    for path, claim in pod.volumes.items():
        message.pvc_mount.add(constant=claim, mount_path=path, pvc_name_parameter=_constant(claim))
    for secret in pod.image_pull_secrets:
        message.image_pull_secret.add(secret_name=secret, secret_name_parameter=_constant(secret))
    for part in ("node_selector", "pod_metadata"):
        if not getattr(message, part).ListFields():
            message.ClearField(part)
    return message


def _by_secret(variables: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """The key of each variable, by secret: `{"ID": "minio/user"}` is `{"minio": {"ID": "user"}}`."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for variable, source in variables.items():
        secret, _, key = source.partition("/")
        found[secret][variable] = key
    return found


def _constant(value: str) -> JsonObject:
    from google.protobuf.struct_pb2 import Value

    return {"runtime_value": {"constant": Value(string_value=value)}}
