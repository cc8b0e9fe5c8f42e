"""Who asks a pushed version for one user does not wait until TensorFlow is imported."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.components.serving.test_declared import pushed

PROGRAM = """
import sys
from pipeline.cli import main
main(sys.argv[1:], standalone_mode=False)
sys.exit("tensorflow" in sys.modules)
"""


@pytest.fixture(scope="module")
def model(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    return pushed(inputs, tmp_path_factory.mktemp("model"), "mlp, both")


@pytest.mark.parametrize(
    ("arguments", "users"),
    [
        (["--user", "é-1007"], [("é-1007", True, 0)]),
        (["--user", "nobody", "--items", "é-1007,é-1014,sku"], [("nobody", False, 2)]),
        (["--items", "é-1007"], [(None, False, 1)]),
        (["--user", "-"], [("nobody", False, 0), ("é-1014", True, 0)]),
    ],
)
def test_all_that_is_asked_of_one_user(
    model: str, arguments: list[str], users: list[tuple[str | None, bool, int]]
) -> None:
    command = [sys.executable, "-c", PROGRAM, "recommend", "--model", model, "-k", "3", *arguments]
    lines = _printed([*command, "--json"])
    found = [json.loads(line) for line in lines]
    assert [(one.get("user"), one["known_user"], one["known_items"]) for one in found] == users
    assert all(len(one["items"]) == 3 for one in found)
    assert len(_printed(command)) > len(lines), "a table"


def _printed(command: list[str]) -> list[str]:
    run = subprocess.run(command, input="nobody\né-1014\n", capture_output=True, text=True, check=True)
    return run.stdout.splitlines()
