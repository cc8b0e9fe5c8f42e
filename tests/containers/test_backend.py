"""The committed pipeline as the open-source backend of Kubeflow Pipelines runs it; see `backend`."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

import docker
from components.artifacts import evaluation
from components.artifacts.model_run import History
from tests.containers.backend import PodBackend
from tests.kfp_backend import StepFailedError

pytestmark = [pytest.mark.containers, pytest.mark.timeout(900)]

ROOT = "minio://mlpipeline/v2/artifacts/neumf-synthetic/run"


@pytest.fixture
def backend(podman: docker.DockerClient, image: str, tmp_path: Path) -> PodBackend:
    return PodBackend(podman=podman, image=image, folder=tmp_path)


@pytest.fixture(scope="module")
def whole_run(
    podman: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory, spec: Any, image: str
) -> PodBackend:
    """All steps have run; not to be changed."""
    backend = PodBackend(podman=podman, image=image, folder=tmp_path_factory.mktemp("whole"))
    backend.run(spec, ROOT, {"epochs": 4})
    return backend


def test_all_steps_run_on_artifacts_of_an_object_store(whole_run: PodBackend) -> None:
    backend = whole_run
    pushed = backend.artifact("Pusher", "pushed_model")
    assert pushed["metadata"]["pushed"] == 1.0
    assert pushed["metadata"]["pushed_destination"] == pushed["uri"] == f"{ROOT}/Pusher/salt/pushed_model"
    assert (backend.stored(pushed["uri"]) / "saved_model.pb").exists()
    assert f"pushed to {pushed['uri']}\n" in backend.logs["Pusher"]
    blessing = backend.artifact("Evaluator", "blessing")
    assert blessing["metadata"]["current_model"] == backend.artifact("Trainer", "model")["uri"]
    assert evaluation.read(str(backend.stored(backend.artifact("Evaluator", "evaluation")["uri"]))).blessed
    for step, log in backend.logs.items():
        print(f"--- {step}\n{log}")
        assert "INFO" not in log


def test_a_console_has_figures_and_pages_of_all_steps(whole_run: PodBackend) -> None:
    def stored(step: str, output: str) -> Path:
        return whole_run.stored(whole_run.artifact(step, output)["uri"])

    assert whole_run.artifact("Preprocess", "data_counts")["metadata"]["users"] == 2000.0
    history = History.read(str(stored("Trainer", "model_run")))
    assert history is not None
    assert whole_run.artifact("Trainer", "learning_curve")["metadata"]["epochs"] == len(history.whole.epochs)
    figures = whole_run.artifact("Evaluator", "metrics")["metadata"]
    found = evaluation.read(str(stored("Evaluator", "evaluation")))
    assert (figures["blessed"], figures["HR@10"]) == (1.0, found.model.sampled["HR@10"])
    assert stored("Evaluator", "verdict").read_text().startswith("# Blessed\n")
    assert "<!doctype html>" in stored("Evaluator", "report").read_text().lower()


def test_a_refused_model_is_not_pushed(whole_run: PodBackend, spec: Any) -> None:
    backend = dataclasses.replace(whole_run, outputs=dict(whole_run.outputs))
    backend.run(spec, f"{ROOT}-refused", {"minimum_hr": 0.99}, steps=("Evaluator", "Pusher"))
    assert list(backend.logs) == ["Evaluator", "Pusher"]
    pushed = backend.artifact("Pusher", "pushed_model")
    assert pushed["metadata"]["pushed"] == 0.0
    assert not (backend.stored(pushed["uri"]) / "saved_model.pb").exists()


def test_a_broken_input_ends_the_run(backend: PodBackend, spec: Any) -> None:
    with pytest.raises(StepFailedError, match=r"Preprocess: exit code 2\n(.*\n)*error: .*/nowhere/ratings.csv"):
        backend.run(spec, ROOT, {"dataset": "files", "ratings": "/nowhere/ratings.csv"})
    assert list(backend.logs) == ["Preprocess"]
