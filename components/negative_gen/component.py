"""The NegativeGen component: what goes in and out."""

from typing import ClassVar

from tfx import types
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import standard_artifacts

from components.negative_gen.config import BatchesConfig, NegativesConfig
from components.negative_gen.executor import Executor
from components.shared.errors import first_line
from components.shared.parameters import Auto
from components.shared.specs import Ports, Properties, new_outputs, ports, properties


class NegativeGenSpec(types.ComponentSpec):
    """The ports of NegativeGen."""

    INPUTS: ClassVar[Ports] = ports(
        interactions=standard_artifacts.Examples, vocabulary=standard_artifacts.TransformGraph
    )
    OUTPUTS: ClassVar[Ports] = ports(examples=standard_artifacts.Examples)
    PARAMETERS: ClassVar[Properties] = properties(NegativesConfig, BatchesConfig, seed=int, code_version=str)


class NegativeGen(base_beam_component.BaseBeamComponent):
    """Turns interactions into ready batches: training rows with fresh negatives for every epoch, evaluation lists.

    In every epoch each training interaction appears exactly once, with `num_negatives` items that the user has not
    interacted with in the training split, all shuffled across the whole epoch. Every batch has `batch_size` rows: the
    last one of an epoch is filled up with resampled rows, and stands first in its file. An evaluation batch holds whole
    users: the held-out item, then its negatives, and a mask of what does not count.

    Where the files of all epochs would be large, or `negatives.source` or `epochs_ahead` says so, there are none: the
    summary then has what training draws the same rows by.

    Example:
        negative_gen = NegativeGen(
            interactions=preprocess.outputs["interactions"],
            vocabulary=preprocess.outputs["vocabulary"],
            negatives=NegativesConfig(num_negatives=4, num_eval_negatives=999),
            batch_size=65_536,
            epochs=20,
            pretraining_epochs=0,
            seed=1,
            code_version="1",
        )
    """

    SPEC_CLASS = NegativeGenSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)
    DESCRIPTION: ClassVar[str] = first_line(__doc__)
    OUTPUT_DESCRIPTIONS: ClassVar[dict[str, str]] = {
        "examples": "TFRecord files with the splits of the interactions, one ready batch a record: a tf.train.Example "
        "of raw little-endian bytes. Split-train has one set of files for each epoch, or none where training draws its "
        "rows itself, as summary.json then says.",
    }

    def __init__(
        self,
        interactions: types.BaseChannel,
        vocabulary: types.BaseChannel,
        negatives: NegativesConfig,
        batch_size: int | Auto,
        epochs: int,
        pretraining_epochs: int,
        seed: int,
        code_version: str,
    ):
        """Declares the step.

        Args:
          interactions: Preprocess' `interactions`, the positives.
          vocabulary: Preprocess' `vocabulary`, for raw ids in error messages.
          negatives: how many negatives are drawn, and by which protocol.
          batch_size: rows of a training batch; auto: by the number of rows.
          epochs: how many epochs are trained.
          pretraining_epochs: how many epochs a pretraining takes, which goes through the same examples; the greater of
            both is written.
          seed: the run's seed, for negatives and the order of rows.
          code_version: changes with the code that the step runs; only part of the cache's key.
        """
        # Not validated: while a pipeline is compiled, these are placeholders.
        batches = BatchesConfig.model_construct(
            batch_size=batch_size, epochs=epochs, pretraining_epochs=pretraining_epochs
        )
        super().__init__(
            NegativeGenSpec(
                interactions=interactions,
                vocabulary=vocabulary,
                **new_outputs(NegativeGenSpec),
                **negatives.to_properties(),
                **batches.to_properties(),
                seed=seed,
                code_version=code_version,
            )
        )
