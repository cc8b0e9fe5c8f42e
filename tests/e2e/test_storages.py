"""From ratings on a storage to recommendations of a model on it, by the same code for each."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from components.artifacts import evaluation
from components.artifacts.evaluation import ChampionStatus
from components.serving.recommend import recommend
from components.shared.files import reading
from pipeline.config import Config, load_config
from pipeline.console import StepReporter
from pipeline.local import runner, summary
from pipeline.local.lineage import NodeOutcome, pushed_to
from tests.storages import STORAGES, write

TINY = {
    "dataset.kind": "files",
    "dataset.user_column": "user",
    "dataset.item_column": "item",
    "dataset.timestamp_column": "time",
    "preprocess.min_interactions": 3,
    "preprocess.min_item_interactions": 1,
    "negatives.num_eval_negatives": 5,
    "trainer.epochs": 1,
    "trainer.num_factors": 4,
    "trainer.layers": "[8, 4]",
    "evaluator.minimum_hr": "null",
    "evaluator.baseline_margin": "null",
    "evaluator.minimum_test_users": 10,
    "evaluator.ks": "[1, 5]",
    "evaluator.gate_k": 5,
    "evaluator.bootstrap_samples": 10,
    **{f"evaluator.{name}": "false" for name in ("als", "item_knn", "ease", "recent_items")},
}


@pytest.fixture(scope="module", params=list(STORAGES))
def bucket(request: pytest.FixtureRequest) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as environment, STORAGES[request.param](environment) as url:
        yield url


def _config(ratings: str, *assignments: str) -> Config:
    here = Path(__file__).resolve().parents[2] / "configs" / "synthetic.yaml"
    tiny = [f"{key}={value}" for key, value in TINY.items()]
    return load_config(here, [*tiny, f"dataset.path={ratings}", *assignments])


def csv(seed: int) -> bytes:
    random = np.random.default_rng(seed)
    rows = [
        f"user-{user},item-{(user % 4) * 10 + item},{random.integers(1_000_000)}"
        for user in range(40)
        for item in random.choice(10, 4, replace=False)
    ]
    return ("user,item,time\n" + "\n".join(rows) + "\n").encode()


def _run(config: Config, folder: Path, store: str | None = None) -> tuple[dict[str, NodeOutcome], str]:
    console = Console(file=io.StringIO(), width=200)
    outcomes = runner.run(config, folder, StepReporter(console), store=store)
    summary.show(console, outcomes, folder, folder / "log")
    return outcomes, console.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.slow
def test_from_a_glob_to_recommendations_and_a_champion(bucket: str, tmp_path: Path) -> None:
    for number in (1, 2, 3):
        write(f"{bucket}/input/clicks-{number}.csv", csv(number))
    config = _config(f"{bucket}/input/clicks-*.csv")

    first, said = _run(config, tmp_path, f"{bucket}/runs/x")

    destination = pushed_to(first["Pusher"])
    assert destination is not None, said
    assert destination.startswith(f"{bucket}/runs/x/serving/")
    assert destination in said
    assert first["Trainer"].outputs["model"].uri.startswith(f"{bucket}/runs/x/artifacts/")
    assert not (tmp_path / "artifacts").exists()
    (found,) = recommend(f"{bucket}/runs/x/serving", ["user-1"], 3)
    assert found.known_user
    assert len(found.items) == 3

    again, _ = _run(config, tmp_path, f"{bucket}/runs/x")
    assert all(outcome.cached for outcome in again.values())

    write(f"{bucket}/input/clicks-3.csv", csv(4))
    second, said = _run(config, tmp_path, f"{bucket}/runs/x")
    assert not second["Preprocess"].cached
    champion = evaluation.read(second["Evaluator"].outputs["evaluation"].uri).champion
    assert champion.status is ChampionStatus.COMPARED, champion
    assert champion.path == destination
    assert reading.names_in(f"{bucket}/runs/x/checkpoints") == []
