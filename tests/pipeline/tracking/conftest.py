import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.artifacts import evaluation
from components.artifacts.evaluation import State, Verdict
from pipeline.tracking.ended import Results
from tests.components.evaluator.report import builders
from tests.pipeline.tracking.receiver import Receiver

FAILED = Verdict("minimum_hr", State.FAILED, 0.1, 0.2, "HR@10 0.1 is below the minimum 0.2")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture
def refused(tmp_path: Path) -> Results:
    """What a run left whose model is not blessed."""
    uri = tmp_path / "evaluation"
    evaluation.write(str(uri), dataclasses.replace(builders.evaluation(), rules=(FAILED,)))
    (uri / evaluation.REPORT_FILE).write_text("<!doctype html><title>report</title>")
    builders.history().write(str(tmp_path / "model_run"))
    return Results(str(uri), str(tmp_path / "model_run"), None)


@pytest.fixture
def pushed(refused: Results) -> Results:
    """What a run left whose model was pushed."""
    evaluation.write(refused.evaluation, dataclasses.replace(builders.evaluation(), rules=()))
    return dataclasses.replace(refused, model="gs://bucket/serving/17")
