import dataclasses
import io
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from ml_metadata.proto import metadata_store_pb2 as mlmd
from rich.console import Console

from components.artifacts import evaluation
from components.artifacts.evaluation import (
    Bounds,
    ByWay,
    Champion,
    ChampionStatus,
    Difference,
    Evaluation,
    LeftOut,
    Means,
    NewUsers,
    State,
    System,
    Verdict,
)
from components.artifacts.vocabulary import write_vocabulary
from pipeline.local.lineage import NodeOutcome
from pipeline.local.summary import show
from tests.components.evaluator.report import builders

MEANS = {"HR@10": 0.6905, "NDCG@10": 0.4093}
PASSED = Verdict("minimum_hr", State.PASSED, 0.6905, 0.45, "HR@10 0.6905 is at least the minimum 0.45")
COMPARISON = dataclasses.replace(
    builders.champion().compared,
    challenger={"HR@10": 0.7001, "NDCG@10": 0.42},
    champion={"HR@10": 0.6892, "NDCG@10": 0.4205},
    differences={"HR@10": Difference(0.0109, 0.0035, 0.0183), "NDCG@10": Difference(-0.0005, -0.0051, 0.0041)},
)
CHAMPION = Champion(
    ChampionStatus.COMPARED,
    "version 17, on 1,990 test users and 950 items that both models know",
    "17",
    "/models/17",
    {"full": COMPARISON},
)


def _system(title: str, fit_seconds: float | None = None, sampled: Means = MEANS) -> System:
    usual = builders.system(1.0, title, title)
    return dataclasses.replace(usual, sampled=sampled, full=MEANS, fit_seconds=fit_seconds)


def _report(**changes: Any) -> Evaluation:
    systems = {"model": _system("NeuMF"), "popularity": _system("item popularity", 0.02)}
    usual = dataclasses.replace(builders.evaluation(), systems=systems, best_possible_hr=0.7653, new_users=None)
    return dataclasses.replace(usual, **{"champion": CHAMPION, "rules": (PASSED,), **changes})


@pytest.fixture
def shown(tmp_path: Path):
    """Prints the end of a run whose `metrics.json` is given; returns the lines, single-spaced."""

    def show_report(report: Evaluation, pushed: bool = True, width: int = 160) -> list[str]:
        evaluation.write(str(tmp_path / "evaluation"), report)
        pushed_model = mlmd.Artifact()
        pushed_model.custom_properties["pushed"].int_value = int(pushed)
        pushed_model.custom_properties["pushed_destination"].string_value = "/models/18"
        write_vocabulary(str(tmp_path / "ids"), *map(pa.array, (["a b", "c"], ["i"])), np.ones(2), np.ones(1))
        outcomes = {
            "Preprocess": NodeOutcome(False, {"vocabulary": mlmd.Artifact(uri=str(tmp_path / "ids"))}),
            "Trainer": NodeOutcome(False, {"model": mlmd.Artifact(uri="/m"), "model_run": mlmd.Artifact(uri="/r")}),
            "Evaluator": NodeOutcome(False, {"evaluation": mlmd.Artifact(uri=str(tmp_path / "evaluation"))}),
            "Pusher": NodeOutcome(False, {"pushed_model": pushed_model}),
        }
        console = Console(file=io.StringIO(), width=width)
        show(console, outcomes, tmp_path, tmp_path / "run.log")
        return [" ".join(line.split()) for line in console.file.getvalue().splitlines()]

    return show_report


def test_the_champion_has_a_table_of_its_own(shown):
    lines = shown(_report())
    start = lines.index("against the champion, all items HR@10 NDCG@10")
    assert lines[start + 1 : start + 6] == [
        "NeuMF 0.7001 0.4200",
        "champion 0.6892 0.4205 version 17, on 1,990 test users and 950 items that both models know",
        "difference +0.0109 -0.0005",
        "at least +0.0035 -0.0051 with 0.95 confidence, paired by user",
        "at most +0.0183 +0.0041 with 0.95 confidence, paired by user",
    ]
    assert "blessed and pushed" in lines


def test_what_became_of_the_champions_data_is_one_line(shown):
    assert not any("data since the champion" in line for line in shown(_report()))
    drifted = dataclasses.replace(CHAMPION, drift=builders.drift())
    assert (
        "data since the champion: users 2.0% new, 0.2% of the champion's gone; items 0.4% new, 0.0% gone; "
        "training rows 1.02 x the champion's; popularity shifted by 2.1%"
    ) in shown(_report(champion=drifted))
    silent = dataclasses.replace(builders.drift(), champion_users=None)
    lines = shown(_report(champion=dataclasses.replace(CHAMPION, drift=silent)))
    assert any(line.startswith("data since the champion: users 2.0% new; items") for line in lines)


def test_a_skipped_rule_is_neither_passed_nor_failed(shown):
    why = "skipped: there is no champion yet to compare with"
    skipped = Verdict("not_worse_than_champion_hr", State.SKIPPED, math.nan, -0.03, why)
    lines = shown(_report(champion=Champion(ChampionStatus.NONE, why), rules=(PASSED, skipped)))
    assert f"not_worse_than_champion_hr – {why}" in lines
    assert "minimum_hr ✓ HR@10 0.6905 is at least the minimum 0.45" in lines
    assert not any("against the champion" in line for line in lines)


