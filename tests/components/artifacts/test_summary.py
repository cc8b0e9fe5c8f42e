import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.artifacts.examples import EvaluationLayout, ExamplesSummary
from components.shared.errors import UserError

SUMMARY = ExamplesSummary(
    batch_size=64, epochs=2, num_negatives=4, rows_per_epoch=50, batches_per_epoch=1, users=9, items=20,
    train_positives=10, protocol="standard", seed=3, fingerprint="0123456789abcdef",
    evaluation={"test": EvaluationLayout(users=9, width=100, users_per_batch=5, batches=2)},
)  # fmt: skip


def test_a_summary_survives_its_file(tmp_path: Path) -> None:
    SUMMARY.write(str(tmp_path))
    assert ExamplesSummary.read(str(tmp_path)) == SUMMARY
    assert ExamplesSummary.from_json(SUMMARY.to_json()) == SUMMARY


def test_the_file_is_json_in_the_order_of_the_fields(tmp_path: Path) -> None:
    SUMMARY.write(str(tmp_path))
    content = json.loads((tmp_path / "summary.json").read_text())
    assert list(content)[-3:] == ["eval", "seed", "fingerprint"]
    assert content["eval"] == {"test": {"users": 9, "width": 100, "users_per_batch": 5, "batches": 2}}


def _without_fingerprint(content: dict[str, Any]) -> None:
    del content["fingerprint"]


def _without_width(content: dict[str, Any]) -> None:
    del content["eval"]["test"]["width"]


def _of_a_later_version(content: dict[str, Any]) -> None:
    content["version"] = 2


def _with_words_for_a_number(content: dict[str, Any]) -> None:
    content["users"] = "many"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_without_fingerprint, "fingerprint: field required"),
        (_without_width, r"eval\.test\.width: field required"),
        (_of_a_later_version, "version: unexpected"),
        (_with_words_for_a_number, "users: input should be a valid integer"),
    ],
)
def test_what_this_version_does_not_write_is_told(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], reason: str
) -> None:
    content = SUMMARY.to_json()
    change(content)
    (tmp_path / "summary.json").write_text(json.dumps(content))
    with pytest.raises(UserError) as error:
        ExamplesSummary.read(str(tmp_path))
    assert error.match(
        rf"^{tmp_path}/summary\.json is not what this version writes \({reason}.*\); run NegativeGen again$"
    )
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", ['{"batch_size": 64,', "[]", "\xff"], ids=["cut off", "a list", "no text"])
def test_a_file_that_holds_something_else_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "summary.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(UserError, match=r"summary\.json is not what this version writes \(.*\); run NegativeGen"):
        ExamplesSummary.read(str(tmp_path))


def test_an_artifact_without_a_summary_is_not_whole(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"is not a whole artifact: it has no summary\.json; run NegativeGen again"):
        ExamplesSummary.read(str(tmp_path))
