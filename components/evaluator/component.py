"""The Evaluator component: what goes in and out."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter

from components.evaluator.config import EvaluatorConfig
from components.evaluator.executor import Executor
from components.shared.errors import first_line
from components.shared.specs import Ports, Properties, new_outputs, ports, properties


class EvaluatorSpec(types.ComponentSpec):
    """The ports of the Evaluator."""

    INPUTS: ClassVar[Ports] = {
        **ports(
            model=standard_artifacts.Model,
            examples=standard_artifacts.Examples,
            interactions=standard_artifacts.Examples,
            vocabulary=standard_artifacts.TransformGraph,
        ),
        "model_run": ChannelParameter(type=standard_artifacts.ModelRun, optional=True),
    }
    OUTPUTS: ClassVar[Ports] = ports(
        evaluation=standard_artifacts.ModelEvaluation, blessing=standard_artifacts.ModelBlessing
    )
    PARAMETERS: ClassVar[Properties] = properties(
        EvaluatorConfig, push_destination=str, run_description=str, seed=int, code_version=str
    )


class Evaluator(base_component.BaseComponent):
    """Measures a model on its users' held-out items and blesses it when every rule of the gate holds.

    The champion, which the model must not fall behind, is the newest version in the push destination at the time when
    the step runs. TFX's cache goes by the inputs and the properties, among which the destination is, but not by what
    is in it. So a run that repeats an earlier one takes over the verdict of then, whatever was pushed since. After a
    blessing that does no harm: Pusher's part is in the cache too, nothing is pushed again, the newest version stays.
    After a refusal it would, as a champion that was mended or removed would stay unseen: the local runner then leaves
    the cache aside (`pipeline.local.runner`); elsewhere, switch the cache off for that run.

    Example:
        evaluator = Evaluator(
            model=trainer.outputs["model"],
            examples=negative_gen.outputs["examples"],
            interactions=preprocess.outputs["interactions"],
            vocabulary=preprocess.outputs["vocabulary"],
            evaluator=EvaluatorConfig(minimum_hr=0.65),
            seed=1,
            code_version="1",
            push_destination="/models/neumf",
            run_description={"pipeline": "neumf"},
            model_run=trainer.outputs["model_run"],
        )
    """

    SPEC_CLASS = EvaluatorSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)
    DESCRIPTION: ClassVar[str] = first_line(__doc__)
    OUTPUT_DESCRIPTIONS: ClassVar[dict[str, str]] = {
        "evaluation": "metrics.json: HR@K and NDCG@K of the model, the baselines and the champion, on the sampled test "
        "records and by ranking all items, and each rule's verdict with its numbers; report.html: the same to be "
        "looked at.",
        # As TFX's own Evaluator gives it, so that Pusher understands it.
        "blessing": "Whether the model passed the gate: the property blessed, and a file BLESSED or NOT_BLESSED.",
    }

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
        """Declares the step.

        Args:
          model: the Trainer's `model`, with the signatures `serving_default`, `score_candidates` and
            `score_all_items`.
          examples: NegativeGen's `examples`, whose split `test` has the sampled test records.
          interactions: Preprocess' `interactions`: the seen items of `train` and `validation`, the held-out ones of
            `test`.
          vocabulary: Preprocess' `vocabulary`: raw ids and training counts of users and items.
          evaluator: what to measure and which rules to hold.
          seed: the run's seed, for the samples drawn.
          code_version: changes with the code that the step runs; only part of the cache's key.
          push_destination: the folder that Pusher pushes to, where the champion is; empty: there is none.
          run_description: what the report says of the run, as far as JSON holds it and without secrets.
          model_run: the Trainer's `model_run`, whose `history.json` the report draws.
        """
        super().__init__(
            EvaluatorSpec(
                model=model,
                examples=examples,
                interactions=interactions,
                vocabulary=vocabulary,
                **({} if model_run is None else {"model_run": model_run}),
                **new_outputs(EvaluatorSpec),
                **evaluator.to_properties(),
                push_destination=push_destination,
                run_description=json.dumps(run_description or {}, sort_keys=True),
                seed=seed,
                code_version=code_version,
            )
        )
