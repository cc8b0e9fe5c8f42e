"""KServe's manifest, held against the fields of its definition (kserve aaac4e2, config/crd/full)."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.cli import main

# Of serving.kserve.io_inferenceservices.yaml, v1beta1: the fields that a manifest of ours may have, and their types.
QUANTITY = {"cpu": str, "memory": str}
MODEL = {
    "modelFormat": {"name": str},
    "runtimeVersion": str,
    "storageUri": str,
    "resources": {"requests": QUANTITY, "limits": QUANTITY},
}
DEFINITION = {
    "apiVersion": str,
    "kind": str,
    "metadata": {"name": str},
    "spec": {"predictor": {"model": MODEL, "serviceAccountName": str}},
}


def written(capfd: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> tuple[str, str]:
    capfd.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(["kserve", *arguments])
    assert ended.value.code == code
    return capfd.readouterr()


def check(found: Any, definition: Any) -> None:
    """Sees that all of a manifest is defined."""
    if isinstance(definition, type):
        assert isinstance(found, definition)
        return
    assert set(found) <= set(definition)
    for key, value in found.items():
        check(value, definition[key])


def test_the_manifest_names_the_destination_and_is_all_kserve_s(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "serving.yaml"
    out, _ = written(
        capfd, "--model", "s3://models/clicks/", "--name", "clicks", "--memory", "1.5", "--server", "2.19.1",
        "--service-account", "reader", "-o", str(target),
    )  # fmt: skip
    assert out == f"{target}: written; next: kubectl apply -f {target}\n"
    found = yaml.safe_load(target.read_text())
    check(found, DEFINITION)
    assert (found["apiVersion"], found["kind"]) == ("serving.kserve.io/v1beta1", "InferenceService")
    predictor = found["spec"]["predictor"]
    assert predictor["serviceAccountName"] == "reader"
    model = predictor["model"]
    assert (model["modelFormat"]["name"], model["runtimeVersion"]) == ("tensorflow", "2.19.1")
    assert model["storageUri"] == "s3://models/clicks"
    assert model["resources"]["limits"] == {"cpu": "2", "memory": "1.5G"}


def test_a_tag_that_no_image_can_have_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    _, error = written(capfd, "--model", "gs://b/s", "--name", "clicks", "--server", "tensorflow/serving:2", code=2)
    assert "--server tensorflow/serving:2: is no tag of the image tensorflow/serving, such as 2.19.1" in error


def test_without_a_file_it_is_shown(capfd: pytest.CaptureFixture[str]) -> None:
    out, _ = written(capfd, "--model", "pvc://models/clicks", "--name", "clicks")
    check(yaml.safe_load(out), DEFINITION)


@pytest.mark.parametrize(
    ("model", "name", "message"),
    [
        ("runs/clicks/serving", "clicks", "--model runs/clicks/serving: KServe reads gs://..., s3://... or a volume"),
        ("gs://", "clicks", "--model gs://: KServe reads gs://..., s3://... or a volume"),
        ("gs://b/serving", "Clicks", "--name Clicks: at most 63 lower-case letters"),
        ("gs://b/serving", "1st", "--name 1st: at most 63"),
        ("gs://b/serving", "a" * 64, "at most 63"),
    ],
)
def test_what_kserve_would_refuse_is_told(
    capfd: pytest.CaptureFixture[str], model: str, name: str, message: str
) -> None:
    _, error = written(capfd, "--model", model, "--name", name, code=2)
    assert message in error
