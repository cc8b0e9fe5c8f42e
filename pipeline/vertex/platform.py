"""Vertex AI Pipelines as a platform."""

from collections.abc import Mapping
from typing import ClassVar

from components.shared.json_types import JsonObject
from pipeline.config import Config
from pipeline.platforms.base import Connection, Platform
from pipeline.vertex.accelerators import check_accelerator
from pipeline.vertex.options import VertexOptions


class Vertex(Platform[VertexOptions]):
    """Vertex AI Pipelines in a region of a project."""

    title = "Vertex AI Pipelines"
    options = VertexOptions
    visible_paths = "/gcs/BUCKET/..., where Vertex mounts buckets"
    own = frozenset({"custom_job.project", "model_registry.project"})
    in_place_of: ClassVar[Mapping[str, str]] = {
        "cpu_request": "set cpu",
        "memory_request": "set memory",
        "secret_environment": "give rights to the account that the steps run as",
        "secret_files": "give rights to the account that the steps run as",
        "volumes": "buckets are mounted at /gcs/BUCKET",
        "image_pull_secrets": "let the account that the steps run as read the registry",
        "node_selector": "set cpu, memory and cluster.accelerator, by which it picks a machine",
        "tolerations": "set cpu, memory and cluster.accelerator, by which it picks a machine",
    }

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

    def training_job(self, config: Config) -> JsonObject | None:
        from pipeline.vertex.custom_job import training_job

        return training_job(config)

    def add_steps(self, spec: JsonObject, config: Config) -> None:
        if config.model_registry.project is not None:
            from pipeline.vertex.registration import add_step

            add_step(spec, config)
