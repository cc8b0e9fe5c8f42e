"""The Evaluator component: what goes in and out."""

import json
from collections.abc import Mapping
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ExecutionParameter

from components.evaluator.config import EvaluatorConfig
from components.evaluator.executor import Executor
from components.shared.parameters import property_type


class EvaluatorSpec(types.ComponentSpec):
    """The ports of the Evaluator."""

    PARAMETERS = {  # noqa: RUF012  (TFX's contract)
        **{
            name: ExecutionParameter(type=property_type(EvaluatorConfig, name)) for name in EvaluatorConfig.model_fields
        },
        "push_destination": ExecutionParameter(type=str),
        "run_description": ExecutionParameter(type=str),
        "seed": ExecutionParameter(type=int),
        "code_version": ExecutionParameter(type=str),
    }
    INPUTS = {  # noqa: RUF012
        "model": ChannelParameter(type=standard_artifacts.Model),
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "interactions": ChannelParameter(type=standard_artifacts.Examples),
        "vocabulary": ChannelParameter(type=standard_artifacts.TransformGraph),
        "model_run": ChannelParameter(type=standard_artifacts.ModelRun, optional=True),
    }
    OUTPUTS = {  # noqa: RUF012
        "evaluation": ChannelParameter(type=standard_artifacts.ModelEvaluation),
        "blessing": ChannelParameter(type=standard_artifacts.ModelBlessing),
    }


class Evaluator(base_component.BaseComponent):
    """Measures a model on its users' held-out items and blesses it when every rule of the gate holds.

    The champion, which the model must not fall behind, is the newest version in the push destination at the time when
    the step runs. TFX's cache goes by the inputs and the properties, among which the destination is, but not by what
    is in it. So a run that repeats an earlier one takes over the verdict of then, whatever was pushed since. After a
    blessing that does no harm: Pusher's part is in the cache too, nothing is pushed again, the newest version stays.
    After a refusal it would, as a champion that was mended or removed would stay unseen: the local runner then leaves
    the cache aside (`pipeline.local.runner`); elsewhere, switch the cache off for that run.

    ```
    evaluator = Evaluator(
        model=trainer.outputs["model"],
        examples=negative_gen.outputs["examples"],
        interactions=preprocess.outputs["interactions"],
        vocabulary=preprocess.outputs["vocabulary"],
        model_run=trainer.outputs["model_run"],
        evaluator=EvaluatorConfig(minimum_hr=0.65),
        push_destination="/models/neumf",
        run_description={"pipeline": "neumf"},
        seed=0,
        code_version="1",
    )
    pusher = Pusher(model=trainer.outputs["model"], model_blessing=evaluator.outputs["blessing"], ...)
    ```

    Outputs:
      evaluation: `metrics.json`: HR@K and NDCG@K of the model, the baselines and the champion, on the sampled test
        records and by ranking all items, and the verdict on each rule with its numbers. `report.html`: the same to be
        looked at.
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
        push_destination: str = "",
        run_description: Mapping[str, Any] | None = None,
        model_run: types.BaseChannel | None = None,
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
          push_destination: the folder that Pusher pushes to, where the champion is; empty: there is none.
          run_description: what the report says of the run, as far as JSON holds it and without secrets.
          model_run: with the training's `history.json`, for the report.
        """
        super().__init__(
            EvaluatorSpec(
                model=model,
                examples=examples,
                interactions=interactions,
                vocabulary=vocabulary,
                evaluation=types.Channel(type=standard_artifacts.ModelEvaluation),
                blessing=types.Channel(type=standard_artifacts.ModelBlessing),
                **({} if model_run is None else {"model_run": model_run}),
                push_destination=push_destination,
                run_description=json.dumps(run_description or {}, sort_keys=True),
                seed=seed,
                code_version=code_version,
                **evaluator.to_properties(),
            )
        )
