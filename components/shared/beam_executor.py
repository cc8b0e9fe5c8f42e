"""What the executors of steps in Beam have in common."""

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
from tfx.dsl.components.base import base_beam_executor, base_executor

from components.shared.files.places import with_variables

_ENGINES = ("PortableRunner", "FlinkRunner", "SparkRunner", "DataflowRunner")


class BeamExecutor(base_beam_executor.BaseBeamExecutor):
    """Gives Beam its options, whose secrets are in the environment of the step and nowhere else."""

    _beam_pipeline_args: list[str]

    def __init__(self, context: base_beam_executor.BaseBeamExecutor.Context | None = None):
        # TFX's own constructor packs all of TFX for the workers (20 to 30 s) wherever Beam has options. Workers need
        # the code of this project, which TFX comes with: they have both, in their image or in their environment.
        base_executor.BaseExecutor.__init__(self, context)
        self._beam_pipeline_args = list(context.beam_pipeline_args or []) if context else []
        self._make_beam_pipeline_fn = context.make_beam_pipeline_fn if context else None

    @property
    def _has_engine(self) -> bool:
        """Whether Beam's options ask for workers in other processes."""
        runner = PipelineOptions(self._beam_pipeline_args).view_as(StandardOptions).runner
        return runner is not None and runner.rpartition(".")[2] in _ENGINES

    def _make_beam_pipeline(self) -> beam.Pipeline:
        self._beam_pipeline_args = list(map(with_variables, self._beam_pipeline_args))
        return super()._make_beam_pipeline()
