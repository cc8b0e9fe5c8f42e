import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.cli import main
from tests.pipeline.kubeflow.kfp_server import KfpServer

IMAGE = ["--param", "image=registry.example.org/neumf:1"]
PROJECT = Path(__file__).resolve().parents[3]


def submit(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipeline", "submit", *arguments]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=300)


def test_a_run_is_started_and_its_link_printed() -> None:
    with KfpServer() as server:
        done = submit("kfp", "--host", server.url, *IMAGE, "--param", "epochs=2", "--experiment", "mine")
        assert (done.returncode, done.stderr) == (0, "")
        (line,) = done.stdout.splitlines()
        assert line.startswith("neumf-synthetic-20")
        assert line.endswith(f": {server.url}/#/runs/details/run-0")
        assert server.experiments[0]["display_name"] == "mine"
        assert server.runs[0]["runtime_config"]["parameters"]["epochs"] == 2


def refused(capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[str, str]:
    """What is printed, in this process, by a command that ends with exit code 2."""
    with pytest.raises(SystemExit) as ended:
        main(["submit", *arguments])
    assert ended.value.code == 2
    return capfd.readouterr()


def test_an_error_is_one_line_and_exit_code_2(capfd: pytest.CaptureFixture[str]) -> None:
    with KfpServer() as server:
        out, err = refused(capfd, "kfp", "--host", server.url, "--param", "epoch=2")
        assert (out, err) == ("", "error: --param epoch=2: there is no parameter 'epoch'; did you mean 'epochs'?\n")
        assert not server.runs


@pytest.mark.parametrize(
    "arguments", [["--target", "kfp", "--host", "http://x"], ["--config", "my.yaml", "--target=vertex"]]
)
def test_the_form_of_before_is_told_the_new_one(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert refused(capfd, *arguments) == (
        "", "error: submit has no --target any more; the platform comes first: submit kfp ..., or submit vertex ...\n"
    )  # fmt: skip


def test_no_client_is_imported_before_it_connects() -> None:
    script = (
        "import sys, pipeline.cli; print({'kfp', 'tfx', 'tensorflow', 'google.cloud.aiplatform'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True, timeout=60)
    assert done.stdout == "set()\n", done.stderr
