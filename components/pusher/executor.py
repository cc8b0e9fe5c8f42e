"""TFX's Pusher executor, with the destination as plain text, wherever it is."""

from typing import Any

from tfx import types
from tfx.components.pusher import executor
from tfx.types import artifact_utils

from components.serving.contract import SAVED_MODEL_FILE
from components.serving.manifest import Manifest, Origin
from components.serving.versions import add_version
from components.shared import progress
from components.shared.files import folders
from components.shared.files.places import expanded
from components.shared.files.secrets import without_secrets


class Executor(executor.Executor):
    """See `Pusher`."""

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        pushed_model = artifact_utils.get_single_instance(output_dict["pushed_model"])
        if not self.CheckBlessing(input_dict):
            self._MarkNotPushed(pushed_model)
            progress.note("nothing pushed")
            return
        blessing = artifact_utils.get_single_instance(input_dict["model_blessing"])
        with folders.on_this_machine(self.GetModelPath(input_dict)) as model:
            manifest = Manifest.of(model, Origin.read(blessing.uri))
            folders.copy(model, pushed_model.uri, last=SAVED_MODEL_FILE)
            manifest.write(pushed_model.uri)
            if folder := exec_properties["push_destination"]:
                version = add_version(model, expanded(folder), manifest.write)
                destination = version.path
                self._MarkPushed(pushed_model, pushed_destination=destination, pushed_version=version.name)
            else:
                destination = pushed_model.uri
                self._MarkPushed(pushed_model, pushed_destination=destination)
        progress.note(f"pushed to {without_secrets(destination)}")
