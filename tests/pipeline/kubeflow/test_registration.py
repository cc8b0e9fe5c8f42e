"""The step that registers models, in the compiled pipeline."""

import json
from pathlib import Path

import pytest

from components.shared.errors import UserError
from pipeline.config import load_config
from pipeline.platforms.compilation import compile_pipeline
from pipeline.platforms.registry import PLATFORMS

CONFIG = Path(__file__).resolve().parents[3] / "configs" / "synthetic.yaml"
URL = "http://model-registry-service.kubeflow:8080"


def test_the_step_stands_behind_pusher() -> None:
    config = load_config(
        CONFIG,
        [
            f"kubeflow_model_registry.url={URL}",
            "kubeflow_model_registry.model=Clicks of the shop",
            "cluster.defaults.memory=2",
            "cluster.steps.Pusher.volumes={/models: shop}",
        ],
    )
    spec = compile_pipeline(config, PLATFORMS["kfp"])
    assert spec["root"]["dag"]["tasks"]["Register"]["dependentTasks"] == ["Evaluator", "Pusher"]
    container = spec["deploymentSpec"]["executors"]["Register_executor"]["container"]
    assert container["command"] == ["python", "-m", "pipeline.kubeflow.registration"]
    assert container["resources"] == {"memoryLimit": 2.0}
    assert json.loads(container["args"][1]) == {
        "pipeline": "neumf-synthetic",
        "registry": {"registry": {"url": URL, "model": "Clicks of the shop"}, "volumes": {"/models": "shop"}},
    }


@pytest.mark.parametrize(
    ("assignments", "target", "message"),
    [
        ([f"kubeflow_model_registry.url={URL}"], "vertex", "is what Kubeflow Pipelines v2 has, and Vertex"),
        (["kubeflow_model_registry.model=a"], "kfp", "has no effect, as kubeflow_model_registry.url is null"),
        (["kubeflow_model_registry.url=registry:8080"], "kfp", "kubeflow_model_registry.url"),
        (["kubeflow_model_registry.url=http://me:hidden@registry"], "kfp", "kubeflow_model_registry"),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_compiled(assignments: list[str], target: str, message: str) -> None:
    with pytest.raises(UserError) as error:
        compile_pipeline(load_config(CONFIG, assignments), PLATFORMS[target])
    assert message in str(error.value)
    assert "hidden" not in str(error.value)
