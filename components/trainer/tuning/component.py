"""The Tuner component: what goes in and out."""

from typing import ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts

from components.shared.errors import first_line
from components.shared.specs import Ports, Properties, new_outputs, ports, properties
from components.trainer.config import TrainerConfig
from components.trainer.tuning.config import TunerConfig
from components.trainer.tuning.executor import Executor


class TunerSpec(types.ComponentSpec):
    """The ports of the Tuner. TFX's own wants one of Keras Tuner's."""

    INPUTS: ClassVar[Ports] = ports(examples=standard_artifacts.Examples, interactions=standard_artifacts.Examples)
    OUTPUTS: ClassVar[Ports] = ports(best_hyperparameters=standard_artifacts.HyperParameters)
    PARAMETERS: ClassVar[Properties] = properties(
        TrainerConfig, TunerConfig, seed=int, study_root=str, code_version=str
    )


class Tuner(base_component.BaseComponent):
    """Compares trainings with other values of `trainer` on validation, and gives out the best ones.

    The first training is the configuration as it is, so what is found is never below it there.

    Example:
        tuner = Tuner(
            examples=negative_gen.outputs["examples"],
            interactions=preprocess.outputs["interactions"],
            trainer=TrainerConfig(epochs=20),
            tuner=TunerConfig(trials=30, minutes=60),
            seed=1,
            study_root="/studies",
            code_version="1",
        )
    """

    SPEC_CLASS = TunerSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)
    DESCRIPTION: ClassVar[str] = first_line(__doc__)
    OUTPUT_DESCRIPTIONS: ClassVar[dict[str, str]] = {
        "best_hyperparameters": "summary.json: values for keys of the section trainer, and what they are worth.",
    }

    def __init__(
        self,
        examples: types.BaseChannel,
        interactions: types.BaseChannel,
        trainer: TrainerConfig,
        tuner: TunerConfig,
        seed: int,
        study_root: str,
        code_version: str,
    ):
        """Declares the step.

        Args:
          examples: NegativeGen's `examples`, the batches to learn from.
          interactions: Preprocess' `interactions`, for the towers in closed form and the ranking of all items.
          trainer: the model and its training as they are without tuning.
          tuner: how far to look.
          seed: the run's seed, for the initial weights and for what is tried.
          study_root: folder of this machine for studies that have not ended; empty: a temporary one.
          code_version: changes with the code that the step runs; only part of the cache's key.
        """
        super().__init__(
            TunerSpec(
                examples=examples,
                interactions=interactions,
                **new_outputs(TunerSpec),
                **trainer.to_properties(),
                **tuner.to_properties(),
                seed=seed,
                study_root=study_root,
                code_version=code_version,
            )
        )
