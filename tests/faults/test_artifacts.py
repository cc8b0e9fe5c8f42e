"""Files behind the cache that were cut, emptied, changed or deleted: found before they are used, and made again."""

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from pipeline.config import load_config
from pipeline.console import StepReporter, noise_to_file
from tests.e2e.conftest import PROJECT
from tests.faults.outcome import TINY

pytestmark = pytest.mark.faults

DAMAGES: dict[str, Callable[[Path], object]] = {
    "cut": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "emptied": lambda path: path.write_bytes(b""),
    "flipped": lambda path: path.write_bytes(_flipped(path.read_bytes())),
    "deleted": lambda path: path.unlink(),
}

FILES = {
    "Preprocess/interactions": ("summary.json", "Split-train/*", "Split-test/*"),
    "Preprocess/vocabulary": ("summary.json", "users.parquet", "items.parquet"),
    "NegativeGen/examples": ("summary.json", "Split-train/*", "Split-validation/*"),
    "Trainer/model": ("Format-Serving/saved_model.pb", "Format-Serving/variables/*data*", "keras/*.h5"),
    "Trainer/model_run": ("history.json",),
    "Evaluator/evaluation": ("metrics.json", "report.html"),
    "Pusher/pushed_model": ("saved_model.pb",),
}


def _flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("faults")


@pytest.fixture(scope="module")
def run(root: Path) -> Callable[..., str]:
    """Runs the pipeline in this process; what it says on the screen."""
    from pipeline.local import runner

    def go(**options: bool) -> str:
        said = io.StringIO()
        config = load_config(PROJECT / "configs" / "synthetic.yaml", TINY)
        with noise_to_file(root / "log"):
            outcomes = runner.run(config, root, StepReporter(Console(file=said, width=1000)), **options)
        metrics = json.loads((Path(outcomes["Evaluator"].outputs["evaluation"].uri) / "metrics.json").read_text())
        assert metrics["blessed"]
        return said.getvalue()

    go()
    return go


def _newest(folder: Path) -> Path:
    return max((path for path in folder.iterdir() if path.name.isdecimal()), key=lambda path: int(path.name))


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize(("kind", "pattern"), [(kind, file) for kind, files in FILES.items() for file in files])
def test_a_damaged_artifact_is_named_and_written_again(
    root: Path, run: Callable[..., str], kind: str, pattern: str, damage: str
) -> None:
    artifact = _newest(root / "artifacts" / kind)
    (file, *_) = sorted(artifact.glob(pattern))
    before = file.read_bytes()
    DAMAGES[damage](file)

    said = run()

    (line,) = [line for line in said.splitlines() if line.startswith(kind.split("/")[0])]
    assert f"not taken from the cache: {file} " in line
    again = _newest(root / "artifacts" / kind)
    assert again != artifact
    if damage != "deleted" and kind.startswith(("Preprocess", "NegativeGen")):
        assert (again / file.relative_to(artifact)).read_bytes() == before
    assert "not taken" not in run()


def test_a_pushed_model_that_is_gone_is_pushed_again(root: Path, run: Callable[..., str]) -> None:
    for version in filter(Path.is_dir, (root / "serving").iterdir()):
        shutil.rmtree(version)

    said = run()

    assert "judged again, to be pushed again, as" in said
    assert _newest(root / "serving").is_dir()
    assert "pushed again" not in run()


def test_metadata_that_is_deleted_leaves_the_artifacts_alone(root: Path, run: Callable[..., str]) -> None:
    before = {path: path.read_bytes() for path in (root / "artifacts").rglob("*") if path.is_file()}
    (root / "metadata.sqlite").unlink()

    run()

    assert all(path.read_bytes() == content for path, content in before.items())
    for kind in FILES:
        numbers = sorted(int(path.name) for path in (root / "artifacts" / kind).iterdir())
        assert str(root / "artifacts" / kind / str(numbers[-1])) not in {str(path.parent) for path in before}


@pytest.mark.parametrize("damage", ["cut", "no database"])
def test_damaged_metadata_is_told_and_set_aside_when_asked(root: Path, run: Callable[..., str], damage: str) -> None:
    from components.shared.errors import UserError

    file = root / "metadata.sqlite"
    damaged = file.read_bytes()[: file.stat().st_size // 2] if damage == "cut" else b"no database at all" * 100
    file.write_bytes(damaged)

    with pytest.raises(UserError, match=r"^.*metadata\.sqlite is damaged \(.*\); run again with --repair"):
        run()
    said = run(repair=True)

    assert "the damaged metadata is now" in said
    assert damaged in [path.read_bytes() for path in root.glob("metadata.sqlite.damaged*")]
