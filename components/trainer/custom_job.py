"""Training on Vertex AI in a job of its own: on several machines, or on a TPU."""

from typing import Any

from tfx import types
from tfx.extensions.google_cloud_ai_platform.trainer import executor as vertex_executor

from components.trainer.executor import Executor


class CustomJobExecutor(vertex_executor.GenericExecutor):
    """Starts the CustomJob that the property `custom_job` describes; each of its workers runs `Executor`."""

    def _GetExecutorClass(self) -> type:  # noqa: N802  (TFX's name)
        return Executor

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        super().Do(input_dict, output_dict, {**exec_properties, "custom_config": exec_properties["custom_job"]})
