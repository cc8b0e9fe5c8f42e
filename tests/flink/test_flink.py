"""Preprocess, NegativeGen and the Evaluator's ranking on a Flink cluster find what they find in memory.

So they do where a machine dies.
"""

import io
import json
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console

from components.shared.errors import find_user_error
from components.shared.json_types import JsonObject
from pipeline.config import load_config
from pipeline.console import StepReporter
from pipeline.local import runner
from pipeline.local.seals import SEAL
from tests.flink.cluster import PROJECT, Cluster, running_cluster

pytestmark = [pytest.mark.flink, pytest.mark.timeout(7200)]

# Users, items and interactions of MovieLens' releases, and what a TaskManager's tasks have, in MB.
_SIZES = {
    "100k": (943, 1682, 100_000, 384),
    "1m": (6040, 3706, 1_000_209, 512),
    "20m": (138_493, 26_744, 20_000_263, 4096),
}
_USERS, _ITEMS, _INTERACTIONS, _HEAP_MB = _SIZES[os.environ.get("SIZE") or "100k"]
_DATA = (
    f"dataset.synthetic_users={_USERS}",
    f"dataset.synthetic_items={_ITEMS}",
    f"dataset.synthetic_interactions={_INTERACTIONS}",
    f"preprocess.rows_per_shard={_INTERACTIONS // 8}",
    "negatives.source=files",
    "trainer.epochs=4",
    "trainer.num_factors=8",
    "trainer.pretraining=none",
    "trainer.history_factors=0",
    "trainer.recent_items=0",
    "evaluator.als=false",
    "evaluator.item_knn=false",
    "evaluator.ease=false",
    "evaluator.recent_items=false",
)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with running_cluster(tmp_path_factory.mktemp("cluster"), _HEAP_MB) as started:
        yield started


@dataclass(frozen=True)
class Found:
    """What a run left: files of its data steps, by path, and the Evaluator's metrics without the time that it took."""

    data: dict[str, bytes]
    metrics: JsonObject


@pytest.fixture(scope="module")
def in_memory(tmp_path_factory: pytest.TempPathFactory) -> Found:
    return _run(tmp_path_factory.mktemp("memory"))


def test_a_run_on_flink_finds_what_one_in_memory_does(tmp_path: Path, cluster: Cluster, in_memory: Found) -> None:
    found = _run(tmp_path, *cluster.assignments)
    assert found.data == in_memory.data
    assert found.metrics == in_memory.metrics
    assert [job["state"] for job in cluster.get("/jobs/overview")["jobs"]] == ["FINISHED"] * 3


def test_a_machine_that_dies_in_mid_run_changes_nothing(tmp_path: Path, cluster: Cluster, in_memory: Found) -> None:
    before = {job["jid"] for job in cluster.get("/jobs/overview")["jobs"]}
    ended = threading.Event()
    broken: list[str] = []

    def break_it() -> None:
        """Kills a TaskManager when a job has done a part of its work, and starts another, as an operator does."""
        while not ended.is_set() and not broken:
            for job in cluster.get("/jobs/overview")["jobs"]:
                under_way = job["state"] == "RUNNING" and job["tasks"]["running"] and job["tasks"]["finished"] >= 4
                if job["jid"] not in before and under_way:
                    cluster.kill("worker-0")
                    cluster.start_task_manager("worker-0")
                    broken.append(job["jid"])
            time.sleep(0.05)

    breaking = threading.Thread(target=break_it)
    breaking.start()
    try:
        found = _data(tmp_path, *cluster.assignments)
    finally:
        ended.set()
        breaking.join()
    assert broken
    assert cluster.get(f"/jobs/{broken[0]}/exceptions")["exceptionHistory"]["entries"], "the job did not notice"
    assert cluster.get(f"/jobs/{broken[0]}")["state"] == "FINISHED"
    assert found == in_memory.data


def test_what_a_worker_has_to_tell_the_user_comes_back_in_one_line(tmp_path: Path, cluster: Cluster) -> None:
    with pytest.raises(Exception) as failure:  # noqa: PT011
        _data(tmp_path, *cluster.assignments, f"preprocess.min_interactions={_ITEMS + 1}")
    fault = find_user_error(failure.value)
    assert fault is not None
    assert f"no user has {_ITEMS + 1} interactions" in str(fault)
    assert "\n" not in str(fault)


def _run(root: Path, *assignments: str) -> Found:
    """Runs all steps up to the Evaluator."""
    data = _data(root, *assignments, last="Evaluator")
    (metrics,) = root.glob("artifacts/Evaluator/evaluation/*/metrics.json")
    read = json.loads(metrics.read_text())
    assert read["systems"]["model"]["full"]["HR@10"] > 0
    del read["seconds"], read["model_path"], read["systems"]["popularity"]["fit_seconds"]
    return Found(data, read)


def _data(root: Path, *assignments: str, last: str = "NegativeGen") -> dict[str, bytes]:
    """Runs steps; all that the first two of them write, by path."""
    config = load_config(PROJECT / "configs" / "synthetic.yaml", [*_DATA, *assignments])
    runner.run(config, root, StepReporter(Console(file=io.StringIO(), width=200)), last=last)
    folders = [root / "artifacts" / step for step in ("Preprocess", "NegativeGen")]
    files = {str(path.relative_to(root)): path for folder in folders for path in folder.rglob("*") if path.is_file()}
    # TFX's folders of an execution are hidden; a seal has the time of writing in it.
    return {name: path.read_bytes() for name, path in files.items() if "/." not in name and path.name != SEAL}
