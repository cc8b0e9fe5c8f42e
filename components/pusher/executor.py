"""TFX's Pusher executor, with the destination as plain text."""

import json
from typing import Any

from tfx import types
from tfx.components.pusher import executor
from tfx.types import artifact_utils
from tfx.utils import io_utils

from components.shared import progress


class Executor(executor.Executor):
    """See `Pusher`."""

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        pushed_model = artifact_utils.get_single_instance(output_dict["pushed_model"])
        if folder := exec_properties["push_destination"]:
            destination = json.dumps({"filesystem": {"base_directory": folder}})
            super().Do(input_dict, output_dict, {"push_destination": destination})
        elif self.CheckBlessing(input_dict):
            io_utils.copy_dir(self.GetModelPath(input_dict), pushed_model.uri)
            self._MarkPushed(pushed_model, pushed_destination=pushed_model.uri)
        else:
            self._MarkNotPushed(pushed_model)
        pushed = pushed_model.get_int_custom_property("pushed")
        destination = pushed_model.get_string_custom_property("pushed_destination")
        progress.note(f"pushed to {destination}" if pushed else "nothing pushed")
