"""The NegativeGen component."""

from typing import Any, ClassVar

from tfx import types
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import component_spec, standard_artifacts

from components.negative_gen.config import BatchesConfig, NegativesConfig
from components.negative_gen.executor import Executor
from components.shared.parameters import property_type


class NegativeGenSpec(types.ComponentSpec):
    """Inputs, outputs and execution properties of NegativeGen."""

    INPUTS: ClassVar[dict[str, Any]] = {
        "interactions": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "vocabulary": component_spec.ChannelParameter(type=standard_artifacts.TransformGraph),
    }
    OUTPUTS: ClassVar[dict[str, Any]] = {"examples": component_spec.ChannelParameter(type=standard_artifacts.Examples)}
    PARAMETERS: ClassVar[dict[str, Any]] = {
        **{
            name: component_spec.ExecutionParameter(type=property_type(NegativesConfig, name))
            for name in NegativesConfig.model_fields
        },
        **{name: component_spec.ExecutionParameter(type=int) for name in BatchesConfig.model_fields},
        "seed": component_spec.ExecutionParameter(type=int),
        "code_version": component_spec.ExecutionParameter(type=str),
    }


class NegativeGen(base_beam_component.BaseBeamComponent):
    """Turns interactions into ready batches: training rows with fresh negatives for every epoch, evaluation lists.

    In every epoch each training interaction appears exactly once, with `num_negatives` items that the user has not
    interacted with in the training split, all shuffled across the whole epoch. Every batch has `batch_size` rows: the
    last one of an epoch is filled up with resampled rows, and stands first in its file. An evaluation batch holds whole
    users: the held-out item, then its negatives, and a mask of what does not count.

    Example:
        negative_gen = NegativeGen(
            interactions=preprocess.outputs["interactions"],
            vocabulary=preprocess.outputs["vocabulary"],
            negatives=NegativesConfig(num_negatives=4, num_eval_negatives=999),
            batch_size=65_536, epochs=20, pretraining_epochs=0, seed=1, code_version="1",
        )

    Outputs:
      examples: `Examples` of TFRecord files with the splits of the interactions. One record is one batch: a
        `tf.train.Example` of raw little-endian bytes. `Split-train` has one set of files for each epoch.
    """

    SPEC_CLASS = NegativeGenSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)

    def __init__(
        self,
        interactions: types.BaseChannel,
        vocabulary: types.BaseChannel,
        negatives: NegativesConfig,
        batch_size: int,
        epochs: int,
        pretraining_epochs: int,
        seed: int,
        code_version: str,
    ):
        """Declares the step.

        Args:
          interactions: the interactions of Preprocess.
          vocabulary: the vocabulary of Preprocess, for raw ids in error messages.
          negatives: how to sample.
          batch_size: rows of a training batch.
          epochs: how many epochs are trained.
          pretraining_epochs: how many epochs a pretraining takes, which goes through the same examples; the greater of
            both is written.
          seed: the run's seed.
          code_version: a hash of the project's code; only part of the cache key.
        """
        super().__init__(
            NegativeGenSpec(
                interactions=interactions,
                vocabulary=vocabulary,
                examples=types.Channel(type=standard_artifacts.Examples),
                **negatives.to_properties(),
                batch_size=batch_size,
                epochs=epochs,
                pretraining_epochs=pretraining_epochs,
                seed=seed,
                code_version=code_version,
            )
        )
