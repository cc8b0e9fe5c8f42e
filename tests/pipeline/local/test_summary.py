import io
from pathlib import Path
from typing import Any

import pytest
from ml_metadata.proto import metadata_store_pb2 as mlmd
from rich.console import Console

from components.artifacts import storage
from pipeline.local.lineage import NodeOutcome
from pipeline.local.summary import show

METRICS = {"HR@10": 0.6905, "NDCG@10": 0.4093}
CHAMPION = {
    "status": "compared",
    "detail": "version 17, on 1,990 test users and 950 items that both models know",
    "confidence": 0.95,
    "challenger": {"HR@10": 0.7001, "NDCG@10": 0.42},
    "champion": {"HR@10": 0.6892, "NDCG@10": 0.4205},
    "differences": {
        "HR@10": {"mean": 0.0109, "low": 0.0035, "high": 0.0183},
        "NDCG@10": {"mean": -0.0005, "low": -0.0051, "high": 0.0041},
    },
}
PASSED = {"rule": "minimum_hr", "passed": True, "skipped": False, "detail": "HR@10 0.6905 is at least the minimum 0.45"}


def _report(**changes: Any) -> dict[str, Any]:
    system = {"sampled": METRICS, "full": METRICS}
    report = {"blessed": True, "gate_k": 10, "model": system, "popularity": system, "best_possible_hr": 0.7653}
    return {**report, "champion": CHAMPION, "rules": [PASSED], **changes}


@pytest.fixture
def shown(tmp_path: Path):
    """Prints the end of a run whose `metrics.json` is given; returns the lines, single-spaced."""

    def show_report(report: dict[str, Any], pushed: bool = True) -> list[str]:
        storage.write_json(str(tmp_path / "evaluation" / "metrics.json"), report)
        pushed_model = mlmd.Artifact()
        pushed_model.custom_properties["pushed"].int_value = int(pushed)
        pushed_model.custom_properties["pushed_destination"].string_value = "/models/18"
        outcomes = {
            "Trainer": NodeOutcome(False, {"model": mlmd.Artifact(uri="/m"), "model_run": mlmd.Artifact(uri="/r")}),
            "Evaluator": NodeOutcome(False, {"evaluation": mlmd.Artifact(uri=str(tmp_path / "evaluation"))}),
            "Pusher": NodeOutcome(False, {"pushed_model": pushed_model}),
        }
        console = Console(file=io.StringIO(), width=160)
        show(console, outcomes, tmp_path, tmp_path / "run.log")
        return [" ".join(line.split()) for line in console.file.getvalue().splitlines()]

    return show_report


def test_the_champion_has_a_table_of_its_own(shown):
    lines = shown(_report())
    start = lines.index("against the champion HR@10 NDCG@10")
    assert lines[start + 1 : start + 5] == [
        "NeuMF 0.7001 0.4200",
        "champion 0.6892 0.4205 version 17, on 1,990 test users and 950 items that both models know",
        "difference +0.0109 -0.0005",
        "at least +0.0035 -0.0051 with 0.95 confidence, paired by user",
    ]
    assert "blessed and pushed" in lines


def test_a_skipped_rule_is_neither_passed_nor_failed(shown):
    why = "skipped: there is no champion yet to compare with"
    skipped = {"rule": "not_worse_than_champion_hr", "passed": True, "skipped": True, "detail": why}
    lines = shown(_report(champion={"status": "none", "detail": why}, rules=[PASSED, skipped]))
    assert f"not_worse_than_champion_hr – {why}" in lines
    assert "minimum_hr ✓ HR@10 0.6905 is at least the minimum 0.45" in lines
    assert not any("against the champion" in line for line in lines)


def test_a_reason_is_given_once_and_as_it_is(shown):
    # A message of TensorFlow may hold what looks like the console's markup.
    why = "the champion cannot be compared: {{node x}} [/tmp]"
    failed = [
        {"rule": f"not_worse_than_champion_{metric}", "passed": False, "skipped": False, "detail": why}
        for metric in ("hr", "ndcg")
    ]
    broken = {"status": "broken", "detail": why}
    lines = shown(_report(blessed=False, champion=broken, rules=[PASSED, *failed]), pushed=False)
    assert f"not blessed, not pushed: {why}" in lines
    assert f"not_worse_than_champion_ndcg ✗ {why}" in lines
    assert "model /m (not pushed)" in lines


def test_systems_that_were_measured_are_shown_and_nulls_as_a_dash(shown):
    system = {"sampled": {"HR@10": 0.7, "NDCG@10": None}, "full": METRICS}
    assert not any(line.startswith("implicit ALS") for line in shown(_report()))
    assert "implicit ALS 0.7000 – 0.6905 0.4093" in shown(_report(als=system))
