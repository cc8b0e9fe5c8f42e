"""The Pusher component: TFX's own, to a folder that is named by plain text."""

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ExecutionParameter

from components.pusher.executor import Executor


class PusherSpec(types.ComponentSpec):
    """The ports of the Pusher."""

    PARAMETERS = {  # noqa: RUF012  (TFX's contract)
        "push_destination": ExecutionParameter(type=str),
        "code_version": ExecutionParameter(type=str),
    }
    INPUTS = {  # noqa: RUF012
        "model": ChannelParameter(type=standard_artifacts.Model),
        "model_blessing": ChannelParameter(type=standard_artifacts.ModelBlessing),
    }
    OUTPUTS = {"pushed_model": ChannelParameter(type=standard_artifacts.PushedModel)}  # noqa: RUF012


class Pusher(base_component.BaseComponent):
    """Copies a blessed model into the push destination, as a new version that is named by the time.

    A model that is not blessed is not pushed, and the step succeeds.

    ```
    pusher = Pusher(
        model=trainer.outputs["model"],
        model_blessing=evaluator.outputs["blessing"],
        push_destination="/models/neumf",
        code_version="1",
    )
    ```

    Outputs:
      pushed_model: the model, if it was pushed; the integer property `pushed`, and `pushed_destination`.
    """

    SPEC_CLASS = PusherSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self, model: types.BaseChannel, model_blessing: types.BaseChannel, push_destination: str, code_version: str
    ):
        """Makes the component.

        Args:
          model: the Trainer's `model`.
          model_blessing: the Evaluator's `blessing`.
          push_destination: a folder, local or gs://...; where it is empty, `pushed_model` itself is the destination.
          code_version: changes with the code, so that TFX's cache does not serve results of another code.
        """
        super().__init__(
            PusherSpec(
                model=model,
                model_blessing=model_blessing,
                push_destination=push_destination,
                code_version=code_version,
                pushed_model=types.Channel(type=standard_artifacts.PushedModel),
            )
        )
