"""What the executors of steps in Beam have in common."""

import apache_beam as beam
from tfx.dsl.components.base import base_beam_executor

from components.shared.files.places import with_variables


class BeamExecutor(base_beam_executor.BaseBeamExecutor):
    """Gives Beam its options, whose secrets are in the environment of the step and nowhere else."""

    _beam_pipeline_args: list[str]

    def _make_beam_pipeline(self) -> beam.Pipeline:
        self._beam_pipeline_args = list(map(with_variables, self._beam_pipeline_args))
        return super()._make_beam_pipeline()
