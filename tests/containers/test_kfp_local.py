"""The committed pipeline, step by step in containers, through kfp's own local runner."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import kfp
import pytest
from kfp import local
from kfp.local import docker_task_handler, executor_input_utils, executor_output_utils
from kfp.local.orchestrator.orchestrator_utils import OrchestratorUtils

import docker
from components.artifacts import evaluation
from components.artifacts.evaluation import State
from tests.containers.conftest import PROJECT
from tests.containers.runner import run_docker_container

pytestmark = [pytest.mark.containers, pytest.mark.timeout(900)]

Run = Callable[..., Any]


@pytest.fixture
def run(podman: docker.DockerClient, image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the pipeline with some parameters."""
    monkeypatch.setattr(docker_task_handler, "run_docker_container", run_docker_container)
    _leave_open_what_has_no_default(monkeypatch)
    data, root = tmp_path / "data", tmp_path / "root"
    for folder in (data, root):
        folder.mkdir(mode=0o777)
    local.init(
        runner=local.DockerRunner(mounts=[docker.types.Mount("/data", str(data), type="bind")]),
        pipeline_root=str(root),
    )
    pipeline = kfp.components.load_component_from_file(str(PROJECT / "kfp_pipeline.yaml"))
    return lambda **parameters: pipeline(**parameters)


def _leave_open_what_has_no_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets optional inputs be without a value and a default, as backends do, where kfp's runner asks for one."""
    python_of, arguments_of = executor_output_utils.pb2_value_to_python, OrchestratorUtils.make_task_arguments
    construct = executor_input_utils.construct_executor_input

    def given(**inputs: Any) -> dict[str, Any]:
        return {name: value for name, value in arguments_of(**inputs).items() if value is not None}

    def without_open(**told: Any) -> Any:
        message = construct(**told)
        values = message.inputs.parameter_values
        for name in [name for name, value in values.items() if not value.WhichOneof("kind")]:
            del values[name]
        return message

    monkeypatch.setattr(
        executor_output_utils,
        "pb2_value_to_python",
        lambda value: python_of(value) if value.WhichOneof("kind") else None,
    )
    monkeypatch.setattr(OrchestratorUtils, "make_task_arguments", given)
    monkeypatch.setattr(executor_input_utils, "construct_executor_input", without_open)


def artifact(tmp_path: Path, name: str) -> Path:
    (found,) = (tmp_path / "root").glob(f"*/*/{name}")
    return found


def only_error(capfd: pytest.CaptureFixture[str]) -> str:
    """The line that tells what is wrong, of a run that ended with its first step."""
    printed = "".join(capfd.readouterr())
    assert "NegativeGen" not in printed
    (line,) = {line for line in printed.splitlines() if line.startswith("error: ")}
    return line


def test_a_good_model_is_blessed_and_pushed(run: Run, tmp_path: Path) -> None:
    run(push_destination="/data/serving", epochs=4)

    (version,) = (tmp_path / "data" / "serving").iterdir()
    assert (version / "saved_model.pb").exists()
    found = evaluation.read(str(artifact(tmp_path, "evaluation")))
    assert found.blessed
    assert found.model.sampled["HR@10"] > 0.45
    assert (artifact(tmp_path, "blessing") / "BLESSED").exists()


def test_a_model_below_the_threshold_is_not_pushed(run: Run, tmp_path: Path) -> None:
    run(push_destination="/data/serving", epochs=1, minimum_hr=0.99)

    assert not (tmp_path / "data" / "serving").exists()
    rules = evaluation.read(str(artifact(tmp_path, "evaluation"))).rules
    assert next(rule.rule for rule in rules if rule.state is State.FAILED) == "minimum_hr"
    assert (artifact(tmp_path, "blessing") / "NOT_BLESSED").exists()


def test_a_broken_input_fails_the_run_in_its_first_step(
    run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data" / "ratings.csv").write_text("user,item,timestamp\n1,2,3\n1,two\n")
    with pytest.raises(RuntimeError, match="Preprocess"):
        run(dataset="files", ratings="/data/ratings.csv")
    assert "/data/ratings.csv" in only_error(capfd)


def test_a_release_of_movielens_has_a_place_without_a_home(run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    """The folder for the archive is opened before the network is asked, which these containers don't have."""
    with pytest.raises(RuntimeError, match="Preprocess"):
        run(dataset="movielens")
    assert "cannot be reached" in only_error(capfd)


def test_a_step_that_fails_fails_the_run(
    podman: docker.DockerClient, image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same with the shortest pipeline there is: what the tests above run on can fail."""

    @kfp.dsl.container_component
    def fail(code: int) -> kfp.dsl.ContainerSpec:
        return kfp.dsl.ContainerSpec(image=image, command=["sh", "-c", 'exit "$0"'], args=[code])

    monkeypatch.setattr(docker_task_handler, "run_docker_container", run_docker_container)
    # The runner asks every input for its default; an optional one need not have any, which backends leave open.
    python_of = executor_output_utils.pb2_value_to_python
    monkeypatch.setattr(
        executor_output_utils,
        "pb2_value_to_python",
        lambda value: python_of(value) if value.WhichOneof("kind") else None,
    )
    local.init(runner=local.DockerRunner(), pipeline_root=str(tmp_path / "root"))
    fail(code=0)
    with pytest.raises(RuntimeError, match="fail"):
        fail(code=3)