def test_a_reason_is_given_once_and_as_it_is(shown):
    # A message of TensorFlow may hold what looks like the console's markup.
    why = "the champion cannot be compared: {{node x}} [/tmp]"
    failed = [
        Verdict(f"not_worse_than_champion_{metric}", State.FAILED, math.nan, -0.03, why) for metric in ("hr", "ndcg")
    ]
    broken = Champion(ChampionStatus.BROKEN, why)
    lines = shown(_report(champion=broken, rules=(PASSED, *failed)), pushed=False)
    assert f"not blessed, not pushed: {why}" in lines
    assert f"not_worse_than_champion_ndcg ✗ {why}" in lines
    assert "model /m (not pushed)" in lines
    assert " ".join(lines[-1].split()[2:]) == "-m pipeline recommend --model /m/Format-Serving '--user=a b'"


def test_the_last_lines_are_commands_to_try_next(shown, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    assert shown(_report())[-2:] == [
        "next bin/python -m pipeline recommend --model /models '--user=a b'",
        "page bin/python -m pipeline serve --model /models",
    ]


def test_settings_that_were_chosen_on_validation_are_told(shown):
    tuned = dataclasses.replace(_system("EASE", 1.5), chosen={"ease_l2": 200.0, "ease_most": 3})
    lines = shown(_report(systems={"model": _system("NeuMF"), "ease": tuned}))
    assert "EASE, as chosen on validation: ease_l2 200, ease_most 3" in lines
    assert not any("NeuMF, as chosen" in line for line in lines)


def test_new_users_have_a_line_with_their_ratio_to_the_trained_ones(shown):
    metrics = {name: value * 0.9 for name, value in MEANS.items()}
    new_users = NewUsers(60, 60, 2, 0, metrics, {}, {"HR@10": Bounds(0.81, 0.98)})
    (line,) = [line for line in shown(_report(new_users=new_users)) if "new users" in line]
    assert line == (
        "60 new users, by what they did, all items: HR@10 0.6215, NDCG@10 0.3684 (0.9000 [0.8100 to 0.9800], 0.9000 x "
        "the trained users'); of 2 of them, the item left out is unknown: a miss"
    )
    assert not [line for line in shown(_report()) if "new users" in line]


def test_systems_that_were_measured_are_shown_and_nulls_as_a_dash(shown):
    report = _report()
    als = _system("implicit ALS", 4.52, {"HR@10": 0.7, "NDCG@10": math.nan})
    report = dataclasses.replace(report, gate_on="sampled")
    assert not any(line.startswith("implicit ALS") for line in shown(report))
    lines = shown(dataclasses.replace(report, systems={**report.systems, "als": als}))
    assert lines[1:6] == [
        "sampled test records HR@10 NDCG@10 fitted in",
        "NeuMF 0.6905 0.4093",
        "item popularity 0.6905 0.4093 0.0 s",
        "implicit ALS 0.7000 – 4.5 s",
        "best possible 0.7653",
    ]
    start = lines.index("all items HR@10 NDCG@10")
    assert lines[start + 1 : start + 4] == [
        f"{name} 0.6905 0.4093" for name in ("NeuMF", "item popularity", "implicit ALS")
    ]


def test_the_ranking_that_the_gate_looks_at_comes_first(shown):
    heads = ["all items HR@10 NDCG@10 fitted in", "sampled test records HR@10 NDCG@10"]
    lines = shown(_report())
    assert [line for line in lines if line in heads] == heads


def test_a_baseline_that_was_left_out_says_why(shown):
    lines = shown(_report(left_out={"ease": LeftOut("EASE", "26,744 items are more than [12,000]")}))
    assert "EASE was not measured: 26,744 items are more than [12,000]" in lines


def test_the_metrics_of_many_systems_fit_into_a_narrow_window(shown):
    metrics = ("HR", "NDCG", "MRR", "Recall")
    means = {f"{metric}@10": 0.5 for metric in metrics}
    systems = {
        f"system {number}": dataclasses.replace(_system(f"the system number {number}", 99.9), sampled=means, full=means)
        for number in range(8)
    }
    model = dataclasses.replace(_system("NeuMF"), sampled=means, full=means)
    report = _report(metrics=metrics, systems={"model": model, **systems}, gate_on="sampled")
    lines = shown(report, width=80)
    assert lines[1] == "sampled test records HR@10 NDCG@10 MRR@10 Recall@10 fitted in"
    assert [line for line in lines if line.startswith("the system number 7")] == [
        "the system number 7 0.5000 0.5000 0.5000 0.5000 99.9 s",
        "the system number 7 0.5000 0.5000 0.5000 0.5000",
    ]


def test_users_without_metrics_are_told_below_the_table(shown) -> None:
    lines = shown(_report(short_users=ByWay({10: 5}, {})))
    (told,) = (line for line in lines if "test users have 10 sampled candidates or fewer" in line)
    assert told.startswith("5 of 6,040 test users")
    assert not any("or fewer" in line for line in shown(_report()))
