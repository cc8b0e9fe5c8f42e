"""The step behind Pusher that has Vertex AI's Model Registry, and its endpoint, take a blessed model."""

import re
import sys
from collections.abc import Sequence

from components.shared.errors import UserError
from components.shared.json_types import JsonObject
from pipeline.config import Config
from pipeline.platforms import registration
from pipeline.platforms.registration import PushedModel
from pipeline.vertex.config import ModelRegistryConfig
from pipeline.vertex.model_registry import Registry

DESCRIPTION = "Uploads a blessed model to Vertex AI's Model Registry, and deploys it where asked."
COMMAND = ("python", "-m", "pipeline.vertex.registration")


def add_step(spec: JsonObject, config: Config) -> None:
    """Adds the step to a compiled pipeline, in place.

    Raises:
      UserError: Vertex AI cannot read the push destination.
    """
    if config.pusher.destination:
        on_cloud_storage(config.pusher.destination)
    registration.add_step(spec, config, COMMAND, config.model_registry.model_dump(mode="json"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the step; returns its exit code."""
    return registration.run_step(COMMAND, DESCRIPTION, _register, arguments)


def on_cloud_storage(destination: str) -> str:
    """The name that Vertex AI reads a model by; it mounts buckets at /gcs.

    Raises:
      UserError: it is none of Cloud Storage's.
    """
    name = re.sub("^/gcs/", "gs://", destination)
    if not name.startswith("gs://"):
        raise UserError(
            f"pusher.destination (push_destination): {destination} is nothing that Vertex AI's Model Registry reads; "
            "name gs://BUCKET/FOLDER, or set model_registry.project: null"
        )
    return name


def _register(model: PushedModel, registry: JsonObject) -> str:
    return Registry(ModelRegistryConfig(**registry)).take(
        on_cloud_storage(model.place),
        model.description,
        {"pipeline": label(model.pipeline), "run": label(model.run)},
    )


def label(text: str) -> str:
    """A text as a value of Google Cloud's labels: at most 63 lower-case letters, digits, - and _."""
    return re.sub(r"[^a-z0-9_-]", "-", text.lower())[:63]


if __name__ == "__main__":
    sys.exit(main())
