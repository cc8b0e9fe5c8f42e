import json
from typing import Any

import pytest
from tfx.components.trainer.executor import GenericExecutor
from tfx.extensions.google_cloud_ai_platform import runner
from tfx.types import standard_artifacts
from tfx.types.channel_utils import as_channel

from components.shared.errors import UserError
from components.trainer.component import Trainer
from components.trainer.config import TrainerConfig
from components.trainer.custom_job import CustomJobExecutor
from components.trainer.executor import Executor, stock_properties
from tests.storages import STORAGES


def component(config: TrainerConfig, **more: Any) -> Trainer:
    examples, interactions = (as_channel([standard_artifacts.Examples()]) for _ in range(2))
    vocabulary = as_channel([standard_artifacts.TransformGraph()])
    more = {"push_destination": "/models", **more}
    return Trainer(examples, interactions, vocabulary, config, 7, "/checkpoints", "1", **more)


def test_every_setting_is_an_execution_property_and_reaches_run_fn() -> None:
    config = TrainerConfig(num_factors=8, layers=(16, 8), learning_rate=0.01, hr_threshold=0.6)
    properties = component(config).exec_properties
    assert set(TrainerConfig.model_fields) < set(properties)
    custom = json.loads(stock_properties(properties, "gs://b/interactions")["custom_config"])
    assert TrainerConfig.model_validate(custom.pop("config")) == config
    assert custom == {
        "seed": 7, "checkpoint_root": "/checkpoints", "push_destination": "/models", "code_version": "1",
        "interactions": "gs://b/interactions",
    }  # fmt: skip


@pytest.mark.parametrize("storage", ["s3", "gs"])
def test_a_destination_without_bucket_is_told_before_anything_is_trained(storage: str) -> None:
    with pytest.MonkeyPatch.context() as environment, STORAGES[storage](environment) as bucket:
        message = rf"^pusher\.destination \(push_destination\): there is no bucket {bucket}-of-nobody; make it"
        with pytest.raises(UserError, match=message):
            Executor().Do({}, {}, {"push_destination": f"{bucket}-of-nobody/serving"})
        with pytest.raises(KeyError, match="interactions"):  # the next thing that it looks for
            Executor().Do({}, {}, {"push_destination": f"{bucket}/serving"})


def test_a_setting_that_is_not_allowed_is_an_error_of_the_user() -> None:
    properties = {**component(TrainerConfig()).exec_properties, "epochs": 0}
    with pytest.raises(UserError, match=r"epochs: input should be greater than or equal to 1 \(got 0\)"):
        stock_properties(properties, "interactions")


def test_what_was_tuned_wins_over_the_settings() -> None:
    properties = component(TrainerConfig(learning_rate=0.01, epochs=7)).exec_properties
    tuned = {"learning_rate": 0.002, "layers": [32, 16], "pretraining": "als"}

    custom = json.loads(stock_properties(properties, "interactions", tuned)["custom_config"])

    assert TrainerConfig.model_validate(custom["config"]) == TrainerConfig(
        learning_rate=0.002, epochs=7, layers=(32, 16), pretraining="als"
    )


def test_tfx_runs_the_step() -> None:
    assert issubclass(Executor, GenericExecutor)
    assert component(TrainerConfig()).executor_spec.executor_class is Executor


def test_a_custom_job_is_given_the_executor_and_its_properties(monkeypatch: pytest.MonkeyPatch) -> None:
    job = {"ai_platform_enable_vertex": True, "ai_platform_training_args": {"project": "p"}}
    trainer = component(TrainerConfig(), custom_job=job)
    assert trainer.executor_spec.executor_class is CustomJobExecutor
    calls = []
    monkeypatch.setattr(runner, "start_cloud_training", lambda *arguments: calls.append(arguments))
    CustomJobExecutor().Do({}, {}, trainer.exec_properties)
    ((_, _, properties, path, arguments, *_),) = calls
    assert path == "components.trainer.executor.Executor"
    assert arguments == {"project": "p"}
    # What each worker's executor is called with, by TFX's `run_executor`.
    assert TrainerConfig.from_properties(properties) == TrainerConfig()
