"""The Trainer in two containers on one network, by the manifest that `python -m pipeline compile tfjob` writes."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

import docker
from components.artifacts import evaluation
from components.artifacts.model_run import History
from components.shared.json_types import JsonObject
from pipeline.cli import main
from pipeline.config import load_config
from pipeline.platforms.compilation import compile_pipeline
from pipeline.platforms.registry import PLATFORMS
from tests.containers.backend import PodBackend
from tests.containers.conftest import PROJECT
from tests.containers.operator import run_tfjob

pytestmark = [pytest.mark.containers, pytest.mark.timeout(900)]

ROOT = "s3://artifacts/run"
CONFIG = PROJECT / "configs" / "synthetic.yaml"
# What is compared was learnt from the first epoch on, and is pushed whatever it is worth.
SETTINGS = (
    "dataset.synthetic_users=400", "dataset.synthetic_items=200", "dataset.synthetic_interactions=20000",
    "trainer.epochs=3", "trainer.pretraining=none",
    "evaluator.minimum_hr=null", "evaluator.baseline_margin=null",
)  # fmt: skip


@pytest.fixture(scope="module")
def one_worker(podman: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory, image: str) -> PodBackend:
    """All steps have run, as the pipeline runs them; not to be changed."""
    backend = PodBackend(podman=podman, image=image, folder=tmp_path_factory.mktemp("one"))
    backend.run(compile_pipeline(load_config(CONFIG, SETTINGS), PLATFORMS["kfp"]), ROOT, {})
    return backend


def manifest_of(backend: PodBackend, target: Path, image: str) -> JsonObject:
    """The manifest for a volume that holds what the steps have written, to which the job writes too."""
    uris = {
        name: backend.artifact(step, name)["uri"].replace("s3://", "/store/")
        for step, name in (("NegativeGen", "examples"), ("Preprocess", "interactions"), ("Preprocess", "vocabulary"))
    }
    assignments = [*SETTINGS, "cluster.steps.Trainer.volumes={/store: artifacts}", "pusher.destination=/store/serving"]
    with pytest.raises(SystemExit) as ended:
        main([
            "compile", "tfjob", "--config", str(CONFIG), *(part for text in assignments for part in ("--set", text)),
            "--workers", "2", "--image", image, *(part for name, uri in uris.items() for part in (f"--{name}", uri)),
            "--root", "/store/several", "-o", str(target),
        ])  # fmt: skip
    assert ended.value.code == 0
    job: JsonObject = yaml.safe_load(target.read_text())
    return job


def test_two_workers_on_a_network_train_as_one_does_and_the_chief_pushes(
    podman: docker.DockerClient, one_worker: PodBackend, image: str, tmp_path: Path
) -> None:
    store = one_worker.folder / "store"
    chief, other = run_tfjob(podman, manifest_of(one_worker, tmp_path / "job.yaml", image), {"artifacts": store})
    for code, printed in (chief, other):
        print(f"---\n{printed}")
        assert code == 0, printed
    steps = [line for line in chief[1].splitlines() if line.startswith("running ")]
    assert steps == [f"running components.{step}.executor.Executor" for step in ("trainer", "evaluator", "pusher")]
    assert [line for line in other[1].splitlines() if line.startswith("running ")] == steps[:1]

    one = {
        name: one_worker.stored(found["uri"])
        for step in one_worker.outputs.values()
        for name, found in step.artifacts.items()
    }
    assert_same_training(store / "several", one)
    found, expected = (evaluation.read(str(place)) for place in (store / "several" / "evaluation", one["evaluation"]))
    assert found.blessed
    assert found.model.sampled["HR@10"] == pytest.approx(expected.model.sampled["HR@10"], abs=0.02)
    (version,) = (store / "serving").iterdir()
    assert (version / "saved_model.pb").exists()


def assert_same_training(root: Path, one: Mapping[str, Path]) -> None:
    """What docs/accelerators.md says: the loss curve to 1e-4, metrics within .02."""
    several, alone = History.read(str(root / "model_run")), History.read(str(one["model_run"]))
    assert several is not None
    assert alone is not None
    assert several.whole.best_epoch == alone.whole.best_epoch > 0
    assert len(several.whole.epochs) == len(alone.whole.epochs) == 3
    for found, expected in zip(several.whole.epochs, alone.whole.epochs, strict=True):
        print(found, expected)
        assert found.loss == pytest.approx(expected.loss, abs=1e-4)
        assert found.metrics == pytest.approx(expected.metrics, abs=0.02)
