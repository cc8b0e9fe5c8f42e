"""BulkRecommend as a step of the pipeline."""

import pytest

from pipeline.config import describe_config, load_config
from pipeline.pipeline import Places, create_pipeline
from pipeline.platforms.compilation import compile_pipeline
from pipeline.platforms.registry import PLATFORMS
from tests.e2e.conftest import PROJECT

DEMO = PROJECT / "configs" / "synthetic.yaml"


def steps(*assignments: str) -> list[str]:
    pipeline = create_pipeline(load_config(DEMO, assignments), Places.below("/root"), "1")
    return [step.id for step in pipeline.components]


def test_there_is_a_step_after_the_pusher_where_items_are_asked_for() -> None:
    five = ["Preprocess", "NegativeGen", "Trainer", "Evaluator", "Pusher"]
    assert steps() == five
    assert steps("bulk.k=20") == [*five, "BulkRecommend"]


def test_asking_for_it_changes_nothing_that_steps_before_it_are_told() -> None:
    assert describe_config(load_config(DEMO, ["bulk.k=20"])) == describe_config(load_config(DEMO))


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_step_compiles_and_takes_what_was_pushed(platform: str) -> None:
    config = load_config(DEMO, ["bulk.k=20", "cluster.steps.BulkRecommend.memory=8"])

    spec = compile_pipeline(config, PLATFORMS[platform])

    task = spec["root"]["dag"]["tasks"]["BulkRecommend"]
    assert task["inputs"]["artifacts"]["pushed_model"]["taskOutputArtifact"] == {
        "outputArtifactKey": "pushed_model",
        "producerTask": "Pusher",
    }
    assert task["inputs"]["parameters"]["k"]["runtimeValue"]["constant"] == 20
    container = spec["deploymentSpec"]["executors"]["BulkRecommend_executor"]["container"]
    assert container["args"][:2] == ["--executor_class_path", "components.bulk_recommend.executor.Executor"]
    assert container["resources"]["memoryLimit"] == 8.0
