from pathlib import Path

import pytest

from components.shared.errors import UserError
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
        ("dataset=files", "dataset: dataset.path is needed where dataset.kind is files"),
        (
            "push_destination=minio://models/x",
            "(push_destination): minio://models/x is for artifacts alone",
        ),
        ("push_destination=serving", "pusher.destination (push_destination): serving is a path of this machine"),
        ("push_destination=https://host/models", "pusher.destination: https://host/models can only be read"),
    ],
)
def test_a_faulty_parameter_is_told_before_anything_is_sent(parameter: str, message: str) -> None:
    with pytest.raises(UserError) as error:
        submission.prepare(CONFIG, [], [parameter], PLATFORMS["kfp"])
    assert message in str(error.value)
    assert "\n" not in str(error.value)
