import json
import os
import sys
from pathlib import Path

import pytest

from benchmarks.harness import Result, measure, report
from benchmarks.machine import cpu


def double(number: int) -> int:
    print("a framework's noise", file=sys.stderr)
    return 2 * number


def fail() -> None:
    raise ValueError("no such number")


def abort() -> None:
    os.write(2, b"out of room\n")
    os.abort()


def test_a_function_is_measured_in_a_quiet_process_of_its_own(capfd: pytest.CaptureFixture[str]) -> None:
    found = measure(double, 21)
    assert found.value == 42
    assert 0 < found.seconds < 10
    assert 0.005 < found.peak_memory_gb < 5
    assert capfd.readouterr().err == ""


def test_its_error_is_raised_here() -> None:
    with pytest.raises(ValueError, match="no such number"):
        measure(fail)


def test_what_a_process_that_dies_wrote_is_told() -> None:
    with pytest.raises(RuntimeError, match=r"abort died: .*out of room"):
        measure(abort)


def test_results_are_told_with_the_cpu_that_they_were_measured_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report("speed", [Result("rows", 12.5, "rows/s", bar=10)], tmp_path / "results.json")
    printed = " ".join(capsys.readouterr().out.split())
    assert str(cpu()) in printed
    written = json.loads((tmp_path / "results.json").read_text())
    assert written["cpu"] == {"name": cpu().name, "cores": cpu().cores, "instructions": list(cpu().instructions)}
    assert [row["name"] for row in written["results"]] == ["rows"]
