import io
import json

import pytest
from rich.console import Console

from pipeline.config import Config
from pipeline.estimating import screen
from pipeline.estimating.counts import Counts
from pipeline.estimating.estimate import Estimate, estimate
from pipeline.estimating.figures import FIGURES
from pipeline.estimating.machine import Machine, Speed

GOOD = Machine(FIGURES.speed, cores=2, memory_gb=1_000.0, disk_gb=10_000.0)
STEPS = ["Preprocess", "NegativeGen", "Trainer", "Evaluator", "Pusher"]
# What is smaller, or left out, where there is more data.
SETTLED = {
    "negatives": {"source": "files"},
    "trainer": {"num_factors": 32, "history_factors": 128, "recent_factors": 128, "batch_size": 4096},
    "evaluator": {"ease": False},
}


def estimated(rows: int, machine: Machine = GOOD, **sections: object) -> Estimate:
    users, items = max(rows // 144, 1), 26_744
    counts = Counts(rows, users, items, rows - 2 * users, users, users, in_order=True)
    return estimate(Config.model_validate({"dataset": {"kind": "synthetic"}, **sections}), counts, machine)


def test_more_rows_take_no_less_of_anything():
    found = [estimated(rows, **SETTLED) for rows in (10_000, 100_000, 1_000_000, 20_000_000, 300_000_000)]
    for name in ("least_seconds", "seconds", "memory_gb", "disk_gb"):
        for of_step in zip(*([getattr(step, name) for step in run.steps] for run in found), strict=True):
            assert list(of_step) == sorted(of_step)
        totals = [getattr(run, name) for run in found]
        assert totals == sorted(totals)
        assert totals[0] < totals[-1]


def test_every_step_is_told_and_a_training_that_stops_early_takes_less():
    found = estimated(1_000_000)
    assert [step.step for step in found.steps] == STEPS
    assert all(step.seconds > 0 and step.memory_gb >= FIGURES.program_gb for step in found.steps)
    assert [step.step for step in found.steps if step.least_seconds < step.seconds] == ["Trainer"]


def test_a_machine_that_is_twice_as_fast_takes_half_as_long():
    fast = Machine(Speed(FIGURES.speed.loop / 2, FIGURES.speed.product / 2), 4, 1_000.0, None)
    assert estimated(1_000_000, fast).seconds == pytest.approx(estimated(1_000_000).seconds / 2)


def test_nothing_is_warned_of_where_all_fits():
    assert estimated(20_000_000).warnings == []


def test_a_disk_that_is_too_small_is_told_with_what_to_change():
    machine = Machine(FIGURES.speed, 2, 1_000.0, disk_gb=1.0)
    (told,) = estimated(20_000_000, machine, negatives={"source": "files", "num_eval_negatives": 99}).warnings
    assert told.startswith("the run needs about ")
    assert "1.0 GB are free" in told
    assert "negatives.source=streamed" in told
    ahead = {"source": "files", "epochs_ahead": 8, "num_eval_negatives": 99}
    (told,) = estimated(20_000_000, machine, negatives=ahead).warnings
    assert "negatives.epochs_ahead, to fewer" in told
    (told,) = estimated(20_000_000, machine).warnings
    assert "negatives.num_eval_negatives" in told


def test_memory_that_is_too_small_is_told_for_each_step_with_what_to_change():
    machine = Machine(FIGURES.speed, 2, FIGURES.program_gb, None)
    told = estimated(20_000_000, machine).warnings
    assert [line.split()[0] for line in told] == STEPS[:-1]
    assert all(" GB of memory, and " in line and (": set " in line or ": take " in line) for line in told)


def shown(found: Estimate) -> str:
    console = Console(file=io.StringIO(), width=80)
    screen.show(console, found)
    return console.file.getvalue()


def test_the_table_fits_eighty_columns_however_large_the_numbers():
    for rows in (50, 1_000_000, 99_999_999_999):
        lines = shown(estimated(rows)).splitlines()
        table = [line for line in lines if line.split()[:1] and line.split()[0] in ("step", "total", *STEPS)]
        assert max(map(len, lines[:12])) <= 80
        assert len(table) >= 7
        assert "…" not in "".join(lines)


def test_the_screen_says_what_was_decided_and_what_does_not_fit():
    tight = Machine(FIGURES.speed, 2, 0.1, 0.1)
    text = shown(estimated(20_000_000, tight))
    assert "rows drawn while training" in text
    assert "without ease" in text
    assert "warning: Preprocess needs about" in text


def test_a_line_says_all_in_a_few_words():
    words = screen.in_a_line(estimated(1_000_000))
    assert words.startswith("about ")
    assert " of memory, " in words
    assert words.endswith(" of disk")
    assert len(words) < 67


def test_json_has_the_same_numbers():
    found = estimated(1_000_000)
    content = json.loads(screen.as_json(found))
    assert content["total"]["seconds"] == pytest.approx(found.seconds)
    assert [step["step"] for step in content["steps"]] == STEPS
    assert content["counts"]["rows"] == 1_000_000


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.31, "0.3 s"), (12.4, "12 s"), (95, "1.6 min"), (7_000, "1.9 h"), (89.7, "90 s")]
)
def test_times_have_two_digits(seconds, text):
    assert screen._time(seconds) == text


def test_two_times_share_their_unit():
    assert screen._times(12, 20) == "12 to 20 s"
    assert screen._times(50, 120) == "50 s to 2.0 min"
    assert screen._times(12.1, 12.2) == "12 s"


@pytest.mark.parametrize(("size", "text"), [(0.0004, "0.4 MB"), (0.012, "12 MB"), (0.25, "0.2 GB"), (12.3, "12 GB")])
def test_sizes_have_two_digits(size, text):
    assert screen._gigabytes(size) == text
