"""Kubeflow Pipelines as a platform."""

import re
from collections.abc import Mapping

from components.shared.errors import UserError
from components.shared.json_types import JsonObject
from pipeline.config import Config
from pipeline.kubeflow.options import KubeflowOptions
from pipeline.kubeflow.pods import platform_spec
from pipeline.platforms.base import Connection, Platform
from pipeline.platforms.config import PodConfig

_ANY_GPU = "nvidia.com/gpu"
_GPU_OF_VERTEX = "NVIDIA_"
_RESOURCE = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?/[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")


class Kubeflow(Platform[KubeflowOptions]):
    """An installation of Kubeflow Pipelines v2, on a cluster of Kubernetes."""

    title = "Kubeflow Pipelines v2"
    options = KubeflowOptions
    own = frozenset({"kubeflow_model_registry.url"})
    time_zone = "CRON_SCHEDULE_TIMEZONE of its deployment ml-pipeline-scheduledworkflow"

    def connect(self, options: KubeflowOptions) -> Connection:
        # The client is slow to import, and needed for nothing else.
        from pipeline.kubeflow.client import KubeflowConnection

        return KubeflowConnection(options)

    def pods(self, pods: Mapping[str, PodConfig]) -> JsonObject:
        return platform_spec(pods)

    def accelerator(self, name: str) -> str:
        """A resource of the cluster; for a type, a GPU of whatever type is there."""
        if _RESOURCE.fullmatch(name):
            return name
        if not name.startswith(_GPU_OF_VERTEX):
            raise UserError(
                f"cluster.accelerator: a cluster knows resources such as {_ANY_GPU}, amd.com/gpu or google.com/tpu, "
                f"not {name!r}"
            )
        return _ANY_GPU

    def add_steps(self, spec: JsonObject, config: Config) -> None:
        if config.kubeflow_model_registry.url is not None:
            from pipeline.kubeflow.registration import add_step

            add_step(spec, config)
