"""Starts runs of the pipeline on Kubeflow Pipelines and on Vertex AI, and follows them."""

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from components.shared.errors import UserError
from pipeline import compilation, run_parameters
from pipeline.config import Target
from pipeline.platforms import Platform, Run, follow

__all__ = ["connect", "follow", "prepare"]

# Stores that the launcher of Kubeflow copies artifacts from and to, but that no step can write by itself.
_NOT_WRITABLE = ("minio://", "s3://")


def prepare(
    config: Path, assignments: Sequence[str], parameters: Sequence[str], target: Target, cache: bool = True
) -> Run:
    """Compiles the pipeline and works out the values of a run's parameters.

    Args:
      config: a YAML file.
      assignments: `section.key=value` each, for the compiled pipeline.
      parameters: `name=value` each, for this run alone.
      target: the platform.
      cache: whether the results of earlier runs may be used.

    Raises:
      UserError: a value is not allowed, or not on this platform.
    """
    settings, values = run_parameters.load_run(config, assignments, parameters)
    _check_destination(str(values["push_destination"]))
    spec = compilation.compile_pipeline(settings, target)
    if not cache:
        compilation.switch_cache_off(spec)
    name = f"{settings.name}-{datetime.datetime.now():%Y%m%d-%H%M%S}"
    return Run(name, settings.name, compilation.to_yaml(spec), values)


def connect(
    target: Target, pipeline_root: str | None, service_account: str | None, options: Mapping[str, Any]
) -> Platform:
    """Connects to a platform.

    Args:
      target: which.
      pipeline_root: where artifacts go; None: Kubeflow's own default.
      service_account: that the steps run as; None: the platform's default.
      options: of the command line, for one platform or the other.

    Raises:
      UserError: an option is missing; or the platform cannot be reached, or does not let us in.
    """
    # Each platform's client is imported for itself alone: both are slow.
    if target == "kfp":
        from pipeline.kubeflow.client import Kubeflow, Server

        (host,) = _needed(target, options, "host")
        server = Server(
            host,
            options["namespace"],
            options["existing_token"],
            options["ssl_ca_cert"],
            verify=not options["disable_ssl_verification"],
        )
        return Kubeflow(server, options["experiment"], pipeline_root, service_account)
    from pipeline.vertex.client import Location, Vertex

    project, region, root = _needed(
        target, {**options, "pipeline_root": pipeline_root}, "project", "region", "pipeline_root"
    )
    return Vertex(Location(project, region), root, service_account)


def _needed(target: str, options: Mapping[str, Any], *names: str) -> list[str]:
    missing = [f"--{name.replace('_', '-')}" for name in names if not options[name]]
    if missing:
        raise UserError(f"--target {target} needs {', '.join(missing)}")
    return [options[name] for name in names]


def _check_destination(destination: str) -> None:
    if destination.startswith(_NOT_WRITABLE):
        raise UserError(
            f"push_destination {destination}: steps cannot write there; name a folder of a mounted volume or gs://..., "
            "or leave it empty and serve from the artifact pushed_model"
        )
