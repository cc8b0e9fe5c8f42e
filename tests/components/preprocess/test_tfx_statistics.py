"""TFX's SchemaGen and ExampleValidator on the interactions, by the code of docs/data.md."""

import importlib
import re
from pathlib import Path
from typing import Any

import pytest
from tensorflow_metadata.proto.v0 import anomalies_pb2
from tfx import v1 as tfx

from components.artifacts.interactions_summary import InteractionsSummary
from components.preprocess.component import Preprocess
from components.preprocess.config import DatasetConfig, PreprocessConfig

PAGE = Path(__file__).resolve().parents[3] / "docs" / "data.md"


def test_the_step_of_the_docs_feeds_schema_gen_and_example_validator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step, beside = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "interaction_statistics.py").write_text(step, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    preprocess = Preprocess(
        dataset=DatasetConfig(kind="synthetic", synthetic_users=200, synthetic_items=60, synthetic_interactions=3_000),
        preprocess=PreprocessConfig(min_interactions=3, rows_per_shard=1_000),
        seed=1,
        input_version="1",
        code_version="1",
    )
    made: dict[str, Any] = {"tfx": tfx, "preprocess": preprocess}
    made["InteractionStatistics"] = importlib.import_module("interaction_statistics").InteractionStatistics
    exec(beside, made)
    tfx.orchestration.LocalDagRunner().run(
        tfx.dsl.Pipeline(
            pipeline_name="described",
            pipeline_root=str(tmp_path / "root"),
            metadata_connection_config=tfx.orchestration.metadata.sqlite_metadata_connection_config(
                str(tmp_path / "metadata.sqlite")
            ),
            components=[preprocess, made["statistics"], made["schema"], made["validator"]],
            beam_pipeline_args=["--direct_num_workers=1"],
        )
    )

    import tensorflow_data_validation as tfdv  # after TFX, which makes up for what TFX-BSL's wheels lack

    (schema,) = tmp_path.glob("root/SchemaGen/schema/*/schema.pbtxt")
    features = tfdv.load_schema_text(str(schema)).feature
    assert {feature.name: feature.presence.min_fraction for feature in features} == {"user": 1.0, "item": 1.0}
    (interactions,) = tmp_path.glob("root/Preprocess/interactions/*")
    rows = InteractionsSummary.read(str(interactions)).interactions
    for split, number in rows.items():
        (statistics,) = tmp_path.glob(f"root/*/statistics/*/Split-{split}/FeatureStats.pb")
        assert tfdv.load_stats_binary(str(statistics)).datasets[0].num_examples == number
        (anomalies,) = tmp_path.glob(f"root/ExampleValidator/anomalies/*/Split-{split}/SchemaDiff.pb")
        assert not anomalies_pb2.Anomalies.FromString(anomalies.read_bytes()).anomaly_info
