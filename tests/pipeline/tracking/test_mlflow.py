"""Runs in a real store of MLflow's, in files; where its client is installed (`pip install --group mlflow`)."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from components.shared.errors import UserError
from pipeline.tracking import mlflow_server
from pipeline.tracking.config import NotifyConfig, TrackingConfig
from pipeline.tracking.ended import Ended, Results, Run
from pipeline.tracking.telling import tell
from tests.components.evaluator.report import builders

RUN = Run("clicks", "clicks-20261126-030000", {"seed": 7, "trainer": {"epochs": 3, "layers": [8, 4], "loss": None}})
installed = pytest.mark.skipif(importlib.util.find_spec("mlflow") is None, reason="MLflow's client is not installed")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_STORE", f"file:{tmp_path}/mlflow")
    return "${MLFLOW_STORE}"


def logged(folder: Path) -> Any:
    """MLflow's client, and the one run that it finds."""
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=f"file:{folder}/mlflow")
    experiment = client.get_experiment_by_name("shop")
    (found,) = client.search_runs([experiment.experiment_id])
    return client, found


@installed
def test_a_run_is_logged_with_all_that_it_did(tmp_path: Path, store: str, pushed: Results) -> None:
    assert mlflow_server.log(store, "shop", Ended.with_verdict(RUN, pushed)) is None
    client, found = logged(tmp_path)
    assert found.info.run_name == "clicks-20261126-030000"
    assert found.info.status == "FINISHED"
    assert found.data.params == {
        "seed": "7", "trainer.epochs": "3", "trainer.layers": "[8, 4]", "trainer.loss": "null",
    }  # fmt: skip
    assert found.data.tags["verdict"] == "blessed"
    assert found.data.tags["model"] == "gs://bucket/serving/17"
    whole = builders.evaluation()
    assert found.data.metrics["HR_at_10"] == whole.model.sampled["HR@10"]
    assert found.data.metrics["HR_at_10_of_all_items"] == whole.model.full["HR@10"]
    epochs = builders.history().whole.epochs
    losses = client.get_metric_history(found.info.run_id, "epoch/loss")
    assert [(metric.step, metric.value) for metric in losses] == [
        (number, epoch.loss) for number, epoch in enumerate(epochs, start=1)
    ]
    curve = client.get_metric_history(found.info.run_id, "epoch/validation_NDCG_at_10")
    assert [metric.value for metric in curve] == [epoch.metrics["NDCG@10"] for epoch in epochs]
    files = client.list_artifacts(found.info.run_id)
    assert sorted(file.path for file in files) == ["metrics.json", "report.html"]
    report = client.download_artifacts(found.info.run_id, "report.html")
    assert Path(report).read_text() == "<!doctype html><title>report</title>"


@installed
def test_a_second_run_goes_to_the_same_experiment_and_says_why_it_failed(tmp_path: Path, store: str) -> None:
    many = Run("clicks", "run-1", {"trainer": {f"key_{number}": number for number in range(250)}})
    for run in (RUN, many):
        assert mlflow_server.log(store, "shop", Ended.with_failure(run, "clicks.csv:7: it has no item")) is None
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=f"file:{tmp_path}/mlflow")
    (experiment,) = [one for one in client.search_experiments() if one.name == "shop"]
    found = client.search_runs([experiment.experiment_id])
    assert {run.info.status for run in found} == {"FAILED"}
    assert {run.data.tags["reasons"] for run in found} == {"clicks.csv:7: it has no item"}
    assert sorted(len(run.data.params) for run in found) == [4, 250]


@installed
def test_a_run_that_did_nothing_is_none(tmp_path: Path, store: str, pushed: Results) -> None:
    tracking = TrackingConfig(mlflow=store, experiment="shop")
    for new in (True, False):
        assert tell(Ended.with_verdict(RUN, pushed, new), NotifyConfig(), tracking) == []
    _, found = logged(tmp_path)
    assert found.data.tags["verdict"] == "blessed"


@installed
def test_a_server_that_is_not_there_is_one_line(monkeypatch: pytest.MonkeyPatch, pushed: Results) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("SERVER", "http://me:hush@127.0.0.1:1")
    fault = mlflow_server.log("${SERVER}", "shop", Ended.with_verdict(RUN, pushed))
    assert fault is not None
    assert fault.startswith("tracking.mlflow: ${SERVER} does not take the run: ")
    assert "\n" not in fault
    assert "hush" not in fault


def test_a_client_that_is_not_installed_is_told_with_the_way_to_it(
    monkeypatch: pytest.MonkeyPatch, pushed: Results
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    told = r"tracking.mlflow: MLflow's client is not installed; in a checkout: python -m pip install --group mlflow"
    with pytest.raises(UserError, match=told):
        mlflow_server.check_installed()
    assert mlflow_server.log("file:/x", "shop", Ended.with_verdict(RUN, pushed)) == told


@pytest.mark.parametrize(
    ("figure", "name"), [("HR@10", "HR_at_10"), ("NDCG@10 of best baseline", "NDCG_at_10_of_best_baseline")]
)
def test_figures_have_names_that_mlflow_allows(figure: str, name: str) -> None:
    assert mlflow_server.name_of(figure) == name
