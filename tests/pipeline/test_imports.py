"""What a command waits for before it says a word."""

import subprocess
import sys

ONLY_FOR_RUNS = ["apache_beam", "tensorflow", "tfx", "kfp"]


def test_the_command_line_does_not_load_what_only_runs_need() -> None:
    program = f"import sys, pipeline.cli; print([name for name in {ONLY_FOR_RUNS} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
