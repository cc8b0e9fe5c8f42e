import shutil
import subprocess
from pathlib import Path

import pytest

_MAKEFILE = Path(__file__).parents[1] / "Makefile"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    shutil.copy(_MAKEFILE, tmp_path)
    for name in ("runs/a/serving/1/saved_model.pb", "components/__pycache__/loops.nbi", "components/__pycache__/a.pyc"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def _make(checkout: Path, target: str, answer: str = "") -> int:
    return subprocess.run(["make", "-s", target], cwd=checkout, input=answer, text=True, capture_output=True).returncode


def test_clean_leaves_pushed_models_and_compiled_loops(checkout: Path) -> None:
    assert _make(checkout, "clean") == 0
    files = {str(path.relative_to(checkout)) for path in checkout.rglob("*") if path.is_file()}
    assert files == {"Makefile", "runs/a/serving/1/saved_model.pb", "components/__pycache__/loops.nbi"}


@pytest.mark.parametrize(("answer", "deleted"), [("yes\n", True), ("no\n", False), ("", False)])
def test_runs_are_deleted_when_somebody_says_yes(checkout: Path, answer: str, deleted: bool) -> None:
    assert (_make(checkout, "clean-runs", answer) == 0) == deleted
    assert (checkout / "runs").exists() != deleted
