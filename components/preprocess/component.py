"""The Preprocess component."""

from typing import Any, ClassVar

from tfx import types
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import component_spec, standard_artifacts

from components.preprocess.config import DatasetConfig, PreprocessConfig
from components.preprocess.executor import Executor
from components.shared.parameters import property_type


class PreprocessSpec(types.ComponentSpec):
    """Outputs and execution properties of Preprocess."""

    INPUTS: ClassVar[dict[str, Any]] = {}
    OUTPUTS: ClassVar[dict[str, Any]] = {
        "interactions": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        # TFX's name for what turns raw input into the model's; the stock Trainer has a port for it.
        "vocabulary": component_spec.ChannelParameter(type=standard_artifacts.TransformGraph),
    }
    PARAMETERS: ClassVar[dict[str, Any]] = {
        **{
            name: component_spec.ExecutionParameter(type=property_type(section, name))
            for section in (DatasetConfig, PreprocessConfig)
            for name in section.model_fields
        },
        "seed": component_spec.ExecutionParameter(type=int),
        "input_version": component_spec.ExecutionParameter(type=str),
        "code_version": component_spec.ExecutionParameter(type=str),
    }


class Preprocess(base_beam_component.BaseBeamComponent):
    """Filters, indexes, sorts and splits interactions, and writes them in shards of whole users.

    Example:
        preprocess = Preprocess(
            dataset=DatasetConfig(kind="files", path="clicks-*.csv", user_column="customer", item_column="sku"),
            preprocess=PreprocessConfig(min_interactions=5),
            seed=1, input_version="1", code_version="1",
        )

    Outputs:
      interactions: `Examples` of Parquet files with the splits `train`, `validation` (unless switched off) and
        `test`; dense int32 columns `user` and `item`; `summary.json` counts what was read and dropped.
      vocabulary: `users.parquet` and `items.parquet`: raw id, index and number of training interactions.
    """

    SPEC_CLASS = PreprocessSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)

    def __init__(
        self,
        dataset: DatasetConfig,
        preprocess: PreprocessConfig,
        seed: int,
        input_version: str,
        code_version: str,
    ):
        """Declares the step.

        Args:
          dataset: what to read.
          preprocess: how to filter, split and cut it.
          seed: the run's seed.
          input_version: changes with the content of the input files; only part of the cache key.
          code_version: a hash of the project's code; only part of the cache key.
        """
        super().__init__(
            PreprocessSpec(
                interactions=types.Channel(type=standard_artifacts.Examples),
                vocabulary=types.Channel(type=standard_artifacts.TransformGraph),
                **dataset.to_properties(),
                **preprocess.to_properties(),
                seed=seed,
                input_version=input_version,
                code_version=code_version,
            )
        )
