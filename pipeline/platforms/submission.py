"""What is sent to a platform: the compiled pipeline, and the values of a run's parameters."""

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from components.shared.errors import UserError
from pipeline.platforms import compilation, run_parameters
from pipeline.platforms.base import Platform, Run

# Stores that the launcher of Kubeflow copies artifacts from and to, but that no step can write by itself.
_NOT_WRITABLE = ("minio://", "s3://")


def prepare(
    config: Path, assignments: Sequence[str], parameters: Sequence[str], platform: Platform[Any], cache: bool = True
) -> Run:
    """Compiles the pipeline and works out the values of a run's parameters.

    Args:
      config: a YAML file.
      assignments: `section.key=value` each, for the compiled pipeline.
      parameters: `name=value` each, for this run alone.
      platform: that the run is for.
      cache: whether the results of earlier runs may be used.

    Raises:
      UserError: a value is not allowed, or not on this platform.
    """
    settings, values = run_parameters.load_run(config, assignments, parameters)
    _check_destination(str(values["push_destination"]))
    spec = compilation.compile_pipeline(settings, platform)
    if not cache:
        compilation.switch_cache_off(spec)
    name = f"{settings.name}-{datetime.datetime.now():%Y%m%d-%H%M%S}"
    return Run(name, settings.name, compilation.to_yaml(spec), values)


def _check_destination(destination: str) -> None:
    if destination.startswith(_NOT_WRITABLE):
        raise UserError(
            f"push_destination {destination}: steps cannot write there; name a folder of a mounted volume or gs://..., "
            "or leave it empty and serve from the artifact pushed_model"
        )
