"""The walks of docs/extending.md: the page's code in a copy of the sources, followed through runs."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pytest

from components.preprocess.datasets.synthetic_generator import SyntheticConfig, generate_block, write_csv
from tests.e2e.conftest import PROJECT, Project

pytestmark = pytest.mark.slow

_BLOCK = re.compile(
    r"`(?P<file>[\w/]+\.py)`[^`]*\n```(?P<kind>python|diff)\n(?P<code>.*?)^```", re.MULTILINE | re.DOTALL
)
_DATA = SyntheticConfig(600, 300, 40_000)


def blocks() -> Iterator[tuple[str, str, str, str]]:
    """The page's pieces of code: the title of the walk, the file, and what kind of code it is."""
    page = (PROJECT / "docs" / "extending.md").read_text(encoding="utf-8")
    for section in page.split("\n## ")[1:]:
        title = section.partition("\n")[0]
        yield from ((title, found["file"], found["kind"], found["code"]) for found in _BLOCK.finditer(section))


def change(text: str, diff: str) -> str:
    """Applies the lines of a diff: those that stay are looked for one after the other."""
    lines, at = text.splitlines(), 0
    for line in diff.splitlines():
        if line[0] == "+":
            lines.insert(at, line[1:])
            at += 1
        else:
            at = lines.index(line[1:], at)
            if line[0] == "-":
                del lines[at]
            else:
                at += 1
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The sources, with everything that the page adds."""
    folder = tmp_path_factory.mktemp("copy")
    for name in ("components", "pipeline", "configs"):
        shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("*.pyc"))
    for _, file, kind, code in blocks():
        path = folder / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(code if kind == "python" else change(path.read_text(encoding="utf-8"), code), encoding="utf-8")
    return Project(folder)


@pytest.fixture(scope="module")
def first_run(copy: Project) -> Path:
    """A run with a metric, a baseline, a loss and a kind of data set of the page."""
    rows = generate_block(_DATA, 0, 0)
    np.savez(copy.folder / "clicks.npz", user=rows.user, item=rows.item, time=rows.timestamp)
    (copy.folder / "my.yaml").write_text(
        "dataset: {kind: arrays, arrays_file: clicks.npz}\n"
        "negatives: {num_eval_negatives: 99}\n"
        "trainer: {loss: squared_error, metric: precision, epochs: 3, learning_rate: 0.01, num_factors: 8}\n"
        "evaluator: {minimum_precision: 0.005, better_than_random_order: true, random_order_draws: 2, als: false,"
        " decisive_metrics: [precision],"
        " baseline_margin: 1}\n"
    )
    out, _ = copy.run("run", "--config", "my.yaml")
    (copy.folder / "out.txt").write_text(out)
    return copy.folder / "runs" / "my"


def test_a_walk_is_one_new_file_and_one_that_is_changed() -> None:
    walks: dict[str, list[tuple[str, bool]]] = {}
    for title, file, kind, _ in blocks():
        assert (PROJECT / file).exists() == (kind == "diff"), file
        walks.setdefault(title, []).append((file, kind == "diff"))
    assert list(walks) == [
        "A metric", "A baseline", "A pointwise loss", "An input format", "A kind of data set", "A MovieLens release",
        "A platform",
    ]  # fmt: skip
    for title, files in walks.items():
        changed = [is_changed for _, is_changed in files]
        assert changed == ([True] if title == "A MovieLens release" else [False, True]), title


def _newest(root: Path, pattern: str) -> Path:
    return max(root.glob(f"artifacts/{pattern}"), key=lambda path: path.stat().st_mtime)


def test_a_metric_goes_all_the_way(copy: Project, first_run: Path) -> None:
    metrics = json.loads(_newest(first_run, "Evaluator/evaluation/*/metrics.json").read_text())
    for system in metrics["systems"].values():
        assert system["sampled"]["Precision@10"] == pytest.approx(system["sampled"]["HR@10"] / 10)
    rules = {rule["rule"]: rule["state"] for rule in metrics["rules"]}
    assert rules["minimum_precision"] == rules["not_below_best_baseline_precision"] == "passed"
    assert rules["better_than_random_order_precision"] == "passed"
    assert rules["not_worse_than_champion_precision"] == "skipped"
    assert "Precision@10" in _newest(first_run, "Evaluator/evaluation/*/report.html").read_text()
    assert "Precision@10" in (copy.folder / "out.txt").read_text()
    history = json.loads(_newest(first_run, "Trainer/model_run/*/history.json").read_text())
    assert history["chosen_by"].startswith("precision@10")
    assert all("precision@10" in epoch for epoch in history["epochs"])


def test_a_metric_is_compared_with_the_champion_s(copy: Project, first_run: Path) -> None:
    copy.run("run", "--config", "my.yaml", "--set", "evaluator.minimum_test_users=99")  # the Evaluator alone runs again
    metrics = json.loads(_newest(first_run, "Evaluator/evaluation/*/metrics.json").read_text())
    rules = {rule["rule"]: rule["state"] for rule in metrics["rules"]}
    assert rules["not_worse_than_champion_precision"] in ("passed", "failed")


def test_a_baseline_goes_all_the_way(copy: Project, first_run: Path) -> None:
    metrics = json.loads(_newest(first_run, "Evaluator/evaluation/*/metrics.json").read_text())
    assert 0.05 < metrics["systems"]["random_order"]["sampled"]["HR@10"] < 0.2
    rules = {rule["rule"]: rule["state"] for rule in metrics["rules"]}
    assert rules["better_than_random_order_hr"] == "passed"
    assert "Random" in _newest(first_run, "Evaluator/evaluation/*/report.html").read_text()
    assert "random order" in (copy.folder / "out.txt").read_text()


def test_a_loss_is_trained_on(first_run: Path) -> None:
    history = json.loads(_newest(first_run, "Trainer/model_run/*/history.json").read_text())
    assert history["config"]["loss"] == "squared_error"
    losses = [epoch["loss"] for epoch in history["epochs"]]
    assert losses[0] < 0.25  # that of a coin; binary cross-entropy begins at .69
    assert losses == sorted(losses, reverse=True)


def test_a_changed_file_of_a_kind_of_data_set_is_read_again(copy: Project, first_run: Path) -> None:
    code = (
        "from pipeline.config import load_config; from pipeline.code_version import input_fingerprint; import os;"
        "read = lambda: input_fingerprint(load_config('my.yaml').dataset); before = read();"
        "os.utime('clicks.npz', ns=(1, 1)); print(before != read())"
    )
    assert _python(copy, code) == "True"


def test_a_format_and_a_release_are_read(copy: Project) -> None:
    rows = generate_block(_DATA, 0, 0)
    table = pa.table({"user": rows.user, "item": rows.item, "timestamp": rows.timestamp})
    pyarrow.feather.write_feather(table, str(copy.folder / "clicks.feather"))
    (copy.folder / "ml-latest").mkdir()
    write_csv(str(copy.folder / "ml-latest" / "ratings.csv"), _DATA, 0)
    code = """
