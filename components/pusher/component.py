"""The Pusher component, TFX's own to a folder that is named by plain text: what goes in and out."""

from typing import ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts

from components.pusher.executor import Executor
from components.shared.errors import first_line
from components.shared.specs import Ports, Properties, new_outputs, ports, properties


class PusherSpec(types.ComponentSpec):
    """The ports of the Pusher."""

    INPUTS: ClassVar[Ports] = ports(model=standard_artifacts.Model, model_blessing=standard_artifacts.ModelBlessing)
    OUTPUTS: ClassVar[Ports] = ports(pushed_model=standard_artifacts.PushedModel)
    PARAMETERS: ClassVar[Properties] = properties(push_destination=str, code_version=str)


class Pusher(base_component.BaseComponent):
    """Copies a blessed model into the push destination, as a new version that is named by the time.

    A model that is not blessed is not pushed, and the step succeeds.

    Example:
        pusher = Pusher(
            model=trainer.outputs["model"],
            model_blessing=evaluator.outputs["blessing"],
            push_destination="/models/neumf",
            code_version="1",
        )
    """

    SPEC_CLASS = PusherSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)
    DESCRIPTION: ClassVar[str] = first_line(__doc__)
    OUTPUT_DESCRIPTIONS: ClassVar[dict[str, str]] = {
        "pushed_model": "The model, if it was pushed, and where to: the properties pushed and pushed_destination.",
    }

    def __init__(
        self, model: types.BaseChannel, model_blessing: types.BaseChannel, push_destination: str, code_version: str
    ):
        """Declares the step.

        Args:
          model: the Trainer's `model`.
          model_blessing: the Evaluator's `blessing`.
          push_destination: a folder, local or gs://...; where it is empty, `pushed_model` itself is the destination.
          code_version: changes with the code that the step runs; only part of the cache's key.
        """
        super().__init__(
            PusherSpec(
                model=model,
                model_blessing=model_blessing,
                **new_outputs(PusherSpec),
                push_destination=push_destination,
                code_version=code_version,
            )
        )
