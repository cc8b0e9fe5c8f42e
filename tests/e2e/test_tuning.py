"""A study on the command line: killed, interrupted, gone on with, and its winner run."""

import json
import re
import signal
import time
from pathlib import Path

import psutil
import pytest
import yaml

from pipeline.config import load_config
from tests.e2e.conftest import SMALL

# A start and a rate that leave something to be found, and 16 epochs in each trial that is not stopped: the 18th value
# that is noted is one of the second trial.
_FROM_NOTHING = ("pretraining=none", "history_factors=0", "recent_items=0")
_TRAINER = ("learning_rate=0.0002", "epochs=16", "early_stopping_patience=null", *_FROM_NOTHING)
TUNE = (
    *("tune", "--trials", "4", "--minutes", "30", *SMALL),
    *(word for assignment in _TRAINER for word in ("--set", f"trainer.{assignment}")),
)


def journal(root: Path) -> list[dict]:
    """What the study has noted so far; the last line may still be in the writing."""
    found = list((root / "tuning").glob("*/journal.jsonl"))
    lines = found[0].read_text().split("\n")[:-1] if found else []
    return [json.loads(line) for line in lines]


def stop_after(project, root: Path, epochs: int, how: signal.Signals) -> tuple[int, str, str]:
    """Starts to tune and ends it once so many epochs of all trials are noted; nothing of it stays."""
    process = project.start(*TUNE, "--root", str(root))
    deadline = time.monotonic() + 300
    while sum("intermediate_value" in line for line in journal(root)) < epochs:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    started = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(how)
    out, err = process.communicate(timeout=60)
    _, alive = psutil.wait_procs(started, timeout=20)
    assert not alive
    return process.returncode, out, err


@pytest.fixture(scope="module")
def whole(project, tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("whole")
    project.run(*TUNE, "--root", str(root))
    return root


@pytest.mark.slow
def test_killed_and_interrupted_it_ends_as_one_that_was_not(project, whole, tmp_path):
    code, _, _ = stop_after(project, tmp_path, epochs=2, how=signal.SIGKILL)
    assert code == -signal.SIGKILL

    code, out, err = stop_after(project, tmp_path, epochs=18, how=signal.SIGINT)
    assert code == 130
    assert "interrupted; run the same command again to go on" in err
    assert re.search(r"^as it was +0\.\d{4}", out, re.MULTILINE)
    assert (tmp_path / "tuning" / "tuned.yaml").exists()

    out, _ = project.run(*TUNE, "--root", str(tmp_path))
    assert "goes on after" in out
    assert "4 trials in" in out
    assert (tmp_path / "tuning" / "tuned.yaml").read_bytes() == (whole / "tuning" / "tuned.yaml").read_bytes()


@pytest.mark.slow
def test_the_winner_runs_as_is_and_is_as_good_as_was_said(project, whole):
    tuned = whole / "tuning" / "tuned.yaml"
    said = re.match(
        r"# Trial (\d) of `tune`: NDCG@10 on validation (0\.\d{4}); as it was: (0\.\d{4})", tuned.read_text()
    )
    assert said
    assert int(said[1]) > 0
    assert float(said[2]) > float(said[3])
    assert load_config(tuned).trainer.epochs == yaml.safe_load(tuned.read_text())["trainer"]["epochs"] == 16

    out, _ = project.run("run", "--config", str(tuned), "--root", str(whole))

    lines = {line.split()[0]: line for line in out.splitlines() if line.split()}
    assert "cached" in lines["Preprocess"]
    assert "cached" in lines["NegativeGen"]
    assert f"NDCG@10 {said[2]}" in lines["Trainer"]


def test_what_cannot_be_tuned_is_told_before_anything_runs(refused, tmp_path):
    _, err = refused("tune", "--keys", "epochs", "--root", str(tmp_path))
    assert err.startswith("error: --keys: 'epochs' is none that is tuned; allowed: pretraining")
    assert not (tmp_path / "artifacts").exists()


@pytest.mark.slow
def test_as_a_step_it_hands_the_trainer_what_it_found(project, tmp_path):
    # A NeuMF by itself, which starts from nothing.
    alone = ("pretraining=none", "history_factors=0", "recent_items=0", "learning_rate=0.0002")
    settings = (word for key in alone for word in ("--set", f"trainer.{key}"))
    options = (*SMALL, *settings, "--set", "tuner.trials=3")
    out, _ = project.run("run", "--root", str(tmp_path), *options)

    lines = {line.split()[0]: line for line in out.splitlines() if line.split()}
    said = re.search(r"3 trials: validation NDCG@10 (0\.\d{4}), as it was (0\.\d{4})", lines["Tuner"])
    assert said
    assert float(said[1]) > float(said[2])
    assert f"NDCG@10 {said[1]}" in lines["Trainer"]
