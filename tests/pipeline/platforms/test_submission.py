from pathlib import Path

import pytest
import yaml

from components.shared.errors import UserError
from pipeline.config import load_config
from pipeline.platforms import submission
from pipeline.platforms.registry import PLATFORMS

CONFIG = Path(__file__).resolve().parents[3] / "configs" / "synthetic.yaml"


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        ("epoch=3", "--param epoch=3: there is no parameter 'epoch'; did you mean 'epochs'?"),
        ("xyz=3", "--param xyz=3: there is no parameter 'xyz'; there are dataset, ratings"),
        ("epochs", "--param epochs: write it as name=value"),
        ("epochs=0", "trainer.epochs: input should be greater than or equal to 1 (got 0)"),
        ("dataset=files", "dataset.path is needed where dataset.kind is files"),
        (
            "push_destination=minio://models/x",
            "(push_destination): minio://models/x is for artifacts alone",
        ),
        ("image=", "--param image=: cluster.image: input should be"),
        (
            "accelerator_count=2",
            "--param accelerator_count=2: has no effect, as cluster.accelerator is null; set that as well",
        ),
        ("image=my image", "cluster.image: is no name of an image, such as REGISTRY/neumf-pipeline:1"),
        ("image=registry/Neumf:1", "cluster.image: is no name of an image"),
        ("image=neumf-pipeline:latest", "cluster.image (image): neumf-pipeline:latest is in no registry"),
        ("accelerator=TPU_V3", "a cluster knows resources such as nvidia.com/gpu, amd.com/gpu or google.com/tpu"),
        ("push_destination=serving", "pusher.destination (push_destination): serving is a path of this machine"),
        ("push_destination=https://host/models", "pusher.destination: https://host/models can only be read"),
    ],
)
def test_a_faulty_parameter_is_told_before_anything_is_sent(parameter: str, message: str) -> None:
    with pytest.raises(UserError) as error:
        submission.prepare(CONFIG, [], ["image=registry/neumf:1", parameter], PLATFORMS["kfp"])
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "image",
    ["neumf", "neumf:1", "registry.example.org:5000/team/neumf_pipeline:1.2-gpu", "REGISTRY/neumf@sha256:" + "a" * 64],
)
def test_a_name_of_an_image_is_taken(image: str) -> None:
    assert load_config(CONFIG, [f"cluster.image={image}"]).cluster.image == image


def test_what_is_left_open_has_no_default_that_would_win() -> None:
    run = submission.prepare(
        CONFIG, ["trainer.batch_size=64"], ["image=i:1", "minimum_hr=null", "batch_size=auto"], PLATFORMS["kfp"]
    )
    parameters = yaml.safe_load(run.text)["root"]["inputDefinitions"]["parameters"]
    for name in ("minimum_hr", "batch_size"):
        assert name not in run.values
        assert "defaultValue" not in parameters[name]
    assert parameters["baseline_margin"]["defaultValue"] == run.values["baseline_margin"] == 0.0
