"""The committed pipeline as the open-source backend of Kubeflow Pipelines runs it; see `backend`."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

import docker
from components.artifacts import evaluation
from components.artifacts.model_run import History
from tests.containers.backend import Backend, StepFailedError

pytestmark = [pytest.mark.containers, pytest.mark.timeout(900)]

ROOT = "minio://mlpipeline/v2/artifacts/neumf-synthetic/run"


@pytest.fixture
def backend(podman: docker.DockerClient, tmp_path: Path) -> Backend:
    return Backend(podman, tmp_path)


@pytest.fixture(scope="module")
def whole_run(podman: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory, spec: Any, image: str) -> Backend:
    """All steps have run; not to be changed."""
    backend = Backend(podman, tmp_path_factory.mktemp("whole"))
    backend.run(spec, image, ROOT, {"epochs": 4})
    return backend


def test_all_steps_run_on_artifacts_of_an_object_store(whole_run: Backend) -> None:
    backend = whole_run
    pushed = backend.artifacts["Pusher"]["pushed_model"]
    assert pushed["metadata"]["pushed"] == 1.0
    assert pushed["metadata"]["pushed_destination"] == pushed["uri"] == f"{ROOT}/Pusher/salt/pushed_model"
    assert (backend.stored(pushed["uri"]) / "saved_model.pb").exists()
    assert f"pushed to {pushed['uri']}\n" in backend.logs["Pusher"]
    blessing = backend.artifacts["Evaluator"]["blessing"]
    assert blessing["metadata"]["current_model"] == backend.artifacts["Trainer"]["model"]["uri"]
    assert evaluation.read(str(backend.stored(backend.artifacts["Evaluator"]["evaluation"]["uri"]))).blessed
    for step, log in backend.logs.items():
        print(f"--- {step}\n{log}")
        assert "INFO" not in log


def test_a_console_has_figures_and_pages_of_all_steps(whole_run: Backend) -> None:
    artifacts = whole_run.artifacts
    assert artifacts["Preprocess"]["data_counts"]["metadata"]["users"] == 2000.0
    history = History.read(str(whole_run.stored(artifacts["Trainer"]["model_run"]["uri"])))
    assert history is not None
    assert artifacts["Trainer"]["learning_curve"]["metadata"]["epochs"] == len(history.whole.epochs)
    figures = artifacts["Evaluator"]["metrics"]["metadata"]
    found = evaluation.read(str(whole_run.stored(artifacts["Evaluator"]["evaluation"]["uri"])))
    assert (figures["blessed"], figures["HR@10"]) == (1.0, found.model.sampled["HR@10"])
    assert whole_run.stored(artifacts["Evaluator"]["verdict"]["uri"]).read_text().startswith("# blessed\n")
    assert "<!doctype html>" in whole_run.stored(artifacts["Evaluator"]["report"]["uri"]).read_text().lower()


def test_a_refused_model_is_not_pushed(whole_run: Backend, spec: Any, image: str) -> None:
    backend = dataclasses.replace(whole_run, logs={}, artifacts=dict(whole_run.artifacts))
    backend.run(spec, image, f"{ROOT}-refused", {"minimum_hr": 0.99}, steps=("Evaluator", "Pusher"))
    assert list(backend.logs) == ["Evaluator", "Pusher"]
    pushed = backend.artifacts["Pusher"]["pushed_model"]
    assert pushed["metadata"]["pushed"] == 0.0
    assert not (backend.stored(pushed["uri"]) / "saved_model.pb").exists()


def test_a_broken_input_ends_the_run(backend: Backend, spec: Any, image: str) -> None:
    with pytest.raises(StepFailedError, match=r"Preprocess: exit code 2\n(.*\n)*error: .*/nowhere/ratings.csv"):
        backend.run(spec, image, ROOT, {"dataset": "files", "ratings": "/nowhere/ratings.csv"})
    assert list(backend.logs) == ["Preprocess"]
