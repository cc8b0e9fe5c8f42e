"""The notebook's cells run as they stand, one after the other, and find what its data is made of."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import PROJECT

NOTEBOOK: dict[str, Any] = json.loads((PROJECT / "docs" / "from_file_to_recommendations.ipynb").read_text("utf-8"))
CELLS = [cell for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]
LOOK = """
found = {"share": share_at_home, "rows": len(everybody), "somebody": [one["item"] for one in somebody["items"]],
         "known": known["known_user"], "similar": list(likeness.index)}
Path("found.json").write_text(json.dumps(found))
"""


def test_the_notebook_keeps_no_outputs() -> None:
    assert [(cell["outputs"], cell["execution_count"]) for cell in CELLS] == [([], None)] * len(CELLS)


@pytest.mark.slow
def test_the_notebook_goes_from_a_file_to_recommendations(tmp_path: Path) -> None:
    script = tmp_path / "cells.py"
    script.write_text("\n".join("".join(cell["source"]) for cell in CELLS) + LOOK, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, str(script)], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "blessed and pushed" in done.stdout
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["known"]
    assert found["rows"] == 10 * 400
    assert found["share"] > 0.75
    assert sum(item.startswith("music-") for item in found["somebody"]) >= 8
    assert sum(item.startswith("garden-") for item in found["similar"]) >= 8
