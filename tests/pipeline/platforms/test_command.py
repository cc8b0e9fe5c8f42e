import subprocess
import sys
from pathlib import Path

import pytest

from tests.pipeline.kubeflow.kfp_server import KfpServer

PROJECT = Path(__file__).resolve().parents[3]


def submit(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipeline", "submit", *arguments]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=300)


def test_a_run_is_started_and_its_link_printed() -> None:
    with KfpServer() as server:
        done = submit("kfp", "--host", server.url, "--param", "epochs=2", "--experiment", "mine")
        assert (done.returncode, done.stderr) == (0, "")
        (line,) = done.stdout.splitlines()
        assert line.startswith("neumf-synthetic-20")
        assert line.endswith(f": {server.url}/#/runs/details/run-0")
        assert server.experiments[0]["display_name"] == "mine"
        assert server.runs[0]["runtime_config"]["parameters"]["epochs"] == 2


def test_an_error_is_one_line_and_exit_code_2() -> None:
    with KfpServer() as server:
        done = submit("kfp", "--host", server.url, "--param", "epoch=2")
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == "error: --param epoch=2: there is no parameter 'epoch'; did you mean 'epochs'?\n"
        assert not server.runs


@pytest.mark.parametrize(
    "arguments", [["--target", "kfp", "--host", "http://x"], ["--config", "my.yaml", "--target=vertex"]]
)
def test_the_form_of_before_is_told_the_new_one(arguments: list[str]) -> None:
    done = submit(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: submit has no --target any more; the platform comes first: submit kfp ..., or submit vertex ...\n"
    )


def test_no_client_is_imported_before_it_connects() -> None:
    script = (
        "import sys, pipeline.cli; print({'kfp', 'tfx', 'tensorflow', 'google.cloud.aiplatform'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True, timeout=60)
    assert done.stdout == "set()\n", done.stderr
