"""Kubeflow Pipelines as a platform."""

from pipeline.kubeflow.options import KubeflowOptions
from pipeline.platforms.base import Connection, Platform

_ANY_GPU = "nvidia.com/gpu"


class Kubeflow(Platform[KubeflowOptions]):
    """An installation of Kubeflow Pipelines v2, on a cluster of Kubernetes."""

    title = "Kubeflow Pipelines v2"
    options = KubeflowOptions

    def connect(self, options: KubeflowOptions) -> Connection:
        # The client is slow to import, and needed for nothing else.
        from pipeline.kubeflow.client import KubeflowConnection

        return KubeflowConnection(options)

    def accelerator(self, name: str) -> str:
        """A resource of the cluster; for a type, a GPU of whatever type is there."""
        return name if "/" in name else _ANY_GPU
