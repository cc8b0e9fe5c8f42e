"""Vertex AI Pipelines as a platform."""

from typing import Any

from pipeline.config import Config
from pipeline.platforms.base import Connection, Platform
from pipeline.vertex.accelerators import check_accelerator
from pipeline.vertex.options import VertexOptions


class Vertex(Platform[VertexOptions]):
    """Vertex AI Pipelines in a region of a project."""

    title = "Vertex AI Pipelines"
    options = VertexOptions
    visible_paths = "/gcs/BUCKET/..., where Vertex mounts buckets"

    def connect(self, options: VertexOptions) -> Connection:
        # The client is slow to import, and needed for nothing else.
        from pipeline.vertex.client import VertexConnection

        return VertexConnection(options)

    def sees_path(self, path: str) -> bool:
        return path.startswith("/gcs/")

    def accelerator(self, name: str) -> str:
        """A type, which Vertex finds a machine for."""
        check_accelerator("cluster.accelerator", name)
        return name

    def training_job(self, config: Config) -> dict[str, Any] | None:
        from pipeline.vertex.custom_job import training_job

        return training_job(config)
