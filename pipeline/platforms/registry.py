"""The platforms that a pipeline is compiled for and submitted to, by their names on the command line."""

from typing import Any

from pipeline.kubeflow.platform import Kubeflow
from pipeline.platforms.base import Platform
from pipeline.vertex.platform import Vertex

PLATFORMS: dict[str, Platform[Any]] = {"kfp": Kubeflow(), "vertex": Vertex()}
