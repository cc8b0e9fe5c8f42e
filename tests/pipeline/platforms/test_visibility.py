from pathlib import Path

import pytest

from components.shared.errors import UserError
from pipeline.config import Config, load_config
from pipeline.platforms.registry import PLATFORMS
from pipeline.platforms.visibility import check_config, check_pipeline_root

CONFIG = Path(__file__).resolve().parents[3] / "configs" / "synthetic.yaml"
HOME = str(Path.home())


def config(*assignments: str) -> Config:
    return load_config(CONFIG, assignments)


@pytest.mark.parametrize("target", PLATFORMS)
@pytest.mark.parametrize(
    ("assignments", "key"),
    [
        (["dataset.kind=files", "dataset.path=data/clicks-*.csv"], "dataset.path (ratings): data/clicks-*.csv"),
        (["dataset.kind=ncf", "dataset.path=~/ncf"], "dataset.path (ratings): ~/ncf"),
        (["dataset.kind=files", f"dataset.path={HOME}/clicks.csv"], f"dataset.path (ratings): {HOME}/clicks.csv"),
        (["dataset.kind=movielens", "dataset.mirror=mirror"], "dataset.mirror: mirror"),
        (
            ["dataset.kind=files", "dataset.path=gs://b/c.csv", "dataset.titles.path=t.csv", "dataset.titles.id=item"],
            "dataset.titles.path: t.csv",
        ),
        (["pusher.destination=runs/serving"], "pusher.destination (push_destination): runs/serving"),
    ],
)
def test_a_path_of_this_machine_is_refused_by_its_key(target: str, assignments: list[str], key: str) -> None:
    with pytest.raises(UserError) as error:
        check_config(config(*assignments), PLATFORMS[target])

    assert str(error.value).startswith(f"{key} is a path of this machine, which no step on ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("target", PLATFORMS)
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("sg://bucket/serving", ": sg:// is no kind of storage that steps know; name gs://... or s3://..."),
        ("gs://", " names no bucket; write gs://BUCKET/FOLDER"),
        ("s3:///serving", " names no bucket; write s3://BUCKET/FOLDER"),
    ],
)
def test_what_is_no_place_on_a_storage_is_refused(target: str, name: str, message: str) -> None:
    with pytest.raises(UserError) as error:
        check_config(config(f"pusher.destination={name}"), PLATFORMS[target])
    assert str(error.value) == f"pusher.destination (push_destination): {name}{message}"


@pytest.mark.parametrize("target", PLATFORMS)
@pytest.mark.parametrize("name", ["gs://bucket/clicks-*.csv", "s3://bucket/clicks.csv", "https://host/clicks.csv"])
def test_what_steps_can_see_is_taken(target: str, name: str) -> None:
    files = ["dataset.kind=files", f"dataset.path={name}", "pusher.destination=s3://models/neumf"]
    check_config(config(*files), PLATFORMS[target])


@pytest.mark.parametrize("uri", ["mlruns", "sqlite:///mlflow.db", f"file://{HOME}/mlruns", f"sqlite:///{HOME}/m.db"])
@pytest.mark.parametrize("target", PLATFORMS)
def test_an_mlflow_of_this_machine_is_refused(target: str, uri: str) -> None:
    with pytest.raises(UserError) as error:
        check_config(config(f"tracking.mlflow={uri}"), PLATFORMS[target])
    assert str(error.value).startswith(f"tracking.mlflow: {uri} is a place of this machine, which no step on ")


@pytest.mark.parametrize(
    "uri", ["https://mlflow.example.org", "${MLFLOW}", "databricks", "databricks://me", "sqlite:////data/mlflow.db"]
)
def test_an_mlflow_that_steps_reach_is_taken(uri: str) -> None:
    check_config(config(f"tracking.mlflow={uri}"), PLATFORMS["kfp"])


def test_a_mounted_volume_is_for_kubeflow_and_a_mounted_bucket_for_vertex() -> None:
    volume, bucket = (config("dataset.kind=files", f"dataset.path={path}") for path in ("/data/a.csv", "/gcs/b/a.csv"))
    check_config(volume, PLATFORMS["kfp"])
    check_config(bucket, PLATFORMS["vertex"])
    with pytest.raises(UserError, match="no step on Vertex AI Pipelines can see; name gs://"):
        check_config(volume, PLATFORMS["vertex"])


def test_what_the_kind_of_data_set_does_not_read_does_not_matter(tmp_path: Path) -> None:
    file = tmp_path / "other.yaml"
    file.write_text("dataset: {kind: synthetic, mirror: mirror}\n")
    check_config(load_config(file), PLATFORMS["kfp"])


@pytest.mark.parametrize("root", ["runs", "~/runs", "/runs", "https://host/runs", "gs://"])
def test_artifacts_do_not_go_to_a_folder_of_this_machine(root: str) -> None:
    with pytest.raises(UserError, match=rf"^--pipeline-root {root}: "):
        check_pipeline_root(root, PLATFORMS["vertex"])
    check_pipeline_root("minio://mlpipeline/v2", PLATFORMS["kfp"])
