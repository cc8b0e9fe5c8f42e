"""Secrets of the environment are used by a run, and kept nowhere."""

import base64
import io
from pathlib import Path

import pytest
from rich.console import Console

from pipeline.config import Config, load_config
from pipeline.console import StepReporter, noise_to_file
from pipeline.local import runner
from pipeline.platforms.compilation import compile_pipeline, to_yaml
from pipeline.platforms.registry import PLATFORMS
from tests.e2e.conftest import PROJECT
from tests.e2e.test_storages import TINY, csv
from tests.storages import website

_PASSWORD, _SIGNATURE, _KEY = "swordfish-1", "swordfish-2", "swordfish-3"


def _config(path: str) -> Config:
    assignments = [f"{key}={value}" for key, value in TINY.items()]
    beam = 'beam.args=["--s3_secret_access_key=${PLANTED_KEY}"]'
    return load_config(PROJECT / "configs" / "synthetic.yaml", [*assignments, f"dataset.path={path}", beam])


@pytest.mark.parametrize("last", ["Preprocess", pytest.param(None, marks=pytest.mark.faults)])
def test_a_planted_secret_is_found_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: str | None) -> None:
    monkeypatch.setenv("PLANTED_USER", f"me:{_PASSWORD}")
    monkeypatch.setenv("PLANTED_SIGNATURE", _SIGNATURE)
    monkeypatch.setenv("PLANTED_KEY", _KEY)
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "clicks.csv").write_bytes(csv(1) + b"odd\n")
    said = io.StringIO()
    with website(tmp_path / "site", monkeypatch) as site:
        address = site.url.replace("://", "://${PLANTED_USER}@")
        config = _config(f"{address}/clicks.csv?sig=${{PLANTED_SIGNATURE}}")
        with noise_to_file(tmp_path / "root" / "log"):
            with pytest.raises(Exception, match=r"clicks\.csv.* line 162: 1 column where 3 are expected") as told:
                runner.run(config, tmp_path / "root", StepReporter(Console(file=said, width=500)), last=last)
            (tmp_path / "site" / "clicks.csv").write_bytes(csv(1))
            outcomes = runner.run(config, tmp_path / "root", StepReporter(Console(file=said, width=500)), last=last)

    assert outcomes[last or "Pusher"].outputs
    assert base64.b64encode(f"me:{_PASSWORD}".encode()).decode() in "".join(site.credentials)
    assert any(f"sig={_SIGNATURE}" in path for path in site.requests)
    kfp = PLATFORMS["kfp"]
    (tmp_path / "root" / "compiled.yaml").write_text(to_yaml(compile_pipeline(config, kfp), config, kfp))
    kept = {path.name: path.read_bytes() for path in (tmp_path / "root").rglob("*") if path.is_file()}
    assert {"metadata.sqlite", "log", "compiled.yaml", "summary.json"} <= set(kept)
    assert b"PLANTED_USER" in kept["metadata.sqlite"]
    assert b"PLANTED_KEY" in kept["compiled.yaml"]
    for name, content in {**kept, "screen": said.getvalue().encode(), "error": str(told.value).encode()}.items():
        assert b"swordfish" not in content, name
