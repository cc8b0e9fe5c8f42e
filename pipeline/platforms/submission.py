"""What is sent to a platform: the compiled pipeline, and the values of a run's parameters."""

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.platforms import compilation, run_parameters, visibility
from pipeline.platforms.base import Platform, Run
from pipeline.platforms.images import check_in_registry


def prepare(
    config: Path,
    assignments: Sequence[str],
    parameters: Sequence[str],
    platform: Platform[Any],
    cache: bool = True,
    look: bool = False,
) -> Run:
    """Compiles the pipeline and works out the values of a run's parameters.

    Args:
      config: a YAML file.
      assignments: `section.key=value` each, for the compiled pipeline.
      parameters: `name=value` each, for this run alone.
      platform: that the run is for.
      cache: whether the results of earlier runs may be used.
      look: whether each run looks first whether the data set's files have changed, as those of a schedule do.

    Raises:
      UserError: a value is not allowed, or not on this platform, or names what its steps cannot see; or no image is
        named.
    """
    settings, values = run_parameters.load_run(config, assignments, parameters)
    check_in_registry(settings.cluster.image, "--param image=")
    visibility.check_values(settings, values, platform)
    spec = compilation.compile_pipeline(settings, platform)
    if look:
        compilation.look_first(spec)
    if not cache:
        compilation.switch_cache_off(spec)
    compilation.leave_open(spec, [name for name, value in values.items() if value is None])
    given = {name: value for name, value in values.items() if value is not None}
    compilation.finish(spec, settings, given)
    name = f"{settings.name}-{datetime.datetime.now():%Y%m%d-%H%M%S}"
    return Run(name, settings.name, compilation.to_yaml(spec, settings, platform), given)
