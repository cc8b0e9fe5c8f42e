"""The pinned stack loads, with the two releases that stand in for those whose wheels Debian 12 cannot load."""

import importlib.metadata
import re
import sys
import tomllib
from pathlib import Path

import pytest
from ml_metadata.proto import metadata_store_pb2 as mlmd

ROOT = Path(__file__).resolve().parents[1]


def test_the_lock_names_no_index_and_hashes_every_package():
    for name in ("requirements.lock", "scripts/bootstrap.lock"):
        lock = (ROOT / name).read_text()
        assert not re.search(r"https?://|file:|--(extra-)?index-url|--find-links", lock)
        packages = re.split(r"\n(?=[a-z0-9])", lock)
        assert all("--hash=sha256:" in package for package in packages)


def test_installed_versions_are_those_of_the_lock():
    locked = re.findall(r"^([a-z0-9._-]+)==([^ \\;]+)", (ROOT / "requirements.lock").read_text(), flags=re.MULTILINE)
    installed = {name: importlib.metadata.version(name) for name, _ in locked}
    assert installed == dict(locked)


@pytest.mark.skipif(sys.platform != "linux", reason="the overrides are for Linux")
def test_the_overrides_are_in_force():
    overrides = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["uv"]["override-dependencies"]
    assert "ml-metadata==1.17.1; sys_platform == 'linux'" in overrides
    assert importlib.metadata.version("ml-metadata") == "1.17.1"
    assert importlib.metadata.version("tensorflow-data-validation") == "1.16.1"
    assert importlib.metadata.version("tfx") == "1.21.0"


def test_the_metadata_store_keeps_an_artifact(tmp_path):
    from pipeline.local.lineage import open_store

    path = str(tmp_path / "metadata.sqlite")
    store = open_store(path)
    model_type = store.put_artifact_type(mlmd.ArtifactType(name="Model", properties={"version": mlmd.INT}))
    (model,) = store.put_artifacts(
        [mlmd.Artifact(type_id=model_type, uri="there", properties={"version": mlmd.Value(int_value=3)})]
    )

    (read,) = open_store(path).get_artifacts_by_id([model])

    assert read.uri == "there"
    assert read.properties["version"].int_value == 3
