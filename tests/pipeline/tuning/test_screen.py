import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from components.trainer.tuning.search import Limits
from pipeline.tuning.screen import Screen, show
from tests.pipeline.tuning.test_files import FOUND, NOTHING, SPACE, TRIALS


def printed(console: Console) -> list[str]:
    return [" ".join(line.split()) for line in console.file.getvalue().splitlines()]


def console_of(width: int) -> Console:
    return Console(file=io.StringIO(), width=width)


def test_a_line_a_trial_says_how_it_ended_and_which_is_the_best_so_far():
    console = console_of(80)
    with Screen(console, Limits(50, 600), "NDCG@10", before=[]) as screen:
        for trial in TRIALS:
            screen.epoch(trial)
            screen.end(trial)

    assert printed(console) == [
        "trial 0 ✓ 30.0 s NDCG@10 0.1200 in epoch 2 of 2, the best so far",
        "trial 1 ✓ 45.0 s NDCG@10 0.2000 in epoch 2 of 3, the best so far",
        "trial 2 – 25.0 s NDCG@10 0.0600 in epoch 2 of 3, stopped early",
        "trial 3 ✗ 1.0 s failed: <the loss> is not finite",
    ]


def test_a_study_that_goes_on_says_from_where():
    console = console_of(80)
    with Screen(console, Limits(50, 600), "NDCG@10", before=TRIALS):
        told = printed(console)
    assert told == ["tuning goes on after 4 trials: NDCG@10 0.2000 in trial 1"]


@pytest.mark.parametrize("findings", [FOUND, NOTHING])
def test_the_end_fits_into_80_columns(findings):
    console = console_of(80)
    show(console, findings, SPACE, {"tuned": Path("runs/my/tuning/tuned.yaml")}, Path("runs/my"))
    assert max(map(len, console.file.getvalue().splitlines())) <= 100  # the command to run next is not broken
    assert max(len(line) for line in console.file.getvalue().splitlines() if not line.startswith("next")) <= 80


def test_the_end_says_what_was_gained_and_what_to_run():
    console = console_of(100)
    show(
        console, FOUND, SPACE, {"tuned": Path("runs/my/tuning/tuned.yaml"), "log": Path("runs/my/log")}, Path("runs/my")
    )

    lines = printed(console)
    assert "as it was 0.1200" in lines
    assert "tuned: trial 1 0.2000 +66.7 %" in lines
    assert "learning_rate 0.01 0.0012 75 %" in lines
    assert "4 trials in 2.0 minutes, until all trials were done: 2 complete, 1 stopped early, 1 failed" in lines
    assert "next python -m pipeline run --config runs/my/tuning/tuned.yaml --root runs/my" in lines


def test_a_long_reason_does_not_break_the_line():
    console = console_of(80)
    with Screen(console, Limits(50, 600), "NDCG@10", before=[]) as screen:
        screen.end(TRIALS[3].__class__(3, {}, TRIALS[3].state, reason="because " * 30, ended=1.0))
    (line,) = console.file.getvalue().splitlines()
    assert re.match(r"trial 3 +✗ +1\.0 s  failed: because", line)
    assert len(line) == 80
