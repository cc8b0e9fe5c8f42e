"""A schedule on Kubeflow, day by day: from the command that makes it to what is served, the backend being imitated."""

import importlib
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from components.artifacts import evaluation
from components.artifacts.evaluation import ChampionStatus, Evaluation, State
from components.preprocess.datasets.synthetic_generator import SyntheticConfig, generate_block
from components.serving.recommend import recommend
from components.serving.versions import whole_versions
from components.shared.files.writing import delete
from components.shared.json_types import JsonObject
from pipeline.cli import main
from tests.kfp_backend import Backend, StepFailedError
from tests.pipeline.kubeflow.kfp_server import KfpServer
from tests.storages import forget, s3, write

pytestmark = pytest.mark.slow

ALL = ["Look", "Preprocess", "NegativeGen", "Trainer", "Evaluator", "Pusher"]
NOISE = 30_000


@dataclass(kw_only=True)
class BackendOfThisProcess(Backend):
    """Runs the steps in this process: to start one for each takes longer than what most of them do.

    Attributes:
      evicted: a step whose pod the cluster takes away.
    """

    evicted: str | None = None

    def launch(self, step: str, command: Sequence[str], executor_input: JsonObject) -> tuple[str, JsonObject]:
        if step == self.evicted:
            raise StepFailedError(f"{step}: evicted")
        forget()  # what earlier steps saw of the bucket, as a new pod does not know it
        python, option, module, *arguments = command
        assert (python, option) == ("python", "-m")
        printed = io.StringIO()
        with redirect_stdout(printed), redirect_stderr(printed):
            code = importlib.import_module(module).main(arguments)
        assert code == 0, printed.getvalue()
        return printed.getvalue(), json.loads(Path(executor_input["outputs"]["outputFile"]).read_text())


@dataclass(frozen=True)
class Night:
    """What a scheduled run has left.

    Attributes:
      ran: the steps that were started; the others came from the cache.
      rows: how many Preprocess read, in this run or in the one that the cache took it from.
      verdict: metrics.json, likewise.
      versions: the push destination's after it, the oldest first.
      answer: what the push destination recommends then, with scores.
    """

    ran: list[str]
    rows: float
    verdict: Evaluation
    versions: list[str]
    answer: list[tuple[str, float]]


@dataclass
class Schedule:
    """A schedule that `python -m pipeline schedule kfp` made, whose runs start when a test says so.

    Attributes:
      place: in a bucket, has the clicks and the models.
      folder: of the artifacts.
    """

    place: str
    folder: Path
    backend: BackendOfThisProcess = field(default_factory=BackendOfThisProcess)
    number: int = 0

    def __post_init__(self) -> None:
        chosen = {
            "image": "i:1",
            "dataset": "files",
            "ratings": f"{self.place}/clicks/*.csv",
            "push_destination": self.destination,
            "epochs": 4,
            "learning_rate": 0.01,
        }
        given = [word for name, value in chosen.items() for word in ("--param", f"{name}={value}")]
        with KfpServer() as server, pytest.raises(SystemExit) as ended:
            main(["schedule", "kfp", "--host", server.url, "--cron", "0 3 * * *", *given])
        assert ended.value.code == 0
        self.spec = server.versions[-1]["pipeline_spec"]
        self.parameters = server.recurring[0]["runtime_config"]["parameters"]

    @property
    def destination(self) -> str:
        return f"{self.place}/serving"

    @property
    def rows(self) -> float:
        """How many the latest run of Preprocess read, or the one that the cache took it from."""
        rows: float = self.backend.artifact("Preprocess", "data_counts")["metadata"]["rows read"]
        return rows

    def arrives(self, name: str, clicks: str) -> None:
        write(self._file(name), f"user,item,timestamp\n{clicks}".encode())

    def goes(self, name: str) -> None:
        delete([self._file(name)])

    def run(self, *steps: str) -> None:
        """Starts a run, as the clock would, or some steps of one."""
        self.number += 1
        root = self.folder / f"run-{self.number}"
        root.mkdir()
        self.backend.run(self.spec, str(root), self.parameters, steps or None)

    def night(self, user: str) -> Night:
        """A run, and what is served to a user after it."""
        self.run()
        (found,) = recommend(self.destination, [user], 5)
        return Night(
            ran=list(self.backend.logs),
            rows=self.rows,
            verdict=evaluation.read(self.backend.artifact("Evaluator", "evaluation")["uri"]),
            versions=[version.name for version in whole_versions(self.destination)][::-1],
            answer=list(zip(found.items, found.scores, strict=True)),
        )

    def _file(self, name: str) -> str:
        return f"{self.place}/clicks/{name}.csv"


def lines(user: npt.NDArray[np.int64], item: npt.NDArray[np.int64], timestamp: npt.NDArray[np.int64]) -> str:
    return "".join(f"{u},{i},{t}\n" for u, i, t in zip(user, item, timestamp, strict=True))


@pytest.fixture(scope="module")
def clicks() -> dict[str, str]:
    """A file for each day: three parts of all users' histories, and between them what somebody drew at random."""
    rows = generate_block(SyntheticConfig(users=500, items=250, interactions=30_000), 0, 0)
    first = np.searchsorted(rows.user, rows.user)
    share = (np.arange(len(rows.user)) - first) / np.bincount(first)[first]
    days = {"monday": (share < 0.5), "tuesday": (share >= 0.5) & (share < 0.75), "thursday": (share >= 0.75)}
    parts = {day: lines(rows.user[of], rows.item[of], rows.timestamp[of]) for day, of in days.items()}
    # Before all others in time: what is held out for the test stays what people did.
    random = np.random.default_rng(0)
    drawn = [random.choice(np.unique(ids), NOISE) for ids in (rows.user, rows.item)]
    return {**parts, "wednesday": lines(*drawn, random.integers(1, rows.timestamp.min(), NOISE))}


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    with pytest.MonkeyPatch.context() as environment, s3(environment) as url:
        yield url


