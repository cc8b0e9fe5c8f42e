"""The BulkRecommend component: what goes in and out. It is what BulkInferrer is among TFX's own."""

from typing import ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts

from components.bulk_recommend.config import BulkConfig
from components.bulk_recommend.executor import Executor
from components.shared.errors import first_line
from components.shared.specs import Ports, Properties, new_outputs, ports, properties


class BulkRecommendSpec(types.ComponentSpec):
    """The ports of BulkRecommend."""

    INPUTS: ClassVar[Ports] = ports(pushed_model=standard_artifacts.PushedModel)
    OUTPUTS: ClassVar[Ports] = ports(recommendations=standard_artifacts.InferenceResult)
    PARAMETERS: ClassVar[Properties] = properties(BulkConfig, code_version=str)


class BulkRecommend(base_component.BaseComponent):
    """Writes the best items of all users that a pushed model knows, by that model, as Parquet.

    Where nothing was pushed, nothing is written, and the step succeeds.

    Example:
        bulk_recommend = BulkRecommend(
            pushed_model=pusher.outputs["pushed_model"],
            bulk=BulkConfig(k=100),
            code_version="1",
        )
    """

    SPEC_CLASS = BulkRecommendSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)
    DESCRIPTION: ClassVar[str] = first_line(__doc__)
    OUTPUT_DESCRIPTIONS: ClassVar[dict[str, str]] = {
        "recommendations": "recommendations.parquet: user, rank, item, title if there are any, score. summary.json.",
    }

    def __init__(self, pushed_model: types.BaseChannel, bulk: BulkConfig, code_version: str):
        """Declares the step.

        Args:
          pushed_model: the Pusher's `pushed_model`.
          bulk: how many items.
          code_version: changes with the code that the step runs; only part of the cache's key.
        """
        super().__init__(
            BulkRecommendSpec(
                pushed_model=pushed_model,
                **new_outputs(BulkRecommendSpec),
                **bulk.to_properties(),
                code_version=code_version,
            )
        )
