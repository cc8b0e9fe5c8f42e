"""The whole pipeline on this machine, as a user runs it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from components.artifacts import evaluation
from tests.e2e.conftest import PROJECT, SMALL, Project

STEPS = ["Preprocess", "NegativeGen", "Trainer", "Evaluator", "Pusher"]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("run")


@pytest.fixture(scope="module")
def first_run(project, root):
    out, _ = project.run("run", "--root", str(root), *SMALL)
    return out


def steps_of(out: str) -> dict[str, bool]:
    """The steps in the order of their lines, and whether each was served from the cache."""
    lines = [line.split() for line in out.splitlines() if line.split() and line.split()[0] in STEPS]
    return {words[0]: words[2] == "cached" for words in lines}


def newest(root, step, output):
    return max((root / "artifacts" / step / output).iterdir(), key=lambda path: int(path.name))


def bytes_of_data(root: Path) -> dict[str, bytes]:
    """What Preprocess and NegativeGen of the first run wrote, by path from the artifact on."""
    found = {}
    for step, output in (("Preprocess", "interactions"), ("Preprocess", "vocabulary"), ("NegativeGen", "examples")):
        folder = min((root / "artifacts" / step / output).iterdir(), key=lambda path: int(path.name))
        # Digests have times of change.
        files = (path for path in folder.rglob("*") if path.is_file() and path.name != "digests.json")
        found |= {f"{output}/{path.relative_to(folder)}": path.read_bytes() for path in files}
    assert {"interactions/summary.json", "vocabulary/users.parquet", "examples/summary.json"} <= set(found)
    return found


UNTIL_EXAMPLES = """
import os, sys
from pathlib import Path
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(sys.argv[1])])
from rich.console import Console
from pipeline.config import load_config
from pipeline.console import StepReporter
from pipeline.local import runner
runner.run(load_config(sys.argv[2], sys.argv[4:]), Path(sys.argv[3]), StepReporter(Console(stderr=True)), "NegativeGen")
"""
CIRCUMSTANCES: dict[str, dict[str, str]] = {
    "threads": {"OMP_NUM_THREADS": "3", "NUMBA_NUM_THREADS": "3"},
    "hash seed": {"PYTHONHASHSEED": "17"},
    "locale": {"LC_ALL": "C", "LANG": "C"},
    "time zone": {"TZ": "ABC-5:45"},
}
ALL = {name: value for variables in CIRCUMSTANCES.values() for name, value in variables.items()}


@pytest.mark.parametrize(
    ("cores", "variables", "folder"),
    [
        pytest.param(1, ALL, "ein Lauf é/ü", id="all at once"),
        *(pytest.param(99, some, "x", id=name, marks=pytest.mark.faults) for name, some in CIRCUMSTANCES.items()),
        pytest.param(1, {}, "x", id="one core", marks=pytest.mark.faults),
        pytest.param(2, {}, "x", id="two cores", marks=pytest.mark.faults),
        pytest.param(99, {}, "a b/ä/" + "n" * 150, id="root", marks=pytest.mark.faults),
    ],
)
def test_the_data_are_the_same_bytes_under_all_circumstances(first_run, root, tmp_path, cores, variables, folder):
    assigned = [word for word in SMALL if word != "--set"]
    subprocess.run(
        [sys.executable, "-c", UNTIL_EXAMPLES, str(cores), str(PROJECT / "configs" / "synthetic.yaml"),
         str(tmp_path / folder), *assigned],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(PROJECT), **variables}, check=True, timeout=800,
    )  # fmt: skip

    assert bytes_of_data(tmp_path / folder) == bytes_of_data(root)


def test_a_run_ends_with_a_pushed_model_that_is_better_than_popularity(first_run, root):
    assert first_run.startswith("estimate     about ")
    assert steps_of(first_run) == dict.fromkeys(STEPS, False)
    assert "blessed and pushed" in first_run
    found = evaluation.read(str(newest(root, "Evaluator", "evaluation")))
    assert found.blessed
    assert found.model.sampled["HR@10"] > found.systems["popularity"].sampled["HR@10"] + 0.05
    assert found.model.sampled["HR@10"] <= found.best_possible_hr + 0.05
    assert len(list((root / "serving").iterdir())) == 1


def test_the_frameworks_are_heard_only_in_the_log(first_run, root):
    assert len(first_run.splitlines()) < 65
    assert "INFO" not in first_run
    (log,) = (root / "logs").iterdir()
    assert "tfx" in log.read_text()


def test_the_pushed_model_answers_in_raw_ids(first_run, root):
    import tensorflow as tf

    (version,) = (root / "serving").iterdir()
    vocabulary = newest(root, "Preprocess", "vocabulary")
    user, *_ = pq.read_table(vocabulary / "users.parquet")["id"].to_pylist()
    items = pq.read_table(vocabulary / "items.parquet")["id"].to_pylist()[:5]

    serve = tf.saved_model.load(str(version)).signatures["serving_default"]
    answer = serve(user_id=tf.constant([user], tf.int64), item_ids=tf.constant([items], tf.int64))

    assert answer["scores"].shape == (1, 5)
    assert np.isfinite(answer["scores"]).all()
    assert answer["known_user"].numpy().all()


def test_a_second_run_is_served_from_the_cache(first_run, project, root):
    out, _ = project.run("run", "--root", str(root), *SMALL)

    assert steps_of(out) == dict.fromkeys(STEPS, True)
    assert "blessed and pushed" in out
    assert len(list((root / "serving").iterdir())) == 1


def test_recommendations_for_everybody_are_one_more_step_of_a_finished_run(first_run, project, root):
    out, _ = project.run("run", "--root", str(root), *SMALL, "--set", "bulk.k=3")

    assert steps_of(out) == dict.fromkeys(STEPS, True)
    (line,) = (line for line in out.splitlines() if line.startswith("BulkRecommend"))
    assert "✓" in line
    folder = newest(root, "BulkRecommend", "recommendations")
    users = pq.read_table(newest(root, "Preprocess", "vocabulary") / "users.parquet")["id"].to_pylist()
    found = pq.read_table(folder / "recommendations.parquet")["user"].to_pylist()
    assert found == [user for user in users for _ in range(3)]
    assert {path.name for path in folder.iterdir()} == {"recommendations.parquet", "summary.json", "digests.json"}


def test_a_threshold_out_of_reach_is_not_blessed_and_nothing_is_pushed(first_run, project, root):
    out, _ = project.run("run", "--root", str(root), *SMALL, "--set", "evaluator.minimum_hr=0.99", "--set", "bulk.k=3")

    assert steps_of(out) == dict(zip(STEPS, [True, True, True, False, False], strict=True))
    assert "not blessed, not pushed: HR@10" in out
    assert "is below the minimum 0.99" in out
    assert "nothing was pushed, so nothing is recommended" in out
    assert len(list((root / "serving").iterdir())) == 1


def test_a_changed_parameter_runs_what_depends_on_it_again(first_run, project, root):
    out, _ = project.run("run", "--root", str(root), *SMALL, "--set", "trainer.learning_rate=0.002")

    assert steps_of(out) == dict(zip(STEPS, [True, True, False, False, False], strict=True))


def test_changed_code_runs_what_depends_on_it_again(first_run, root, tmp_path):
    copy = tmp_path / "project"
    for name in ("components", "pipeline", "configs"):
        shutil.copytree(PROJECT / name, copy / name, ignore=shutil.ignore_patterns("*.pyc"))
    with (copy / "components" / "evaluator" / "gate.py").open("a") as file:
        file.write("\n# A change.\n")

    out, _ = Project(copy).run("run", "--root", str(root), *SMALL)

    assert steps_of(out) == dict(zip(STEPS, [True, True, True, False, False], strict=True))


def test_another_run_of_the_same_configuration_gives_the_same_bytes(first_run, project, root, tmp_path):
    project.run("run", "--root", str(tmp_path), *SMALL)

    assert bytes_of_data(tmp_path) == bytes_of_data(root)
    found = [
        evaluation.read(str(min((place / "artifacts/Evaluator/evaluation").iterdir()))) for place in (root, tmp_path)
    ]
    assert found[0].model == found[1].model
