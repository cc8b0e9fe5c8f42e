from pathlib import Path

import pytest
from tfx.dsl.components.base import base_beam_executor
from tfx.utils import dependency_utils

from components.shared.beam_executor import BeamExecutor


class _Executor(BeamExecutor):
    def Do(self, input_dict, output_dict, exec_properties):  # noqa: N802
        raise NotImplementedError


def test_a_step_with_options_of_beam_packs_nothing_for_its_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dependency_utils, "build_ephemeral_package", lambda: pytest.fail("TFX was packed"))
    monkeypatch.setenv("PLANTED", str(tmp_path))
    args = ["--runner=FnApiRunner", "--temp_location=${PLANTED}"]
    executor = _Executor(base_beam_executor.BaseBeamExecutor.Context(beam_pipeline_args=args))
    options = executor._make_beam_pipeline().options.get_all_options()
    assert (options["runner"], options["temp_location"]) == ("FnApiRunner", str(tmp_path))
    assert "extra_packages" not in options or not options["extra_packages"]
    assert args[1] == "--temp_location=${PLANTED}"
