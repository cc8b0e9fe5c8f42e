"""A platform of one's own is a class and a line in the registry: it has a page of help, takes options and runs."""

from dataclasses import dataclass, field

import pytest
import yaml

from pipeline.cli import main
from pipeline.platforms import following
from pipeline.platforms.base import Platform, Run, Started, Status
from pipeline.platforms.options import Options
from pipeline.platforms.registry import PLATFORMS


@dataclass(frozen=True, kw_only=True)
class ToyOptions(Options):
    shelf: str = field(metadata={"help": "Which shelf it stands on."})
    wheels: int = field(default=4, metadata={"help": "How many it has."})
    loud: bool = field(default=False, metadata={"help": "With a horn."})


class ToyConnection:
    def __init__(self, options: ToyOptions):
        self.options = options
        self.runs: list[Run] = []
        self.states = ["RUNNING", "SUCCEEDED"]

    def start(self, run: Run) -> Started:
        self.runs.append(run)
        return Started("1", f"toy://{self.options.shelf}/1")

    def status(self, started: Started) -> Status:
        assert started.id == "1"
        state = self.states.pop(0)
        return Status(state, {"Trainer": state})


class Toy(Platform[ToyOptions]):
    title = "Toys"
    options = ToyOptions

    def __init__(self) -> None:
        self.connections: list[ToyConnection] = []

    def connect(self, options: ToyOptions) -> ToyConnection:
        self.connections.append(ToyConnection(options))
        return self.connections[-1]

    def accelerator(self, name: str) -> str:
        return f"toy-{name}"


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Toy:
    toy = Toy()
    monkeypatch.setitem(PLATFORMS, "toy", toy)
    monkeypatch.setattr(following.time, "sleep", lambda _: None)
    return toy


def output(capfd: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> tuple[str, str]:
    capfd.readouterr()
    with pytest.raises(SystemExit) as end:
        main(["submit", *arguments])
    assert end.value.code == code
    return capfd.readouterr()


def test_it_is_in_the_help_with_its_options(toy: Toy, capfd: pytest.CaptureFixture[str]) -> None:
    assert "toy     Toys" in output(capfd, "--help")[0]
    page = " ".join(output(capfd, "toy", "--help")[0].split())
    assert "on Toys and print its link" in page
    assert "--shelf TEXT Which shelf it stands on. [required]" in page
    assert "--wheels INTEGER How many it has. [default: 4]" in page
    assert "--loud With a horn." in page
    assert "--shelf" not in output(capfd, "kfp", "--help")[0]
    assert not toy.connections


def test_a_run_is_compiled_for_it_started_and_followed(toy: Toy, capfd: pytest.CaptureFixture[str]) -> None:
    out, _ = output(
        capfd, "toy", "--shelf", "top", "--loud", "--service-account", "me", "--watch",
        "--param", "image=toys/neumf:1", "--param", "epochs=2", "--set", "cluster.accelerator=horn",
    )  # fmt: skip
    (connection,) = toy.connections
    assert connection.options == ToyOptions(shelf="top", wheels=4, loud=True, service_account="me", pipeline_root=None)
    (run,) = connection.runs
    assert run.values["epochs"] == 2
    executors = yaml.safe_load(run.text)["deploymentSpec"]["executors"]
    assert executors["Trainer_executor"]["container"]["resources"]["accelerator"]["type"] == "toy-horn"
    link, running, succeeded, end = out.splitlines()
    assert link == f"{run.name}: toy://top/1"
    assert running.split()[2:] == ["Trainer", "running"]
    assert succeeded.split()[2:] == ["Trainer", "succeeded"]
    assert end.endswith("the run has succeeded")


def test_it_has_no_job_of_vertex_unless_it_says_so(toy: Toy, capfd: pytest.CaptureFixture[str]) -> None:
    _, error = output(capfd, "toy", "--shelf", "top", "--param", "image=i:1", "--set", "custom_job.project=p", code=2)
    assert error.splitlines() == [
        "error: custom_job is what Vertex AI Pipelines has, and Toys has none; compile for vertex, or set "
        "custom_job.project: null"
    ]
    assert not toy.connections


def test_a_missing_option_is_named(toy: Toy, capfd: pytest.CaptureFixture[str]) -> None:
    assert "Missing option '--shelf'" in output(capfd, "toy", code=2)[1]
