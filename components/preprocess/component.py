"""The Preprocess component: what goes in and out."""

from typing import ClassVar

from tfx import types
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import standard_artifacts

from components.preprocess.config import DatasetConfig, PreprocessConfig
from components.preprocess.executor import Executor
from components.shared.errors import first_line
from components.shared.specs import Ports, Properties, new_outputs, ports, properties


class PreprocessSpec(types.ComponentSpec):
    """The ports of Preprocess."""

    INPUTS: ClassVar[Ports] = {}
    OUTPUTS: ClassVar[Ports] = ports(
        interactions=standard_artifacts.Examples,
        # TFX's name for what turns raw input into the model's; the stock Trainer has a port for it.
        vocabulary=standard_artifacts.TransformGraph,
    )
    PARAMETERS: ClassVar[Properties] = properties(
        DatasetConfig, PreprocessConfig, seed=int, new_users=float, input_version=str, code_version=str
    )


class Preprocess(base_beam_component.BaseBeamComponent):
    """Filters, indexes, sorts and splits interactions, and writes them in shards of whole users.

    Example:
        preprocess = Preprocess(
            dataset=DatasetConfig(kind="files", path="clicks-*.csv", user_column="customer", item_column="sku"),
            preprocess=PreprocessConfig(min_interactions=5),
            seed=1,
            input_version="1",
            code_version="1",
        )
    """

    SPEC_CLASS = PreprocessSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)
    DESCRIPTION: ClassVar[str] = first_line(__doc__)
    OUTPUT_DESCRIPTIONS: ClassVar[dict[str, str]] = {
        "interactions": "Parquet files with the splits train, validation (unless switched off) and test, and aside "
        "where not all that is held out is judged by: dense int32 columns user and item, whole users in each shard; "
        "held_out_users, where there are such: raw ids; "
        "summary.json counts what was read and dropped, and how the rows are spread.",
        "vocabulary": "users.parquet and items.parquet: raw id, index and number of training interactions.",
    }

    def __init__(
        self,
        dataset: DatasetConfig,
        preprocess: PreprocessConfig,
        seed: int,
        input_version: str,
        code_version: str,
        new_users: float = 0.0,
    ):
        """Declares the step.

        Args:
          dataset: where the interactions come from, and how their files are laid out.
          preprocess: how they are filtered, split and cut into shards.
          seed: the run's seed, for held-out items that are drawn and for synthetic data.
          input_version: changes with the content of the input files; only part of the cache's key.
          code_version: changes with the code that the step runs; only part of the cache's key.
          new_users: the share of the users who are held out entirely, for the Evaluator to measure what the model does
            for somebody that it never saw.
        """
        super().__init__(
            PreprocessSpec(
                **new_outputs(PreprocessSpec),
                **dataset.to_properties(),
                **preprocess.to_properties(),
                seed=seed,
                new_users=new_users,
                input_version=input_version,
                code_version=code_version,
            )
        )
