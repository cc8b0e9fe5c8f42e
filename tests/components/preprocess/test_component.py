from pathlib import Path

from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils, standard_artifacts

from components.preprocess.component import Preprocess
from components.preprocess.config import DatasetConfig, PreprocessConfig
from components.preprocess.executor import Executor
from components.shared import progress


def properties(tmp_path: Path, items: int = 5, **preprocess):
    rows = "".join(f"{user},{item},{item}\n" for user in range(3) for item in range(items))
    (tmp_path / "rows.csv").write_text("user,item,timestamp\n" + rows)
    component = Preprocess(
        dataset=DatasetConfig(kind="files", path=str(tmp_path / "rows.csv")),
        preprocess=PreprocessConfig(min_item_interactions=3, **preprocess),
        seed=1,
        input_version="0",
        code_version="0",
    )
    return component.spec.exec_properties


def test_sections_share_no_name():
    assert not set(DatasetConfig.model_fields) & set(PreprocessConfig.model_fields)


def test_configuration_passes_through_tfx(tmp_path):
    chosen = {"validation": False, "min_rating": 2.5, "split": "time", "split_time": 1_600_000_000, "ties": "item"}
    passed = properties(tmp_path, **chosen)
    assert PreprocessConfig.from_properties(passed) == PreprocessConfig(min_item_interactions=3, **chosen)
    assert DatasetConfig.from_properties(passed) == DatasetConfig(kind="files", path=str(tmp_path / "rows.csv"))


def test_executor(tmp_path, monkeypatch):
    notes, warnings = [], []
    monkeypatch.setattr(progress, "warn", warnings.append)
    monkeypatch.setattr(progress, "note", notes.append)
    interactions, vocabulary = standard_artifacts.Examples(), standard_artifacts.TransformGraph()
    interactions.uri, vocabulary.uri = str(tmp_path / "interactions"), str(tmp_path / "vocabulary")
    executor = Executor(base_beam_executor.BaseBeamExecutor.Context(beam_pipeline_args=["--runner=FnApiRunner"]))
    executor.Do({}, {"interactions": [interactions], "vocabulary": [vocabulary]}, properties(tmp_path))
    assert artifact_utils.decode_split_names(interactions.split_names) == ["train", "validation", "test"]
    assert notes == ["15 rows: 3 users, 5 items, 9 train, 3 validation, 3 test"]
    assert warnings == ["6 of 6 held-out rows (100.0%) are of items without a training row, which no model can know"]
    assert (tmp_path / "vocabulary" / "users.parquet").is_file()


def test_what_is_set_aside_is_no_split_for_other_components(tmp_path):
    chosen = {"split": "random", "split_share": 0.3}
    interactions, vocabulary = standard_artifacts.Examples(), standard_artifacts.TransformGraph()
    interactions.uri, vocabulary.uri = str(tmp_path / "interactions"), str(tmp_path / "vocabulary")
    executor = Executor(base_beam_executor.BaseBeamExecutor.Context(beam_pipeline_args=["--runner=FnApiRunner"]))
    passed = properties(tmp_path, items=50, **chosen)
    executor.Do({}, {"interactions": [interactions], "vocabulary": [vocabulary]}, passed)
    assert artifact_utils.decode_split_names(interactions.split_names) == ["train", "validation", "test"]
    assert (tmp_path / "interactions" / "Split-aside").is_dir()
