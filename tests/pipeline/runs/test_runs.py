import io
from pathlib import Path

import pytest
from click.testing import CliRunner
from ml_metadata.proto import metadata_store_pb2 as mlmd
from rich.console import Console

from components.artifacts import evaluation
from components.shared.errors import UserError
from pipeline.cli import main
from pipeline.local import metadata_file
from pipeline.local.lineage import open_store
from pipeline.runs import pruning
from pipeline.runs.found import run_named, runs_below
from pipeline.runs.shown import compare
from tests.components.evaluator.report.builders import evaluation as make_evaluation


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two evaluations of one root."""
    for number in (4, 11):
        folder = tmp_path / "shop" / "artifacts" / "Evaluator" / "evaluation" / str(number)
        folder.mkdir(parents=True)
        evaluation.write(str(folder), make_evaluation())
    return tmp_path / "shop"


def test_a_run_is_named_by_its_root_or_by_its_number(root: Path) -> None:
    assert [run.number for run in runs_below(root)] == [run.number for run in runs_below(root.parent)] == [4, 11]
    assert run_named(str(root)).number == 11
    assert run_named(f"{root}:4").number == 4
    for absent in (f"{root}:5", str(root.parent / "nowhere")):
        with pytest.raises(UserError, match="there is no run that was evaluated"):
            run_named(absent)


def test_commands_show_runs(root: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root.parent)  # so that names are short, wherever the tests run
    found = make_evaluation()
    figure = f"{found.systems['model'].of(found.gate_on)[found.gate_metrics[0]]:.4f}"
    for arguments, times in (
        (["list", root.name], 2),
        (["show", root.name], 1),
        (["compare", f"{root.name}:4", root.name], 2),
    ):
        assert CliRunner().invoke(main, ["runs", *arguments]).exit_code == 0
        said = capfd.readouterr().out
        assert said.count(figure) >= times
        assert f"{root.name}:11" in said


def test_long_names_are_shown_whole(root: Path) -> None:
    deep = root.rename(root.parent / ("deep" * 50))
    shown = io.StringIO()
    compare(Console(file=shown, width=160), [run_named(f"{deep}:{number}") for number in (4, 11)])
    assert all(f":{number} " in shown.getvalue() for number in (4, 11))
    assert "…" not in shown.getvalue()


def test_a_damaged_evaluation_is_one_line_of_the_list(root: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (root / "artifacts" / "Evaluator" / "evaluation" / "4" / "metrics.json").write_text('{"blessed"')
    assert CliRunner().invoke(main, ["runs", "list", str(root)]).exit_code == 0
    assert "cannot be read" in capfd.readouterr().out


def _execution(root: Path, step: str, outputs: list[str], inputs: list[int], pushed: str = "") -> list[int]:
    """Has a step that ended well in the store, with an artifact of a file each; their ids."""
    store = open_store(str(root / "metadata.sqlite"))
    kind = store.put_execution_type(mlmd.ExecutionType(name=step))
    (number,) = store.put_executions([mlmd.Execution(type_id=kind, last_known_state=mlmd.Execution.COMPLETE)])
    data = store.put_artifact_type(mlmd.ArtifactType(name="Data"))
    artifacts = []
    for output in outputs:
        folder = root / "artifacts" / step / output / str(number)
        folder.mkdir(parents=True)
        (folder / "file").write_text(output)
        artifact = mlmd.Artifact(type_id=data, uri=str(folder))
        if pushed:
            artifact.custom_properties["pushed_destination"].string_value = pushed
        artifacts.append(artifact)
    made = store.put_artifacts(artifacts)
    store.put_events(
        [mlmd.Event(artifact_id=one, execution_id=number, type=mlmd.Event.INPUT) for one in inputs]
        + [mlmd.Event(artifact_id=one, execution_id=number, type=mlmd.Event.OUTPUT) for one in made]
    )
    return list(made)


def test_what_led_to_a_pushed_model_and_what_is_newest_is_kept(tmp_path: Path) -> None:
    metadata_file.prepare(str(tmp_path / "metadata.sqlite"), str(tmp_path / "artifacts"), repair=False)
    (tmp_path / "serving" / "7").mkdir(parents=True)
    for destination in ("7", "gone", "gone too", ""):
        model = _execution(tmp_path, "Trainer", ["model", "model_run"], [])
        if destination:
            _execution(tmp_path, "Pusher", ["pushed_model"], model, str(tmp_path / "serving" / destination))
    (tmp_path / "artifacts" / "Trainer" / "model" / "99").mkdir()
    (tmp_path / "logs").mkdir()
    for day in range(12):
        (tmp_path / "logs" / f"20260101-{day:06d}.log").touch()

    found = [leftover.path.relative_to(tmp_path) for leftover in pruning.leftovers(tmp_path)]

    # Executions 1 and 2 led to version 7, 6 is the Pusher's newest, and 7 the Trainer's.
    assert [str(path) for path in found] == [
        "artifacts/Pusher/pushed_model/4",
        "artifacts/Trainer/model/3",
        "artifacts/Trainer/model/99",
        "artifacts/Trainer/model_run/3",
        "logs/20260101-000000.log",
        "logs/20260101-000001.log",
    ]
