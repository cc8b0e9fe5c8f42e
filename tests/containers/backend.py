"""What the open-source backend of Kubeflow Pipelines does, with each step in a container.

The launcher copies the inputs from the object store to local folders, runs the step, and copies the outputs back, under
the URIs that the step reports (kubeflow/pipelines 7b70c7b, backend/src/v2/component). Steps run as a user that has no
name, as a cluster may choose one.
"""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import docker
from components.shared.json_types import Json, JsonObject
from tests.containers.runner import NAMELESS, NO_NAMES, run_container
from tests.kfp_backend import Backend, StepFailedError


@dataclass(kw_only=True)
class PodBackend(Backend):
    """Runs a compiled pipeline.

    Attributes:
      podman: that runs the containers.
      image: in the place of the one that the pipeline names.
      folder: the object store is in `store`.
    """

    podman: docker.DockerClient
    image: str
    folder: Path

    def stored(self, uri: str) -> Path:
        """Where the object store keeps a URI."""
        return self.folder / "store" / uri.partition("://")[2]

    def launch(self, step: str, command: Sequence[str], executor_input: JsonObject) -> tuple[str, JsonObject]:
        pod = self.folder / f"pod-{step}"
        disk = pod / "disk"
        disk.mkdir(parents=True)
        for found in _artifacts(executor_input["inputs"]):
            shutil.copytree(self.stored(found["uri"]), _on_disk(disk, found))
        outputs = _artifacts(executor_input["outputs"])
        for made in outputs:
            _on_disk(disk, made).parent.mkdir(parents=True, exist_ok=True)
        output_file = Path(executor_input["outputs"]["outputFile"])
        mount = f"/{output_file.parts[1]}"
        code, printed = run_container(
            self.podman, self.image, list(command),
            {
                str(disk): {"bind": mount, "mode": "rw"},
                **NO_NAMES,
            },
            user=NAMELESS,
        )  # fmt: skip
        if code:
            raise StepFailedError(f"{step}: exit code {code}\n{printed}")
        for made in outputs:
            self._upload(_on_disk(disk, made), made["uri"])
        reported = json.loads((disk / output_file.relative_to(mount)).read_text())
        shutil.rmtree(pod)
        return printed, reported

    def _upload(self, local: Path, uri: str) -> None:
        if local.is_dir():
            shutil.copytree(local, self.stored(uri))
        elif local.exists():
            self.stored(uri).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(local, self.stored(uri))


def _artifacts(inputs_or_outputs: JsonObject) -> list[Json]:
    return [artifact for found in inputs_or_outputs["artifacts"].values() for artifact in found["artifacts"]]


def _on_disk(disk: Path, artifact: JsonObject) -> Path:
    return disk / artifact["uri"].partition("://")[2]
