"""The Trainer component: what goes in and out."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ExecutionParameter

from components.shared.errors import first_line
from components.shared.specs import Ports, Properties, new_outputs, ports, properties
from components.trainer.config import TrainerConfig
from components.trainer.executor import Executor


class TrainerSpec(types.ComponentSpec):
    """The ports of the Trainer. TFX's own has all of the configuration in one JSON text, and no interactions."""

    INPUTS: ClassVar[Ports] = {
        **ports(
            examples=standard_artifacts.Examples,
            interactions=standard_artifacts.Examples,
            transform_graph=standard_artifacts.TransformGraph,
        ),
        "hyperparameters": ChannelParameter(type=standard_artifacts.HyperParameters, optional=True),
    }
    OUTPUTS: ClassVar[Ports] = ports(model=standard_artifacts.Model, model_run=standard_artifacts.ModelRun)
    PARAMETERS: ClassVar[Properties] = {
        **properties(TrainerConfig, seed=int, checkpoint_root=str, push_destination=str, code_version=str),
        "custom_job": ExecutionParameter(type=str, optional=True),
    }


class Trainer(base_component.BaseComponent):
    """Learns NeuMF from ready batches, on the device that is configured, and exports its best epoch.

    The step is run by TFX's own Trainer executor, which calls `run_fn`.

    Example:
        trainer = Trainer(
            examples=negative_gen.outputs["examples"],
            interactions=preprocess.outputs["interactions"],
            vocabulary=preprocess.outputs["vocabulary"],
            trainer=TrainerConfig(num_factors=64, epochs=20),
            seed=1,
            checkpoint_root="/checkpoints",
            code_version="1",
        )
    """

    SPEC_CLASS = TrainerSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)
    DESCRIPTION: ClassVar[str] = first_line(__doc__)
    OUTPUT_DESCRIPTIONS: ClassVar[dict[str, str]] = {
        "model": "The SavedModel that serves raw ids, in Format-Serving, and Keras weights, in keras.",
        "model_run": "TensorBoard's logs and history.json of the training.",
    }

    def __init__(
        self,
        examples: types.BaseChannel,
        interactions: types.BaseChannel,
        vocabulary: types.BaseChannel,
        trainer: TrainerConfig,
        seed: int,
        checkpoint_root: str,
        code_version: str,
        custom_job: Mapping[str, Any] | None = None,
        hyperparameters: types.BaseChannel | None = None,
        push_destination: str = "",
    ):
        """Declares the step.

        Args:
          examples: NegativeGen's `examples`, the batches to learn from and the lists to validate on.
          interactions: Preprocess' `interactions`, none of which the served model recommends again.
          vocabulary: Preprocess' `vocabulary`, for the served model; it travels through TFX's port for a transform
            graph.
          trainer: the model and its training.
          seed: the run's seed, for the initial weights.
          checkpoint_root: folder for the checkpoints of trainings that have not ended; empty: beside the logs.
          code_version: changes with the code that the step runs; only part of the cache's key.
          custom_job: on Vertex AI, the CustomJob that trains in place of this step, as `custom_config` of TFX's Vertex
            Trainer; None trains in the step itself.
          hyperparameters: the Tuner's `best_hyperparameters`, which win over `trainer`; None: nothing was tuned.
          push_destination: the folder that Pusher pushes to, where a warm start finds the champion; empty: there is
            none.
        """
        super().__init__(
            TrainerSpec(
                examples=examples,
                interactions=interactions,
                transform_graph=vocabulary,
                **new_outputs(TrainerSpec),
                **trainer.to_properties(),
                seed=seed,
                checkpoint_root=checkpoint_root,
                push_destination=push_destination,
                code_version=code_version,
                **({} if hyperparameters is None else {"hyperparameters": hyperparameters}),
                **({} if custom_job is None else {"custom_job": json.dumps(custom_job, sort_keys=True)}),
            ),
            custom_executor_spec=None if custom_job is None else _custom_job_executor(),
        )


def _custom_job_executor() -> executor_spec.ExecutorSpec:
    # Google's clients are slow to import, and needed for nothing else.
    from components.trainer.custom_job import CustomJobExecutor

    return executor_spec.ExecutorClassSpec(CustomJobExecutor)
