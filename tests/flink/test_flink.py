"""Preprocess and NegativeGen on a Flink cluster write what they write in memory, also where a machine dies."""

import io
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from components.shared.errors import find_user_error
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
)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with running_cluster(tmp_path_factory.mktemp("cluster"), _HEAP_MB) as started:
        yield started


@pytest.fixture(scope="module")
def in_memory(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return _artifacts(tmp_path_factory.mktemp("memory"))


def test_a_run_on_flink_writes_what_one_in_memory_does(
    tmp_path: Path, cluster: Cluster, in_memory: dict[str, bytes]
) -> None:
    assert _artifacts(tmp_path, *cluster.assignments) == in_memory
    assert [job["state"] for job in cluster.get("/jobs/overview")["jobs"]] == ["FINISHED", "FINISHED"]


def test_a_machine_that_dies_in_mid_run_changes_nothing(
    tmp_path: Path, cluster: Cluster, in_memory: dict[str, bytes]
) -> None:
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
        found = _artifacts(tmp_path, *cluster.assignments)
    finally:
        ended.set()
        breaking.join()
    assert broken
    assert cluster.get(f"/jobs/{broken[0]}/exceptions")["exceptionHistory"]["entries"], "the job did not notice"
    assert cluster.get(f"/jobs/{broken[0]}")["state"] == "FINISHED"
    assert found == in_memory


def test_what_a_worker_has_to_tell_the_user_comes_back_in_one_line(tmp_path: Path, cluster: Cluster) -> None:
    with pytest.raises(Exception) as failure:  # noqa: PT011
        _artifacts(tmp_path, *cluster.assignments, f"preprocess.min_interactions={_ITEMS + 1}")
    fault = find_user_error(failure.value)
    assert fault is not None
    assert f"no user has {_ITEMS + 1} interactions" in str(fault)
    assert "\n" not in str(fault)


def _artifacts(root: Path, *assignments: str) -> dict[str, bytes]:
    """All that the first two steps of a run write, by path."""
    config = load_config(PROJECT / "configs" / "synthetic.yaml", [*_DATA, *assignments])
    runner.run(config, root, StepReporter(Console(file=io.StringIO(), width=200)), last="NegativeGen")
    folder = root / "artifacts"
    files = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    # TFX's folders of an execution are hidden; a seal has the time of writing in it.
    return {name: path.read_bytes() for name, path in files.items() if "/." not in name and path.name != SEAL}
