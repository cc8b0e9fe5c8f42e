import dataclasses
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.artifacts import evaluation
from components.artifacts.evaluation import Bounds, Evaluation, State, Verdict
from components.shared.errors import UserError
from tests.components.evaluator.report import builders


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    found = builders.evaluation()
    finite = dataclasses.replace(found, rules=found.rules[:5])  # NaN is not equal to itself
    evaluation.write(str(tmp_path), finite)
    assert evaluation.read(str(tmp_path)) == finite


def test_numbers_that_are_not_finite_are_null_in_the_file_and_nan_when_read() -> None:
    found = builders.evaluation()
    model = dataclasses.replace(
        found.model,
        sampled={"HR@10": math.nan, "NDCG@10": math.inf},
        intervals=dataclasses.replace(found.model.intervals, full={"HR@10": Bounds(0.1, -math.inf)}),
    )
    content = dataclasses.replace(found, systems={"model": model}).to_json()
    text = json.dumps(content, allow_nan=False)
    of_model = json.loads(text)["systems"]["model"]
    assert of_model["sampled"] == {"HR@10": None, "NDCG@10": None}
    assert of_model["intervals"]["full"] == {"HR@10": [0.1, None]}
    read = Evaluation.from_json(json.loads(text)).model
    assert all(map(math.isnan, read.sampled.values()))
    assert read.fit_seconds is None


def test_the_file_says_its_version_and_whether_the_model_is_blessed() -> None:
    content = builders.evaluation(blessed=False).to_json()
    assert list(content)[:2] == ["schema_version", "blessed"]
    assert (content["schema_version"], content["blessed"]) == (3, False)
    assert builders.evaluation().to_json()["blessed"]


def test_a_reason_is_told_once() -> None:
    rules = tuple(Verdict(name, State.FAILED, math.nan, 0, "lost") for name in ("one", "two"))
    assert dataclasses.replace(builders.evaluation(), rules=rules).reasons == ["lost"]


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda content: content.pop("schema_version"), "schema version None, not 3"),
        (lambda content: content.update(schema_version=1), "schema version 1, not 3"),
        (lambda content: content.pop("systems"), "systems: field required"),
        (lambda content: content["systems"]["als"].pop("full"), "systems.als.full: field required"),
        (lambda content: content["rules"][0].update(state="passed?"), "rules.0.state: input should be"),
    ],
)
def test_a_file_of_another_version_is_told_in_one_line(spoil: Callable[[dict[str, Any]], Any], says: str) -> None:
    content = builders.evaluation().to_json()
    spoil(content)
    with pytest.raises(UserError) as raised:
        Evaluation.from_json(content)
    told = str(raised.value)
    assert told.startswith("metrics.json was written by another version of this program (")
    assert told.endswith("); run the Evaluator again")
    assert says in told
    assert "\n" not in told


def test_an_artifact_without_the_file_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"is not a whole artifact: it has no metrics\.json; run the Evaluator again$"):
        evaluation.read(str(tmp_path))
