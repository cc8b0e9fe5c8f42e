import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.shared.errors import UserError
from pipeline.kubeflow.client import KubeflowConnection
from pipeline.kubeflow.options import KubeflowOptions
from pipeline.kubeflow.platform import Kubeflow
from pipeline.platforms import submission
from pipeline.platforms.base import Run
from pipeline.platforms.following import follow
from tests.pipeline.kubeflow.kfp_server import STEPS, KfpServer

CONFIG = Path(__file__).resolve().parents[3] / "configs" / "synthetic.yaml"


@pytest.fixture
def server() -> Iterator[KfpServer]:
    with KfpServer() as running:
        yield running


@pytest.fixture(scope="module")
def run() -> Run:
    files = ["dataset=files", "ratings=gs://bucket/clicks.csv", "user_column=customer"]
    return submission.prepare(CONFIG, [], [*files, "image=i:1", "epochs=3", "minimum_hr=0.5"], Kubeflow())


def kubeflow(server: KfpServer, token: str | None = None) -> KubeflowConnection:
    return KubeflowConnection(KubeflowOptions(host=server.url, existing_token=token))


def test_a_run_is_started_with_all_parameters(server: KfpServer, run: Run) -> None:
    started = kubeflow(server).start(run)

    assert started.link == f"{server.url}/#/runs/details/run-0"
    (sent,) = server.runs
    values = sent["runtime_config"]["parameters"]
    (_, version) = server.versions
    parameters = version["pipeline_spec"]["root"]["inputDefinitions"]["parameters"]
    assert set(values) == {name for name in parameters if "defaultValue" in parameters[name]}
    assert set(parameters) - set(values) == {"batch_size", "learning_rate", "min_rating", "minimum_ndcg"}
    assert (values["epochs"], values["user_column"], values["minimum_hr"]) == (3, "customer", 0.5)
    assert (values["dataset"], values["push_destination"]) == ("files", "")
    assert sent["experiment_id"] == "experiment-0"
    assert server.experiments[0]["display_name"] == "neumf"


def test_a_pipeline_is_uploaded_once_and_a_changed_one_as_a_new_version(server: KfpServer, run: Run) -> None:
    platform = kubeflow(server)
    for _ in range(2):
        platform.start(run)
    assert (len(server.pipelines), len(server.versions), len(server.experiments), len(server.runs)) == (1, 2, 1, 2)
    assert len({sent["pipeline_version_reference"]["pipeline_version_id"] for sent in server.runs}) == 1

    changed = submission.prepare(CONFIG, ["trainer.num_factors=8"], ["image=other:1"], Kubeflow(), cache=False)
    platform.start(changed)
    assert (len(server.pipelines), len(server.versions)) == (1, 3)
    spec = server.versions[-1]["pipeline_spec"]
    assert {executor["container"]["image"] for executor in spec["deploymentSpec"]["executors"].values()} == {"other:1"}
    assert not any(task["cachingOptions"].get("enableCache") for task in spec["root"]["dag"]["tasks"].values())


def test_a_run_is_followed_to_its_end(server: KfpServer, run: Run) -> None:
    lines: list[str] = []
    platform = kubeflow(server)
    follow(platform, platform.start(run), lines.append, seconds=0)

    assert lines[-1].endswith("the run has succeeded")
    for step in STEPS:
        states = [line.split()[-1] for line in lines if f" {step} " in line]
        assert states[-1] == "succeeded"
    assert not [line for line in lines if "driver" in line or "root" in line]


def test_a_run_that_fails_is_an_error(server: KfpServer, run: Run) -> None:
    server.failing_step = "Trainer"
    lines: list[str] = []
    platform = kubeflow(server)
    with pytest.raises(
        UserError, match=r"failed at Trainer: main: error \(exit code 2\); its logs are at http"
    ) as error:
        follow(platform, platform.start(run), lines.append, seconds=0)
    assert "\n" not in str(error.value)
    assert "Evaluator" not in "".join(lines)


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (401, "does not know you (401); give a token with --existing-token"),
        (403, "does not allow this (403); check --namespace"),
        (404, "does not know this (404); is it the address of Kubeflow Pipelines"),
        (500, "refuses (500): as told: 500"),
    ],
)
def test_a_refusal_is_one_line_that_says_what_to_do(server: KfpServer, run: Run, status: int, message: str) -> None:
    platform = kubeflow(server)
    server.status = status
    for refused in (lambda: kubeflow(server), lambda: platform.start(run)):
        with pytest.raises(UserError) as error:
            refused()
        assert str(error.value).startswith(f"{server.url} {message}")
        assert "\n" not in str(error.value)


def test_the_token_is_sent_and_never_told(server: KfpServer, run: Run) -> None:
    server.token = "s3cret"
    kubeflow(server, "s3cret").start(run)
    with pytest.raises(UserError) as error:
        kubeflow(server, "other-t0ken")
    assert "t0ken" not in str(error.value)
    assert "s3cret" not in repr((run, KubeflowOptions(host=server.url, existing_token="s3cret")))


def test_a_host_that_is_not_there_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    with pytest.raises(UserError, match=rf"http://127.0.0.1:{port} cannot be reached: .*refused") as error:
        KubeflowConnection(KubeflowOptions(host=f"http://127.0.0.1:{port}"))
    assert "\n" not in str(error.value)


def test_a_parameter_of_the_wrong_type_is_refused_by_the_server_as_by_the_backend(server: KfpServer, run: Run) -> None:
    wrong = Run(run.name, run.pipeline, run.text, {**run.values, "epochs": "three"})
    with pytest.raises(UserError, match=r"refuses \(400\): parameter epochs has the wrong type"):
        kubeflow(server).start(wrong)
    assert not server.runs
