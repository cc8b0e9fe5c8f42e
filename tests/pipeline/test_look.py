"""The step that looks whether files have changed, as the backend runs it."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline import look


def looked(folder: Path, **values: Any) -> str:
    """What a run of the step finds."""
    output_file = folder / "task" / "output_metadata.json"
    message = {"inputs": {"parameterValues": values}, "outputs": {"outputFile": str(output_file)}}
    assert look.main(["--executor_input", json.dumps(message)]) == 0
    version: str = json.loads(output_file.read_text())["parameterValues"]["input_version"]
    return version


@pytest.fixture
def clicks(tmp_path: Path) -> dict[str, Any]:
    """The parameters of three days of clicks, of which the first is there."""
    (tmp_path / "clicks-1.csv").write_text("user,item,timestamp\n1,2,3\n")
    return {"kind": "files", "path": str(tmp_path / "clicks-*.csv"), "synthetic_users": 2000.0}


def test_nothing_new_is_the_same_version(tmp_path: Path, clicks: dict[str, Any]) -> None:
    assert looked(tmp_path, **clicks) == looked(tmp_path, **clicks)


def test_each_day_s_new_file_is_another_version(tmp_path: Path, clicks: dict[str, Any]) -> None:
    versions = [looked(tmp_path, **clicks)]
    for day in (2, 3):
        (tmp_path / f"clicks-{day}.csv").write_text("user,item,timestamp\n1,2,3\n")
        versions.append(looked(tmp_path, **clicks))
    assert len(set(versions)) == 3


def test_what_the_run_was_given_is_a_part_of_the_version(tmp_path: Path, clicks: dict[str, Any]) -> None:
    assert looked(tmp_path, **clicks, input_version="v2") == f"v2-{looked(tmp_path, **clicks, input_version='')}"


def test_a_parameter_that_is_not_allowed_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    message = {"inputs": {"parameterValues": {"kind": "files"}}, "outputs": {"outputFile": "/nowhere/x"}}
    assert look.main(["--executor_input", json.dumps(message)]) == 2
    assert capsys.readouterr().err == "error: dataset.path is needed where dataset.kind is files\n"
