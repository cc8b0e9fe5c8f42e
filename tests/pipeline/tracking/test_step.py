"""The step that tells how a run ended, as the backends run it."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.config import load_config
from pipeline.platforms.run_parameters import RUN_PARAMETERS
from pipeline.tracking import step
from pipeline.tracking.compiled import settings
from pipeline.tracking.ended import Results
from tests.pipeline.tracking.receiver import Receiver

CONFIG = Path(__file__).resolve().parents[3] / "configs" / "synthetic.yaml"
PUSHED_IN = "gs://b/neumf/0c4f"
"""The root of the run that pushed the model."""


@pytest.fixture
def told(receiver: Receiver) -> Any:
    """Runs the step, and gives its exit code."""
    config = load_config(CONFIG, [f"notify.webhook={receiver.url}"])

    def run(values: Any, artifacts: Any = None, root: str | None = None) -> int:
        message: Any = {
            "inputs": {"parameterValues": {"run": "run-1", **values}},
            "outputs": {"outputFile": "/not/there"},
        }
        if artifacts:
            message["inputs"]["artifacts"] = artifacts
        if root:  # Kubeflow's driver adds it to the outputs of each step
            logs = {"name": "executor-logs", "uri": f"{root}/Report/ee/executor-logs-0"}
            message["outputs"]["artifacts"] = {"executor-logs": {"artifacts": [logs]}}
        known = json.dumps(settings(config, RUN_PARAMETERS))
        return step.main(["--settings", known, "--executor_input", json.dumps(message)])

    return run


def artifacts_of(results: Results, pushed: dict[str, Any]) -> dict[str, Any]:
    """As the driver hands them over: without types, and with properties as metadata, numbers as doubles."""
    found: dict[str, Any] = {
        "evaluation": {"uri": results.evaluation},
        "model_run": {"uri": results.model_run},
        "pushed_model": {"uri": f"{PUSHED_IN}/Pusher/cc/pushed_model", "metadata": pushed},
    }
    return {name: {"artifacts": [{"name": "1", "type": {}, **artifact}]} for name, artifact in found.items()}


def test_the_verdict_is_told_with_the_place_of_the_model(told: Any, receiver: Receiver, pushed: Results) -> None:
    properties = {"pushed": 1.0, "pushed_destination": "gs://bucket/serving/17"}
    assert told({"epochs": 3.0}, artifacts_of(pushed, properties)) == 0
    (message,) = receiver.received
    assert (message["pipeline"], message["run"], message["state"]) == ("neumf-synthetic", "run-1", "blessed")
    assert message["model"] == "gs://bucket/serving/17"


@pytest.mark.parametrize(
    ("root", "new"), [(PUSHED_IN, True), ("gs://b/neumf/0c4", False), ("gs://b/neumf/77aa", False), (None, True)]
)
def test_where_all_came_from_the_cache_nothing_is_new(
    told: Any, receiver: Receiver, pushed: Results, root: str | None, new: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told({}, artifacts_of(pushed, {"pushed": 1.0, "pushed_destination": "gs://bucket/serving/17"}), root) == 0
    (message,) = receiver.received
    assert (message["new"], message["state"], message["model"]) == (new, "blessed", "gs://bucket/serving/17")
    text = "run-1: blessed" if new else "run-1: nothing new, as before blessed"
    assert message["text"] == capsys.readouterr().out.strip() == text


def test_a_model_that_is_not_blessed_is_nowhere(told: Any, receiver: Receiver, refused: Results) -> None:
    assert told({}, artifacts_of(refused, {"pushed": 0.0})) == 0
    (message,) = receiver.received
    assert (message["state"], message["model"]) == ("not blessed", None)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (
            # As Vertex AI has it.
            {"state": "FAILED", "error": {"code": 9, "message": "The Trainer failed."}, "pipelineTaskName": "x"},
            "The Trainer failed.",
        ),
        # As Kubeflow does: the states of ML Metadata, and an error without words. A driver that failed leaves RUNNING.
        ({"state": "FAILED", "error": {}}, "the run has ended as failed; its page says where"),
        ({"state": "RUNNING", "error": {}}, "the run has ended as running; its page says where"),
    ],
)
def test_the_exit_handler_tells_a_failure(told: Any, receiver: Receiver, status: Any, reason: str) -> None:
    assert told({"status": status}) == 0
    (message,) = receiver.received
    assert (message["state"], message["reasons"], message["metrics"]) == ("failed", [reason], {})


@pytest.mark.parametrize("state", ["SUCCEEDED", "COMPLETE"])
def test_the_exit_handler_is_silent_where_the_verdict_was_told(told: Any, receiver: Receiver, state: str) -> None:
    assert told({"status": {"state": state, "error": {}}}) == 0
    assert not receiver.received


def test_a_webhook_that_refuses_does_not_make_the_run_fail(
    told: Any, receiver: Receiver, refused: Results, capsys: pytest.CaptureFixture[str]
) -> None:
    receiver.status = 403
    assert told({}, artifacts_of(refused, {})) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "warning: notify.webhook: 127.0.0.1 answers 403"


def test_an_evaluation_that_is_none_is_one_line(
    told: Any, refused: Results, capsys: pytest.CaptureFixture[str]
) -> None:
    (Path(refused.evaluation) / "metrics.json").unlink()
    assert told({}, artifacts_of(refused, {})) == 2
    assert capsys.readouterr().err.endswith("has no metrics.json; run the Evaluator again\n")


def test_the_values_of_the_run_stand_in_its_configuration(refused: Results) -> None:
    known = settings(load_config(CONFIG), RUN_PARAMETERS)
    values = {"run": "run-1", "epochs": 3, "seed": 7, "ratings": "https://me:hush@host/clicks.csv"}
    inputs = {"parameterValues": values, "artifacts": artifacts_of(refused, {})}
    ended = step.ended_run({"inputs": inputs, "outputs": {}}, known)
    assert ended is not None
    assert (ended.run.config["trainer"]["epochs"], ended.run.config["seed"]) == (3, 7)
    assert ended.run.config["dataset"]["path"] == "https://host/clicks.csv"
    assert ended.run.config["trainer"]["pretraining"] == known["config"]["trainer"]["pretraining"]