@pytest.fixture(scope="module")
def nights(bucket: str, clicks: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Night]:
    """The runs of a schedule, by what had come to pass before each."""
    user = clicks["monday"].partition(",")[0]
    schedule, found = Schedule(f"{bucket}/shop", tmp_path_factory.mktemp("artifacts")), {}
    schedule.arrives("monday", clicks["monday"])
    found["monday"] = schedule.night(user)
    found["nothing"] = schedule.night(user)
    schedule.arrives("tuesday", clicks["tuesday"])
    found["tuesday"] = schedule.night(user)
    schedule.arrives("wednesday", clicks["wednesday"])
    found["wednesday"] = schedule.night(user)
    found["nothing after a refusal"] = schedule.night(user)
    schedule.goes("wednesday")
    found["wednesday gone"] = schedule.night(user)
    schedule.arrives("thursday", clicks["thursday"])
    schedule.backend.evicted = "Pusher"
    with pytest.raises(StepFailedError):
        schedule.run()
    schedule.backend.evicted = None
    found["thursday, cut off"] = schedule.night(user)
    for day in ("monday", "tuesday", "thursday"):
        schedule.arrives(day, clicks[day])
    found["all written anew"] = schedule.night(user)
    return found


def failed(night: Night) -> list[str]:
    return [rule.rule for rule in night.verdict.rules if rule.state is State.FAILED]


def number_of_rows(clicks: dict[str, str], *days: str) -> int:
    return sum(clicks[day].count("\n") for day in days)


def test_the_first_night_trains_and_pushes(nights: dict[str, Night], clicks: dict[str, str]) -> None:
    night = nights["monday"]
    assert night.ran == ALL
    assert night.rows == number_of_rows(clicks, "monday")
    assert night.verdict.blessed
    assert night.verdict.champion.status is ChampionStatus.NONE
    assert len(night.versions) == 1
    assert len(night.answer) == 5


def test_where_nothing_is_new_a_run_only_looks(nights: dict[str, Night]) -> None:
    night = nights["nothing"]
    assert night.ran == ["Look"]
    assert night.versions == nights["monday"].versions
    assert night.answer == nights["monday"].answer


def test_a_file_more_is_read_with_the_others_and_its_model_takes_the_champion_s_place(
    nights: dict[str, Night], clicks: dict[str, str]
) -> None:
    night, before = nights["tuesday"], nights["nothing"]
    assert night.ran == ALL
    assert night.rows == number_of_rows(clicks, "monday", "tuesday")
    assert night.verdict.blessed
    assert night.verdict.champion.version == before.versions[-1]
    assert night.verdict.champion.compared.shared_users > 300
    assert night.versions[:-1] == before.versions
    assert night.answer != before.answer


def test_a_file_that_spoils_the_model_changes_nothing_of_what_is_served(
    nights: dict[str, Night], clicks: dict[str, str]
) -> None:
    night, before = nights["wednesday"], nights["tuesday"]
    assert night.ran == ALL
    assert night.rows == number_of_rows(clicks, "monday", "tuesday", "wednesday")
    assert failed(night) == ["not_worse_than_champion_ndcg", "not_worse_than_champion_ndcg_sampled"]
    assert night.verdict.champion.version == before.versions[-1]
    assert night.verdict.champion.compared.differences["NDCG@10"].high < 0
    assert night.versions == before.versions
    assert night.answer == before.answer


def test_a_refused_model_is_not_trained_again_while_nothing_is_new(nights: dict[str, Night]) -> None:
    night = nights["nothing after a refusal"]
    assert night.ran == ["Look"]
    assert not night.verdict.blessed
    assert night.versions == nights["tuesday"].versions


def test_without_that_file_all_is_as_it_was_before_it(nights: dict[str, Night]) -> None:
    night, before = nights["wednesday gone"], nights["tuesday"]
    assert night.ran == ["Look"]
    assert night.verdict == before.verdict
    assert night.versions == before.versions
    assert night.answer == before.answer


def test_a_run_that_was_cut_off_goes_on_in_the_next_one(nights: dict[str, Night], clicks: dict[str, str]) -> None:
    night, before = nights["thursday, cut off"], nights["wednesday gone"]
    assert night.ran == ["Look", "Pusher"]
    assert night.rows == number_of_rows(clicks, "monday", "tuesday", "thursday")
    assert night.verdict.blessed
    assert night.verdict.champion.version == before.versions[-1]
    assert night.versions[:-1] == before.versions
    assert len(night.versions) == 3
    assert night.answer != before.answer


def test_files_that_are_written_anew_as_they_were_are_nothing_new(nights: dict[str, Night]) -> None:
    night, before = nights["all written anew"], nights["thursday, cut off"]
    assert night.ran == ["Look"]
    assert night.versions == before.versions
    assert night.answer == before.answer


def test_a_file_that_comes_after_the_look_is_read_and_has_the_next_run_read_again(
    bucket: str, clicks: dict[str, str], tmp_path: Path
) -> None:
    schedule = Schedule(f"{bucket}/hurry", tmp_path)
    schedule.arrives("monday", clicks["monday"])
    schedule.run("Look")
    schedule.arrives("tuesday", clicks["tuesday"])
    schedule.run("Preprocess")
    assert schedule.rows == number_of_rows(clicks, "monday", "tuesday")

    schedule.run("Look", "Preprocess")
    assert schedule.backend.from_cache == []
    schedule.run("Look", "Preprocess")
    assert schedule.backend.from_cache == ["Preprocess"]
