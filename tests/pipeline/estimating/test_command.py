"""`estimate`, and the line of a run."""

import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from pipeline.cli import main
from pipeline.config import load_config
from pipeline.estimating.command import tell
from pipeline.estimating.counts import Counts

SYNTHETIC = "configs/synthetic.yaml"


@pytest.fixture
def run(capfd):
    """Runs `estimate`; returns its exit code, what it prints, and its errors."""

    def estimate(*arguments: str) -> tuple[int, str, str]:
        capfd.readouterr()
        result = CliRunner().invoke(main, ["estimate", *arguments])
        return result.exit_code, capfd.readouterr().out, result.stderr

    return estimate


def told(config: str, root: Path, *assignments: str, counts: Counts | None = None) -> str:
    console = Console(file=io.StringIO(), width=100)
    tell(console, load_config(config, assignments), counts, root, None)
    return console.file.getvalue()


def test_a_configuration_is_estimated_without_a_run(run, tmp_path):
    code, out, _ = run("--root", str(tmp_path / "none" / "yet"))
    assert code == 0
    assert "150,000 rows, 2,000 users, 1,000 items (as configured)" in out
    assert "Preprocess" in out
    assert not (tmp_path / "none").exists()


def test_json_is_all_that_is_printed(run):
    code, out, _ = run("--json", "--set", "dataset.synthetic_interactions=160000")
    assert code == 0
    assert json.loads(out)["counts"]["rows"] == 160_000


def test_files_are_counted_as_a_run_of_them_does(run, tmp_path):
    path = tmp_path / "clicks.csv"
    path.write_text("user,item,timestamp\n" + "".join(f"{row % 20},{row % 33},{row}\n" for row in range(660)))
    code, out, _ = run("--ratings", str(path), "--json")
    assert code == 0
    counts = json.loads(out)["counts"]
    assert (counts["users"], counts["items"], counts["train"], counts["known"]) == (20, 33, 620, "counted")


def test_what_cannot_be_is_told_in_a_line(run, tmp_path):
    for arguments in (
        ["--set", "trainer.epochs=none"],
        ["--ratings", str(tmp_path / "none.csv")],
        ["--set", "dataset.kind=files", "--set", f"dataset.path={tmp_path}/none.csv"],
        ["--ratings", "x.csv", "--config", SYNTHETIC],
        ["--set", "dataset.kind=bigquery", "--set", "dataset.table=shop.web.clicks"],
    ):
        code, out, err = run(*arguments)
        assert code == 2
        assert out == ""
        assert "Traceback" not in err


def test_a_run_begins_with_a_line(tmp_path):
    assert told(SYNTHETIC, tmp_path).startswith("estimate     about ")
    counted = Counts(10**9, 10**6, 10**5, 9 * 10**8, 10**6, 10**6, in_order=True)
    assert " h, " in told(SYNTHETIC, tmp_path, counts=counted)


def test_a_run_that_may_be_cached_says_so(tmp_path):
    (tmp_path / "metadata.sqlite").touch()
    assert told(SYNTHETIC, tmp_path).rstrip().endswith("less what is cached")


@pytest.mark.parametrize(
    "assignment",
    [
        "dataset.path=none.csv",
        "dataset.path=http://127.0.0.1:9/ratings.csv",
        "trainer.device=gpu",
        "beam.args=[--runner=FlinkRunner]",
        "tuner.trials=3",
    ],
)
def test_what_cannot_be_told_at_once_is_not_told(tmp_path, assignment):
    kind = ["dataset.kind=files"] if "path" in assignment else []
    assert told(SYNTHETIC, tmp_path, *kind, assignment) == ""
