"""The manifest that has KServe serve the models of a push destination."""

import re
from pathlib import Path

import click
import yaml

from components.shared.errors import UserError
from components.shared.files.secrets import without_secrets
from components.shared.json_types import JsonObject
from pipeline.command_options import write_text
from pipeline.console import for_reading
from pipeline.platforms.images import is_tag

# KServe's own rule of names (pkg/apis/serving/v1beta1), which become parts of host names.
_NAME = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
_STORAGES = ("gs://", "s3://", "pvc://")


def manifest(
    model: str, name: str, cpu: float, memory: float, server: str, service_account: str | None = None
) -> JsonObject:
    """An InferenceService (serving.kserve.io/v1beta1) that runs TensorFlow Serving.

    Args:
      model: the push destination.
      name: of the service, and of the model in its requests.
      cpu: cores.
      memory: in GB.
      server: tag of TensorFlow Serving's image.
      service_account: whose credentials the model is read with; None: the namespace's default.

    Raises:
      UserError: KServe cannot read the destination, or does not allow the name; or the server's tag is none.
    """
    if not model.startswith(_STORAGES) or not model.partition("://")[2].strip("/"):
        raise UserError(
            f"--model {model}: KServe reads gs://..., s3://... or a volume, pvc://CLAIM/FOLDER; name the push "
            "destination there"
        )
    if not _NAME.fullmatch(name):
        raise UserError(f"--name {name}: at most 63 lower-case letters, digits and -, the first a letter")
    if not is_tag(server):
        raise UserError(f"--server {server}: is no tag of the image tensorflow/serving, such as 2.19.1")
    size = {"cpu": f"{cpu:g}", "memory": f"{memory:g}G"}
    predictor: JsonObject = {
        "model": {
            "modelFormat": {"name": "tensorflow"},
            "runtimeVersion": server,
            "storageUri": without_secrets(model).rstrip("/"),
            "resources": {"requests": size, "limits": dict(size)},
        }
    }
    if service_account:
        predictor["serviceAccountName"] = service_account
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": name},
        "spec": {"predictor": predictor},
    }


@click.command()
@click.option("--model", required=True, metavar="DIR", help="The push destination: gs://, s3:// or pvc://CLAIM/FOLDER.")
@click.option("--name", required=True, help="Of the service, and of the model in its requests.")
@click.option("--cpu", type=click.FloatRange(min=0, min_open=True), default=2, show_default=True, help="Cores.")
@click.option("--memory", type=click.FloatRange(min=0, min_open=True), default=4, show_default=True, help="In GB.")
@click.option("--server", default="latest", show_default=True, metavar="TAG", help="Of the image tensorflow/serving.")
@click.option("--service-account", metavar="NAME", help="That reads the model; default: the namespace's own.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write it here instead of on the screen.")
def kserve(
    model: str, name: str, cpu: float, memory: float, server: str, service_account: str | None, output: Path | None
) -> None:
    """Write the manifest that has KServe serve the newest model of a push destination.

    It is for `kubectl apply`; nothing is sent anywhere.
    """
    with for_reading() as console:
        text = yaml.safe_dump(manifest(model, name, cpu, memory, server, service_account), sort_keys=False)
        if output is None:
            console.print(text, end="", markup=False, soft_wrap=True)
            return
        write_text(output, text)
        console.print(f"{output}: written; next: kubectl apply -f {output}", markup=False, soft_wrap=True)
