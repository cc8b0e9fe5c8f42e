from pathlib import Path

import pytest
from tfx.types import standard_artifacts

from components.pusher.executor import Executor
from components.serving.manifest import Manifest, Origin

ORIGIN = Origin("data", "configuration", {"HR@10": 0.25}, {"minimum_hr": "passed"})


@pytest.fixture
def model(tmp_path: Path) -> standard_artifacts.Model:
    model = standard_artifacts.Model()
    model.uri = str(tmp_path / "model")
    served = tmp_path / "model" / "Format-Serving"
    (served / "variables").mkdir(parents=True)
    (served / "saved_model.pb").write_text("graph")
    (served / "variables" / "variables.index").write_text("weights")
    return model


def push(
    tmp_path: Path, model: standard_artifacts.Model, blessed: bool, destination: str
) -> standard_artifacts.PushedModel:
    blessing, pushed = standard_artifacts.ModelBlessing(), standard_artifacts.PushedModel()
    blessing.uri, pushed.uri = str(tmp_path / "blessing"), str(tmp_path / "pushed")
    blessing.set_int_custom_property("blessed", int(blessed))
    ORIGIN.write(blessing.uri)
    Executor().Do(
        {"model": [model], "model_blessing": [blessing]},
        {"pushed_model": [pushed]},
        {"push_destination": destination, "code_version": "1"},
    )
    return pushed


@pytest.mark.parametrize("named", [True, False], ids=["a folder", "the artifact"])
def test_a_blessed_model_is_pushed(tmp_path: Path, model: standard_artifacts.Model, named: bool) -> None:
    pushed = push(tmp_path, model, True, str(tmp_path / "serving") if named else "")

    assert pushed.get_int_custom_property("pushed") == 1
    destination = Path(pushed.get_string_custom_property("pushed_destination"))
    assert destination.parent == (tmp_path / "serving" if named else tmp_path)
    for folder in (destination, tmp_path / "pushed"):
        assert (folder / "saved_model.pb").read_text() == "graph"
        assert (folder / "variables" / "variables.index").read_text() == "weights"
        manifest = Manifest.read(str(folder))
        assert manifest is not None
        assert (sorted(manifest.files), manifest.origin) == (["saved_model.pb", "variables/variables.index"], ORIGIN)
        manifest.check(str(folder))


@pytest.mark.parametrize("named", [True, False], ids=["a folder", "the artifact"])
def test_a_refused_model_is_not_pushed(tmp_path: Path, model: standard_artifacts.Model, named: bool) -> None:
    pushed = push(tmp_path, model, False, str(tmp_path / "serving") if named else "")

    assert pushed.get_int_custom_property("pushed") == 0
    assert not pushed.has_custom_property("pushed_destination")
    assert not (tmp_path / "serving").exists()
    assert not (tmp_path / "pushed").exists()
