import numpy as np
import pytest
from pydantic import ValidationError
from tfx.components.util import tfxio_utils
from tfx.dsl.components.base import base_beam_executor
from tfx.types import Channel, standard_artifacts

from components.artifacts.examples import ExamplesSummary
from components.negative_gen.component import NegativeGen
from components.negative_gen.config import NegativesConfig
from components.negative_gen.executor import Executor
from components.shared import progress
from tests.components.negative_gen.helpers import contents, make_job, random_data, run


def channel(artifact_type, uri, splits=()):
    artifact = artifact_type()
    artifact.uri = uri
    if splits:
        artifact.split_names = artifacts_split_names(splits)
    return Channel(type=artifact_type).set_artifacts([artifact])


def artifacts_split_names(splits):
    return "[" + ", ".join(f'"{split}"' for split in splits) + "]"


def a_component(data, config):
    return NegativeGen(
        interactions=channel(standard_artifacts.Examples, data.uri, ["train", "validation", "test"]),
        vocabulary=channel(standard_artifacts.TransformGraph, data.vocabulary_uri),
        negatives=config,
        batch_size=1000,
        epochs=1,
        pretraining_epochs=2,
        seed=7,
        code_version="abc",
    )


def test_every_knob_is_an_execution_property(tmp_path):
    config = NegativesConfig(protocol="mlperf", num_negatives=3, num_eval_negatives=50)
    component = a_component(random_data(tmp_path), config)
    properties = component.exec_properties
    assert NegativesConfig.from_properties(properties) == config
    assert [properties[name] for name in ("batch_size", "epochs", "pretraining_epochs", "seed")] == ["1000", 1, 2, 7]
    assert list(component.outputs) == ["examples"]


def test_the_executor_writes_what_the_logic_writes(tmp_path, monkeypatch):
    data = random_data(tmp_path)
    component = a_component(data, NegativesConfig(num_eval_negatives=99))
    output = standard_artifacts.Examples()
    output.uri = str(tmp_path / "examples")
    inputs = {name: list(component.inputs[name].get()) for name in component.inputs}
    notes = []
    monkeypatch.setattr(progress.Reporter, "note", lambda self, text: notes.append(text))

    context = base_beam_executor.BaseBeamExecutor.Context(beam_pipeline_args=["--runner=FnApiRunner"])
    Executor(context).Do(inputs, {"examples": [output]}, component.exec_properties)

    expected = run(make_job(data, tmp_path / "expected", epochs=2))
    assert contents(tmp_path / "examples") == contents(expected)
    assert output.split_names == '["train", "validation", "test"]'
    assert output.get_string_custom_property("payload_format") == "FORMAT_TF_EXAMPLE"
    assert tfxio_utils.get_split_tfxio([output], "test", ["tests"])  # TFX's readers know the format of the files
    rows = ExamplesSummary.read(str(expected)).rows_per_epoch
    assert notes == [f"2 x {rows:,} training rows in batches of 1,000, 99 negatives to rank against"]


def test_parameters_have_ranges():
    assert NegativesConfig().model_dump() == {
        "protocol": "standard",
        "num_negatives": 4,
        "num_eval_negatives": 999,
        "eval_users": 200_000,
        "source": "auto",
        "files_limit_gb": 4.0,
        "epochs_ahead": 0,
        "eval_rows_per_batch": 65_536,
    }
    assert np.isclose(NegativesConfig(num_negatives=1).num_negatives, 1)


@pytest.mark.parametrize("source", ["auto", "streamed"])
def test_only_files_are_written_ahead(source):
    with pytest.raises(ValidationError, match=f"epochs_ahead is 3, and source {source}: .* set source to files"):
        NegativesConfig(source=source, epochs_ahead=3)
    assert NegativesConfig(source="files", epochs_ahead=3).streams(gigabytes=0.001)
