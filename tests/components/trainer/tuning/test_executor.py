"""The step, with real trainings."""

import pytest
from tfx.types import standard_artifacts
from tfx.types.channel_utils import as_channel

from components.artifacts.hyperparameters import Hyperparameters
from components.shared.errors import UserError
from components.trainer.config import TrainerConfig
from components.trainer.tuning.component import Tuner
from components.trainer.tuning.config import TunerConfig
from components.trainer.tuning.executor import Executor
from tests.components.trainer.conftest import CONFIG


def run(tmp_path, examples, config: TrainerConfig, tuner: TunerConfig) -> Hyperparameters:
    """The step as TFX runs it."""
    given, found = standard_artifacts.Examples(), standard_artifacts.HyperParameters()
    given.uri, found.uri = str(examples), str(tmp_path / "found")
    interactions = standard_artifacts.Examples()
    interactions.uri = str(examples.parent / "interactions")
    step = Tuner(as_channel([given]), as_channel([interactions]), config, tuner, 0, str(tmp_path / "studies"), "1")
    Executor().Do(
        {"examples": [given], "interactions": [interactions]}, {"best_hyperparameters": [found]}, step.exec_properties
    )
    return Hyperparameters.read(found.uri)


@pytest.mark.slow
def test_the_step_gives_out_what_is_best_and_leaves_nothing_else(inputs, tmp_path):
    # A rate at which nothing is learnt.
    config = TrainerConfig(**{**CONFIG, "learning_rate": 1e-6})

    found = run(tmp_path, inputs / "examples", config, TunerConfig(trials=4))

    assert found.trials == 4
    assert found.metric == "NDCG@10"
    assert found.own_value is not None
    assert found.value > found.own_value
    assert found.values["learning_rate"] > 1e-6
    TrainerConfig(**{**CONFIG, **found.values})
    assert list((tmp_path / "studies").iterdir()) == []


@pytest.mark.slow
def test_without_validation_the_step_fails_with_one_line(inputs, tmp_path):
    with pytest.raises(UserError, match=r"set preprocess\.validation=true"):
        run(tmp_path, inputs / "examples_without_validation", TrainerConfig(**CONFIG), TunerConfig(trials=2))
