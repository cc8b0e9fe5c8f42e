import json

import pytest

from components.negative_gen.generate import showing_progress
from components.shared import progress
from tests.components.negative_gen.helpers import contents, make_job, random_data, read_lists, run, write_artifacts


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return random_data(tmp_path_factory.mktemp("data"), users=100)


def a_run(data, out, *options, **parameters):
    return contents(run(make_job(data, out, epochs=3, batch_size=64, max_rows_per_file=4_000, **parameters), *options))


@pytest.fixture(scope="module")
def reference(data, tmp_path_factory):
    return a_run(data, tmp_path_factory.mktemp("reference"))


@pytest.mark.parametrize(
    "options",
    [
        ("--direct_num_workers=1", "--direct_running_mode=in_memory"),
        ("--direct_num_workers=4", "--direct_running_mode=multi_threading"),
        ("--direct_num_workers=4", "--direct_running_mode=multi_processing"),
    ],
    ids=lambda options: f"{options[1][22:]}-{options[0][-1]}",
)
def test_the_same_bytes_whatever_the_runner_and_the_workers(data, reference, tmp_path, options):
    assert len(reference) == 3 * 5 + 2 + 1  # epochs of 4 files and a pool, two evaluation splits, the summary
    assert a_run(data, tmp_path, *options) == reference


def test_the_same_bytes_whatever_the_shards(data, reference, tmp_path):
    cut = write_artifacts(tmp_path, data.items, data.train, data.held_out, shards=11)
    assert a_run(cut, tmp_path / "examples") == reference


def test_another_seed_changes_every_file(data, reference, tmp_path):
    other = a_run(data, tmp_path, seed=8)
    assert other.keys() == reference.keys()
    assert [name for name in other if other[name] == reference[name]] == []
    assert len({json.loads(run["summary.json"])["fingerprint"] for run in (other, reference)}) == 2


def test_more_epochs_leave_the_first_ones_as_they_are(data, reference, tmp_path):
    longer = contents(run(make_job(data, tmp_path, epochs=4, batch_size=64, max_rows_per_file=4_000)))
    assert {name: longer[name] for name in reference if name != "summary.json"} == {
        name: content for name, content in reference.items() if name != "summary.json"
    }


def test_the_summary(data, reference):
    summary = json.loads(reference["summary.json"])
    positives = sum(map(len, data.train))
    assert len(summary.pop("fingerprint")) == 16
    split = {"users": 100, "width": 100, "users_per_batch": 655, "batches": 1}
    assert summary == {
        "batch_size": 64,
        "epochs": 3,
        "num_negatives": 4,
        "rows_per_epoch": 5 * positives,
        "batches_per_epoch": -(-5 * positives // 64),
        "users": 100,
        "items": 200,
        "train_positives": positives,
        "protocol": "standard",
        "eval": {"validation": split, "test": split},
        "seed": 7,
    }


def test_without_validation_there_are_no_validation_records(tmp_path):
    data = random_data(tmp_path, users=9)
    (tmp_path / "two").mkdir()
    data = write_artifacts(tmp_path / "two", data.items, data.train, {"test": data.held_out["test"]})
    examples = run(make_job(data, tmp_path / "examples"))
    assert sorted(path.name for path in examples.iterdir()) == ["Split-test", "Split-train", "summary.json"]
    assert read_lists(examples, "test")["item"].shape[1] == 100


def test_a_bar_counts_the_files(data, tmp_path, monkeypatch):
    steps = []

    class Reporter(progress.Reporter):
        def bar(self, title, total):
            steps.append(-total)
            return super().bar(title, total)

    class Bar:
        def advance(self, count=1):
            steps.append(count)

    monkeypatch.setattr(progress, "_reporter", Reporter())
    monkeypatch.setattr(progress, "_NoBar", Bar)
    job = make_job(data, tmp_path, epochs=3, max_rows_per_file=4_000)
    with showing_progress(job):
        run(job)
    assert steps[0] == -(3 * 4 + 2)
    assert sum(steps) == 0
