"""The Trainer component: what goes in and out."""

import json
from collections.abc import Mapping
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ExecutionParameter

from components.shared.parameters import property_type
from components.trainer.config import TrainerConfig
from components.trainer.executor import Executor


class TrainerSpec(types.ComponentSpec):
    """The ports of the Trainer. TFX's own has all of the configuration in one JSON text, and no interactions."""

    PARAMETERS = {  # noqa: RUF012  (TFX's contract)
        **{name: ExecutionParameter(type=property_type(TrainerConfig, name)) for name in TrainerConfig.model_fields},
        "seed": ExecutionParameter(type=int),
        "checkpoint_root": ExecutionParameter(type=str),
        "code_version": ExecutionParameter(type=str),
        "custom_job": ExecutionParameter(type=str, optional=True),
    }
    INPUTS = {  # noqa: RUF012
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "interactions": ChannelParameter(type=standard_artifacts.Examples),
        "transform_graph": ChannelParameter(type=standard_artifacts.TransformGraph),
    }
    OUTPUTS = {  # noqa: RUF012
        "model": ChannelParameter(type=standard_artifacts.Model),
        "model_run": ChannelParameter(type=standard_artifacts.ModelRun),
    }


class Trainer(base_component.BaseComponent):
    """Learns NeuMF from ready batches, on what `config.device` says, and exports its best epoch.

    The step is run by TFX's own Trainer executor, which calls `run_fn`.

    ```
    trainer = Trainer(
        examples=negative_gen.outputs["examples"],
        interactions=preprocess.outputs["interactions"],
        vocabulary=preprocess.outputs["vocabulary"],
        config=TrainerConfig(num_factors=64, epochs=20),
        seed=0,
        checkpoint_root="/checkpoints",
        code_version="1",
    )
    ```

    Outputs:
      model: a SavedModel in `Format-Serving`, Keras weights in `keras`.
      model_run: TensorBoard's logs and `history.json`.
    """

    SPEC_CLASS = TrainerSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        interactions: types.BaseChannel,
        vocabulary: types.BaseChannel,
        config: TrainerConfig,
        seed: int,
        checkpoint_root: str,
        code_version: str,
        custom_job: Mapping[str, Any] | None = None,
    ):
        """Makes the component.

        Args:
          examples: NegativeGen's `examples`.
          interactions: Preprocess's `interactions`, none of which the served model recommends again.
          vocabulary: Preprocess's `vocabulary`; it travels through TFX's port for a transform graph.
          config: the model and its training.
          seed: of the initial weights.
          checkpoint_root: folder for the checkpoints of trainings that have not ended; empty: beside the logs.
          code_version: changes when the code does, so that the cache does not serve what older code made.
          custom_job: on Vertex AI, the CustomJob that trains in place of this step, as `custom_config` of TFX's Vertex
            Trainer; None trains in the step itself.
        """
        super().__init__(
            TrainerSpec(
                examples=examples,
                interactions=interactions,
                transform_graph=vocabulary,
                model=types.Channel(type=standard_artifacts.Model),
                model_run=types.Channel(type=standard_artifacts.ModelRun),
                **config.to_properties(),
                seed=seed,
                checkpoint_root=checkpoint_root,
                code_version=code_version,
                **({} if custom_job is None else {"custom_job": json.dumps(custom_job, sort_keys=True)}),
            ),
            custom_executor_spec=None if custom_job is None else _custom_job_executor(),
        )


def _custom_job_executor() -> executor_spec.ExecutorSpec:
    # Google's clients are slow to import, and needed for nothing else.
    from components.trainer.custom_job import CustomJobExecutor

    return executor_spec.ExecutorClassSpec(CustomJobExecutor)
