"""The Tuner as a step of the pipeline."""

import pytest

from pipeline.config import load_config
from pipeline.pipeline import Places, create_pipeline
from pipeline.platforms.compilation import compile_pipeline
from pipeline.platforms.registry import PLATFORMS
from tests.e2e.conftest import PROJECT

DEMO = PROJECT / "configs" / "synthetic.yaml"


def steps(*assignments: str) -> list[str]:
    pipeline = create_pipeline(load_config(DEMO, assignments), Places.below("/root"), "1")
    return [step.id for step in pipeline.components]


def test_there_is_a_step_only_where_trials_are_asked_for():
    assert "Tuner" not in steps()
    assert steps("tuner.trials=3") == ["Preprocess", "NegativeGen", "Tuner", "Trainer", "Evaluator", "Pusher"]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_step_compiles_and_the_trainer_takes_what_it_gives(platform):
    config = load_config(DEMO, ["tuner.trials=3", "cluster.cpu=4"])

    spec = compile_pipeline(config, PLATFORMS[platform])

    inputs = spec["root"]["dag"]["tasks"]["Trainer"]["inputs"]["artifacts"]
    assert inputs["hyperparameters"]["taskOutputArtifact"] == {
        "outputArtifactKey": "best_hyperparameters",
        "producerTask": "Tuner",
    }
    executors = spec["deploymentSpec"]["executors"]
    limits = [executor["container"].get("resources", {}).get("cpuLimit") for executor in executors.values()]
    assert sorted(filter(None, limits)) == [4.0, 4.0]
