"""The whole pipeline on this machine, as a user runs it."""

import shutil

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


def test_a_run_ends_with_a_pushed_model_that_is_better_than_popularity(first_run, root):
    assert steps_of(first_run) == dict.fromkeys(STEPS, False)
    assert "blessed and pushed" in first_run
    found = evaluation.read(str(newest(root, "Evaluator", "evaluation")))
    assert found.blessed
    assert found.model.sampled["HR@10"] > found.systems["popularity"].sampled["HR@10"] + 0.05
    assert found.model.sampled["HR@10"] <= found.best_possible_hr + 0.05
    assert len(list((root / "serving").iterdir())) == 1


def test_the_frameworks_are_heard_only_in_the_log(first_run, root):
    assert len(first_run.splitlines()) < 60
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


def test_a_threshold_out_of_reach_is_not_blessed_and_nothing_is_pushed(first_run, project, root):
    out, _ = project.run("run", "--root", str(root), *SMALL, "--set", "evaluator.minimum_hr=0.99")

    assert steps_of(out) == dict(zip(STEPS, [True, True, True, False, False], strict=True))
    assert "not blessed, not pushed: HR@10" in out
    assert "is below the minimum 0.99" in out
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

    for step, output, pattern in (
        ("Preprocess", "interactions", "**/*.parquet"),
        ("Preprocess", "interactions", "summary.json"),
        ("Preprocess", "vocabulary", "*"),
        ("NegativeGen", "examples", "**/*.tfrecord"),
        ("NegativeGen", "examples", "summary.json"),
    ):
        folders = [min((place / "artifacts" / step / output).iterdir()) for place in (root, tmp_path)]
        files = [sorted(path.relative_to(folder) for path in folder.glob(pattern)) for folder in folders]
        assert files[0] == files[1]
        assert files[0]
        assert all((folders[0] / file).read_bytes() == (folders[1] / file).read_bytes() for file in files[0])
    found = [
        evaluation.read(str(min((place / "artifacts/Evaluator/evaluation").iterdir()))) for place in (root, tmp_path)
    ]
    assert found[0].model == found[1].model
