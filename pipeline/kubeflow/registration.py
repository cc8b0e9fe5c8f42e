"""The step behind Pusher that has Kubeflow's Model Registry take a blessed model."""

import sys
from collections.abc import Mapping, Sequence

from components.shared.json_types import JsonObject
from pipeline.config import Config
from pipeline.kubeflow.config import KubeflowModelRegistryConfig
from pipeline.kubeflow.model_registry import Registry
from pipeline.platforms import registration
from pipeline.platforms.registration import PushedModel

DESCRIPTION = "Makes a blessed model a version of a model in Kubeflow's Model Registry."
COMMAND = ("python", "-m", "pipeline.kubeflow.registration")


def add_step(spec: JsonObject, config: Config) -> None:
    """Adds the step to a compiled pipeline, in place."""
    settings = {
        "registry": config.kubeflow_model_registry.model_dump(mode="json"),
        "volumes": config.cluster.pod("Pusher").volumes,
    }
    registration.add_step(spec, config, COMMAND, settings)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the step; returns its exit code."""
    return registration.run_step(COMMAND, DESCRIPTION, _register, arguments)


def readable(place: str, volumes: Mapping[str, str]) -> str:
    """The URI that others on the cluster, such as KServe, read a pushed model by.

    Args:
      place: as the Pusher has it: a URI, or a path.
      volumes: the claims of the volumes that are mounted into the Pusher, by their paths.

    Example:
      "/models/clicks/17" is "pvc://shop/clicks/17" where the claim "shop" is mounted at "/models";
      "minio://mlpipeline/v2/...", Kubeflow's own name of its store, is "s3://mlpipeline/v2/...".
    """
    for mount, claim in volumes.items():
        inside = place.removeprefix(f"{mount.rstrip('/')}/")
        if inside != place:
            return f"pvc://{claim}/{inside}"
    scheme, separator, rest = place.partition("://")
    return f"s3://{rest}" if separator and scheme == "minio" else place


def _register(model: PushedModel, settings: JsonObject) -> str:
    # At no destination a version has no number of its own.
    return Registry(KubeflowModelRegistryConfig(**settings["registry"])).take(
        readable(model.place, settings["volumes"]),
        model.version or model.run,
        model.description,
        {"pipeline": model.pipeline, "run": model.run, **model.metrics},
    )


if __name__ == "__main__":
    sys.exit(main())
