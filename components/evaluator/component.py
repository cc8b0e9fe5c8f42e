"""The Evaluator component: what goes in and out."""

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ExecutionParameter

from components.evaluator.config import EvaluatorConfig
from components.evaluator.executor import Executor
from components.parameters import property_type


class EvaluatorSpec(types.ComponentSpec):
    """The ports of the Evaluator."""

    PARAMETERS = {  # noqa: RUF012  (TFX's contract)
        **{
            name: ExecutionParameter(type=property_type(EvaluatorConfig, name)) for name in EvaluatorConfig.model_fields
        },
        "seed": ExecutionParameter(type=int),
        "code_version": ExecutionParameter(type=str),
    }
    INPUTS = {  # noqa: RUF012
        "model": ChannelParameter(type=standard_artifacts.Model),
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "interactions": ChannelParameter(type=standard_artifacts.Examples),
        "vocabulary": ChannelParameter(type=standard_artifacts.TransformGraph),
    }
    OUTPUTS = {  # noqa: RUF012
        "evaluation": ChannelParameter(type=standard_artifacts.ModelEvaluation),
        "blessing": ChannelParameter(type=standard_artifacts.ModelBlessing),
    }


class Evaluator(base_component.BaseComponent):
    """Measures a model on its users' held-out items and blesses it when every rule of the gate holds.

    ```
    evaluator = Evaluator(
        model=trainer.outputs["model"],
        examples=negative_gen.outputs["examples"],
        interactions=preprocess.outputs["interactions"],
        vocabulary=preprocess.outputs["vocabulary"],
        evaluator=EvaluatorConfig(minimum_hr=0.65),
        seed=0,
        code_version="1",
    )
    pusher = Pusher(model=trainer.outputs["model"], model_blessing=evaluator.outputs["blessing"], ...)
    ```

    Outputs:
      evaluation: `metrics.json`: HR@K and NDCG@K of the model and of item popularity, on the sampled test records and
        by ranking all items, and the verdict on each rule with its numbers.
      blessing: as TFX's own Evaluator gives it, so that Pusher understands it: the integer property `blessed`, and a
        file BLESSED or NOT_BLESSED.
    """

    SPEC_CLASS = EvaluatorSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        model: types.BaseChannel,
        examples: types.BaseChannel,
        interactions: types.BaseChannel,
        vocabulary: types.BaseChannel,
        evaluator: EvaluatorConfig,
        seed: int,
        code_version: str,
    ):
        """Makes the component.

        Args:
          model: a SavedModel with the signatures `serving_default`, `score_candidates` and `score_all_items`.
          examples: whose split `test` has the sampled test records.
          interactions: whose splits `train` and `validation` are the seen items and `test` the held-out ones.
          vocabulary: raw ids and training counts of users and items.
          evaluator: what to measure and which rules to hold.
          seed: of the samples drawn.
          code_version: changes with the code, so that TFX's cache does not serve results of another code.
        """
        super().__init__(
            EvaluatorSpec(
                model=model,
                examples=examples,
                interactions=interactions,
                vocabulary=vocabulary,
                evaluation=types.Channel(type=standard_artifacts.ModelEvaluation),
                blessing=types.Channel(type=standard_artifacts.ModelBlessing),
                seed=seed,
                code_version=code_version,
                **evaluator.to_properties(),
            )
        )
