"""The step that registers models, in the compiled pipeline."""

from pathlib import Path

import pytest

from components.shared.errors import UserError
from pipeline.config import load_config
from pipeline.platforms.compilation import compile_pipeline, finish
from pipeline.platforms.registry import PLATFORMS

CONFIG = Path(__file__).resolve().parents[3] / "configs" / "synthetic.yaml"
ASKED = ["model_registry.project=p", "model_registry.serving_image=tf2:1"]


def test_the_step_stands_between_pusher_and_report() -> None:
    config = load_config(CONFIG, [*ASKED, "notify.webhook=${HOOK}", "cluster.steps.Register.memory=2"])
    spec = compile_pipeline(config, PLATFORMS["vertex"])
    finish(spec, config)
    tasks = spec["components"]["comp-exit-handler-1"]["dag"]["tasks"]
    assert tasks["Register"]["dependentTasks"] == ["Evaluator", "Pusher"]
    assert "Register" in tasks["Report"]["dependentTasks"]
    container = spec["deploymentSpec"]["executors"]["Register_executor"]["container"]
    assert container["command"] == ["python", "-m", "pipeline.vertex.registration"]
    assert container["resources"] == {"memoryLimit": 2.0}


@pytest.mark.parametrize(
    ("assignments", "target", "message"),
    [
        (ASKED, "kfp", "model_registry is what Vertex AI Pipelines has, and Kubeflow Pipelines v2 has none"),
        (ASKED[:1], "vertex", "model_registry: serving_image is needed where project is set"),
        ([*ASKED, "pusher.destination=s3://b/serving"], "vertex", "name gs://BUCKET/FOLDER"),
        ([*ASKED, "model_registry.minimum_machines=2"], "vertex", "maximum_machines is below minimum_machines"),
        ([*ASKED, "model_registry.serving_image=My TF"], "vertex", "model_registry.serving_image: is no name of an im"),
        ([*ASKED, "model_registry.model=My Model"], "vertex", "model_registry.model"),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_compiled(assignments: list[str], target: str, message: str) -> None:
    with pytest.raises(UserError) as error:
        compile_pipeline(load_config(CONFIG, assignments), PLATFORMS[target])
    assert message in str(error.value)