from components.preprocess.config import DatasetConfig, PreprocessConfig
from components.preprocess.run import write_artifacts
import apache_beam as beam
for number, keys in enumerate(({"kind": "files", "path": "clicks.feather"},
                               {"kind": "movielens", "name": "ml-latest", "mirror": "."})):
    summary = write_artifacts(DatasetConfig.model_validate(keys), PreprocessConfig(), 0, f"i{number}", f"v{number}",
                              beam.Pipeline)
    print(summary.rows_read, summary.users, summary.fingerprint)
"""
    feather, release = _python(copy, code).splitlines()
    assert feather == release
    assert feather.startswith("40000 600 ")


def test_a_platform_is_submitted_to(copy: Project) -> None:
    (copy.folder / "inbox").mkdir()
    assert "--folder DIR" in copy.run("submit", "handover", "--help")[0]
    out, _ = copy.run("submit", "handover", "--folder", "inbox", "--param", "epochs=2", "--param", "image=i:1")
    (compiled,) = (copy.folder / "inbox").glob("*.yaml")
    assert out.strip().endswith(f"inbox/{compiled.name}")
    assert json.loads(compiled.with_suffix(".json").read_text())["epochs"] == 2
    assert "handover" in copy.run("compile", "--help")[0]


def _python(copy: Project, code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=copy.folder, capture_output=True, text=True, env={**os.environ}, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.strip()
